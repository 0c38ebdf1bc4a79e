import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { SPECS } from '../../src/providers/spec.ts';
import type { ChatRequest } from '../../src/wire/chat-request.ts';
import { isOptionalField } from '../../src/wire/chat-request.ts';
import { type RequestShape, shapeRequest } from '../../src/wire/request-shape.ts';
import { isFieldTransform, isMessageTransform } from '../../src/wire/transforms.ts';
import { deepFreeze } from '../support/deep-freeze.ts';
import { anyConversation, anyFields } from './conversations.ts';

const shapes: readonly (readonly [string, RequestShape])[] = Object.values(SPECS).flatMap(
  ({ name, request }) => (request === undefined ? [] : [[name, request] as const]),
);
const anyRequest: fc.Arbitrary<ChatRequest> = fc.record({ messages: anyConversation, fields: anyFields });

describe.each(shapes)('what is changed for %s', (_, shape) => {
  it('is nothing of what was given, and nothing the second time', () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        const once = shapeRequest(deepFreeze(request), shape, []);
        expect(shapeRequest(once, shape, [])).toBe(once);
      }),
    );
  });

  it('leaves what makes the answer another one', () => {
    fc.assert(
      fc.property(anyRequest, ({ messages, fields }) => {
        const shaped = shapeRequest({ messages, fields }, shape, []);
        for (const [name, value] of Object.entries(fields)) {
          if (value !== undefined && !isOptionalField(name, value))
            expect(shaped.fields[name]).not.toBe(undefined);
        }
        const tools = z.array(z.unknown()).safeParse(fields['tools']);
        const isNamed = shape.transforms?.includes('named-tool-only') === true;
        if (tools.success && !isNamed) expect(shaped.fields['tools']).toHaveLength(tools.data.length);
      }),
    );
  });

  it('names transforms that there are', () => {
    const unknown = shape.transforms?.filter((name) => !isFieldTransform(name) && !isMessageTransform(name));
    expect(unknown ?? []).toEqual([]);
  });
});
