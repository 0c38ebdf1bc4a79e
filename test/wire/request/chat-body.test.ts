import { describe, expect, it } from 'vitest';
import { chatBody, type BodyOptions, type Refused } from '../../../src/wire/request/chat-body.ts';
import type { ChatRequest } from '../../../src/wire/request/chat-request.ts';
import type { RequestShape } from '../../../src/wire/request/request-shape.ts';

/** Counts how often the messages of a request are serialised. */
function counted(fields: ChatRequest['fields'] = {}): { request: ChatRequest; written: () => number } {
  let written = 0;
  const content = 'Hello';
  const toJSON = (): unknown => {
    written += 1;
    return { role: 'user', content };
  };
  return { request: { messages: [{ role: 'user', content, toJSON }], fields }, written: () => written };
}

const LIMITED: RequestShape = { maxTokensWhenUnset: 100 };
const SYSTEM: RequestShape = { transforms: ['developer-to-system'] };
const MESSAGES = [
  { role: 'developer', content: 'Be brief.' },
  { role: 'user', content: 'Hello' },
] as const;

const asks = (fields: ChatRequest['fields'] = {}): ChatRequest => ({ messages: MESSAGES, fields });

describe('the messages of a request', () => {
  it.each<[string, readonly BodyOptions[]]>([
    ['for several models', [{}, {}, {}]],
    ['for a provider that does not change them', [{ shape: LIMITED }, { shape: SYSTEM }]],
    ['without refused fields', [{ drop: ['seed'] }, { drop: ['seed', 'top_k'], maxTokens: 5 }]],
    ['for a model that lacks a capability they do not need', [{ lacks: ['system', 'vision'] }]],
  ])('are serialised once %s', (_, ways) => {
    const { request, written } = counted({ seed: 1, top_k: 2 });
    const body = chatBody(request);
    for (const [index, way] of ways.entries()) body.for(`m${index}`, way);
    expect(written()).toBe(1);
  });

  it('are serialised once per variant', () => {
    let written = 0;
    const content = { toJSON: (): string => String((written += 1)) };
    const messages = [{ role: 'developer' as const, content: 'x', note: content }];
    const body = chatBody({ messages, fields: {} });
    const ways: readonly BodyOptions[] = [{}, { shape: SYSTEM }, { shape: SYSTEM, lacks: ['system'] }];
    for (const way of [...ways, ...ways]) body.for('m', way);
    expect(written).toBe(2);
    expect(body.for('m', { shape: SYSTEM })).toContain('"role":"system"');
    expect(body.for('m', { shape: SYSTEM, lacks: ['system'] })).toContain('"role":"user"');
  });

  it('are rejected if they cannot be serialised', () => {
    expect(() => chatBody({ messages: [{ role: 'user', content: 'x', own: 1n }], fields: {} })).toThrow(
      TypeError,
    );
    expect(() => chatBody({ messages: [], fields: { seed: 1n } })).toThrow(TypeError);
  });
});

describe('a body', () => {
  it('has a size that does not depend on the route', () => {
    const body = chatBody({ messages: MESSAGES, fields: { seed: 1, top_k: undefined } });
    const sent = body.for('', {});
    expect(body.size).toBe(sent.length - '{"model":"",'.length);
    body.for('m', { shape: LIMITED });
    expect(body.size).toBe(sent.length - '{"model":"",'.length);
  });

  it('estimates its tokens once', () => {
    const body = chatBody({ messages: MESSAGES, fields: { max_tokens: 7 } });
    expect(body.tokens).toMatchObject({ maxTokens: 7 });
    expect(body.tokens).toBe(body.tokens);
  });
});

describe('a refusal of the model', () => {
  const PARALLEL = [
    { role: 'assistant', content: '', tool_calls: [{ id: 'a' }, { id: 'b' }] },
    { role: 'tool', tool_call_id: 'a', content: '1' },
    { role: 'tool', tool_call_id: 'b', content: '2' },
  ] as const;
  const tools = [{ type: 'function', function: { name: 'f' } }];
  const RENAMING: RequestShape = { rename: { seed: 'random_seed' } };

  it.each<[string, ChatRequest, Refused, BodyOptions]>([
    ['a field that was sent', asks({ seed: 1 }), { parameters: ['top_k', 'seed'] }, {}],
    [
      'a field under the name that was sent',
      asks({ seed: 1 }),
      { parameters: ['random_seed'] },
      { shape: RENAMING },
    ],
    ['a limit that the caller did not set', asks(), { parameters: ['max_tokens'] }, { shape: LIMITED }],
    [
      'a choice that is the default',
      asks({ tools, tool_choice: 'auto' }),
      { parameters: ['tool_choice'] },
      {},
    ],
    ['the system role', asks(), { capabilities: ['system'] }, {}],
    ['parallel calls', { messages: PARALLEL, fields: {} }, { capabilities: ['parallel_calls'] }, {}],
  ])('allows a request without it: %s', (_, request, refused, way) => {
    expect(chatBody(request).canDoWithout(refused, way)).toBe(true);
  });

  it.each<[string, ChatRequest, Refused, BodyOptions]>([
    ['a field that was not sent', asks(), { parameters: ['seed'] }, {}],
    [
      'a field that was sent under another name',
      asks({ seed: 1 }),
      { parameters: ['seed'] },
      { shape: RENAMING },
    ],
    ['a field that was dropped', asks({ seed: 1 }), { parameters: ['seed'] }, { drop: ['seed'] }],
    ['tools, by their field', asks({ tools }), { parameters: ['tools'] }, {}],
    ['tools', asks({ tools }), { capabilities: ['tools'] }, {}],
    ['a role that is not used', { messages: PARALLEL, fields: {} }, { capabilities: ['system'] }, {}],
    ['a role that was already replaced', asks(), { capabilities: ['system'] }, { lacks: ['system'] }],
    ['a refusal that names nothing', asks({ seed: 1 }), {}, {}],
  ])('allows no request without it: %s', (_, request, refused, way) => {
    expect(chatBody(request).canDoWithout(refused, way)).toBe(false);
  });
});
