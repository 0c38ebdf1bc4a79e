import { describe, expect, it } from 'vitest';
import { type ChatBody, chatBody } from '../../../src/wire/request/chat-body.ts';
import type { ChatMessage, ChatRequest } from '../../../src/wire/request/chat-request.ts';
import { wellFormedJson } from '../../../src/wire/request/sound-request.ts';
import type { TransformName } from '../../../src/wire/request/transforms.ts';

const COUNT = 50_000;

function times<T>(make: (index: number) => T): readonly T[] {
  return Array.from({ length: COUNT }, (_, index) => make(index));
}

const part = { type: 'text', text: 'x' };
const hello: ChatMessage = { role: 'user', content: 'Hello' };
const call = (id: string): object => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });

function conversation(messages: readonly ChatMessage[], fields: ChatRequest['fields'] = {}): ChatRequest {
  return { messages, fields };
}

function withTools(nameOf: (index: number) => string): ChatRequest {
  const tools = times((index) => ({ type: 'function', function: { name: nameOf(index) } }));
  return conversation([hello], { tools });
}

/** Requests of 50,000 equal things. Work that grows with their square takes minutes. */
const REQUESTS: Readonly<Record<string, () => ChatRequest>> = {
  'system messages with lists': () => conversation(times(() => ({ role: 'system', content: [part] }))),
  'user messages with lists': () => conversation(times(() => ({ role: 'user', content: [part] }))),
  'assistant messages with calls': () =>
    conversation(times((index) => ({ role: 'assistant', content: '', tool_calls: [call(`c${index}`)] }))),
  'calls with one id, and their results': () =>
    conversation([
      { role: 'assistant', content: '', tool_calls: times(() => call('c')) },
      ...times((): ChatMessage => ({ role: 'tool', tool_call_id: 'c', content: 'x' })),
    ]),
  'tools whose names become one': () => withTools((index) => `${'!'.repeat(64)}${index}`),
  'tools whose names are cut to one': () => withTools((index) => `${'a'.repeat(64)}${index}`),
  'members of a medium': () => {
    const medium = Object.fromEntries(times((index) => [`k${index}`, 'x'] as const));
    return conversation([{ role: 'user', content: [{ type: 'input_audio', input_audio: medium }] }]);
  },
};

/** Those that look for equal things, or join them. */
const TRANSFORMS: readonly TransformName[] = [
  'single-system-first',
  'system-to-user',
  'single-tool-calls',
  'alternate-roles',
  'short-tool-ids',
  'lawful-function-names',
];

/** Writes a request with each of the transforms, and estimates it. */
function write(request: ChatRequest): ChatBody {
  const body = chatBody(request);
  for (const transform of TRANSFORMS) body.for('m', { shape: { transforms: [transform] } });
  body.nameOf('f');
  return body;
}

describe('a large request', () => {
  it.each(Object.entries(REQUESTS))('costs no more than its size: %s', (_, request) => {
    const body = write(request());
    expect(body.tokens.prompt).toBeGreaterThan(0);
    expect(body.features.length).toBeLessThan(2000);
  });
});

describe('lone surrogates in JSON text', () => {
  it.each([
    [String.raw`"\ud83d"`, '"\ufffd"'],
    [String.raw`"\uDC00\ud83d"`, '"\ufffd\ufffd"'],
    [String.raw`"\ud83d\ude00"`, String.raw`"\ud83d\ude00"`],
    [String.raw`"\ud83d\ud83d\ude00"`, '"\ufffd\\ud83d\\ude00"'],
    [String.raw`"\\ud83d \n\t\u0041"`, String.raw`"\\ud83d \n\t\u0041"`],
    [String.raw`"\\\ud83d\\"`, '"\\\\\ufffd\\\\"'],
    [String.raw`"\ud8`, String.raw`"\ud8`],
    [String.raw`"\ud83dx\"`, '"\ufffdx\\"'],
  ])('are replaced: %s', (json, sound) => {
    expect(wellFormedJson(json)).toBe(sound);
  });

  it('are replaced in a text of two million of them', () => {
    const text = '\ud83d'.repeat(2_000_000);
    const body = chatBody(conversation([{ role: 'user', content: text }])).for('m', {});
    expect(body.length).toBe(2_000_000 + '{"model":"m","messages":[{"role":"user","content":""}]}'.length);
    expect(body).not.toContain(String.raw`\ud`);
  });
});
