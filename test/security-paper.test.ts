/** `.github/SECURITY.md` states the bounds that the code has. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { isJsonObject, valuesAt } from '../src/core/json.ts';
import { settingsOf } from '../src/gateway/options.ts';
import bounds from '../spec/bounds.json' with { type: 'json' };

const paper = readFileSync(path.join(import.meta.dirname, '..', '.github', 'SECURITY.md'), 'utf8');
/** The rows of both tables: a name in code, and its value. */
const rows = [...paper.matchAll(/^\| [^|`]+ \| `([\w.]+)` \| (\d+) \|$/gm)].map(
  ([, name = '', value]): [string, number] => [name, Number(value)],
);

it.each(rows)('the bound %s is %i', (name, value) => {
  const code: unknown = name.includes('.') ? bounds : settingsOf({});
  expect(isJsonObject(code)).toBe(true);
  expect(valuesAt(code, name)).toEqual([value]);
});

it('every bound of the server is stated', () => {
  const stated = new Set(rows.map(([name]) => name));
  const numbers = Object.keys(settingsOf({})).filter((name) => /^max|TimeoutMs$/.test(name));
  expect(numbers.filter((name) => !stated.has(name))).toEqual([]);
  expect(rows.length).toBeGreaterThan(10);
});
