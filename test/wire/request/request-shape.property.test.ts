import fc from '../../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { SPECS } from '../../../src/providers/spec.ts';
import { type ChatRequest, isOptionalField } from '../../../src/wire/request/chat-request.ts';
import { type RequestShape, shapeRequest } from '../../../src/wire/request/request-shape.ts';
import {
  FIELD_TRANSFORMS,
  MESSAGE_TRANSFORMS,
  REQUEST_TRANSFORMS,
} from '../../../src/wire/request/transforms.ts';
import { deepFreeze } from '../../support/deep-freeze.ts';
import { anyConversation, anyFields } from './conversations.ts';

const shapes: readonly (readonly [string, RequestShape])[] = Object.values(SPECS).flatMap(
  ({ name, request }) => (request === undefined ? [] : [[name, request] as const]),
);
const TRANSFORMS = new Set(
  Object.keys({ ...MESSAGE_TRANSFORMS, ...FIELD_TRANSFORMS, ...REQUEST_TRANSFORMS }),
);
const USUAL = { plain: false, workarounds: [] };
const anyRequest: fc.Arbitrary<ChatRequest> = fc.record({ messages: anyConversation, fields: anyFields });

/** The fields that must not be dropped. */
function requiredIn(fields: ChatRequest['fields']): readonly string[] {
  return Object.keys(fields).filter(
    (name) => fields[name] !== undefined && !isOptionalField(name, fields[name]),
  );
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

describe.each(shapes)('the shape of %s', (_, shape) => {
  it('does not mutate the request and changes nothing the second time', () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        const once = shapeRequest(deepFreeze(request), shape, USUAL);
        expect(shapeRequest(once, shape, USUAL)).toBe(once);
      }),
    );
  });

  it('keeps the required fields', () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        const { fields } = shapeRequest(request, shape, USUAL);
        expect(Object.keys(fields)).toEqual(expect.arrayContaining([...requiredIn(request.fields)]));
      }),
    );
  });

  it('keeps every tool, or only the tool that must be called', () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        const { tools, tool_choice: choice } = shapeRequest(request, shape, USUAL).fields;
        const isOne = choice === 'required' && choice !== request.fields['tool_choice'];
        expect(lengthOf(tools)).toBe(isOne ? lengthOf(tools) || 1 : lengthOf(request.fields['tools']));
      }),
    );
  });

  it('names only existing transforms', () => {
    const unknown = shape.transforms?.filter((name) => !TRANSFORMS.has(name));
    expect(unknown ?? []).toEqual([]);
  });
});
