/** Members whose names every object inherits are checked like all others. */

import { describe, expect, it } from 'vitest';
import { loadChecks, schemaCheck } from '../../src/client/schema-check.ts';
import { isJsonObject } from '../../src/core/json.ts';

await loadChecks();

const NUMBER = { type: 'number' };

/** What a check says of a JSON text: the paths of the problems, `+` before a member that is not allowed. */
function problems(schema: object, text: string): readonly string[] {
  // Read as JSON, `__proto__` is a member of its own.
  const read: unknown = JSON.parse(JSON.stringify(schema));
  const check = isJsonObject(read) ? schemaCheck(read) : undefined;
  if (check === undefined) throw new Error('the schema cannot be checked');
  return check(JSON.parse(text)).map(
    ({ path, isUnknown }) => `${isUnknown === true ? '+' : ''}${path.join('.')}`,
  );
}

describe.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('a member named %s', (name) => {
  const properties = { [name]: NUMBER };
  const right = `{"${name}": 1}`;
  const wrong = `{"${name}": "x"}`;

  it.each<[what: string, schema: object, text: string, found: readonly string[]]>([
    ['fits', { type: 'object', properties }, right, []],
    ['may be missing', { type: 'object', properties }, '{}', []],
    ['has another type', { type: 'object', properties }, wrong, [name]],
    ['is required and there', { type: 'object', properties, required: [name] }, right, []],
    ['is required and missing', { type: 'object', properties, required: [name] }, '{}', [name]],
    [
      'is the only one allowed',
      { type: 'object', properties, additionalProperties: false },
      '{"other": 1}',
      ['+other'],
    ],
    [
      'is not allowed',
      { type: 'object', properties: { a: NUMBER }, additionalProperties: false },
      right,
      [`+${name}`],
    ],
    ['is one of any names', { type: 'object', additionalProperties: NUMBER }, wrong, [name]],
    [
      'is an element’s',
      { type: 'array', items: { type: 'object', properties } },
      `[${wrong}]`,
      [`0.${name}`],
    ],
    ['is a definition’s name', { $defs: { [name]: NUMBER }, $ref: `#/$defs/${name}` }, '"x"', ['']],
    ['is a value', { enum: [name] }, `"${name}"`, []],
  ])('%s', (_what, schema, text, found) => {
    expect(problems(schema, text)).toEqual(found);
  });
});

it('messages name the member as it is', () => {
  const check = schemaCheck({ type: 'object', properties: {}, additionalProperties: false });
  expect(check?.({ constructor: 1 })).toEqual([
    { path: ['constructor'], message: 'Unrecognized key: "constructor"', isUnknown: true },
  ]);
});
