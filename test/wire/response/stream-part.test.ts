import { describe, expect, it } from 'vitest';
import { type ChatCompletion, readChatResponse } from '../../../src/wire/response/chat-response.ts';
import { PartCollector, partsOf, type StreamPart } from '../../../src/wire/response/stream-part.ts';

function collect(parts: readonly StreamPart[]): unknown {
  const collector = new PartCollector();
  for (const part of parts) collector.add(part);
  return collector.answer();
}

function completionOf(message: object, finish: string): ChatCompletion {
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 9 };
  const body = JSON.stringify({ choices: [{ message, finish_reason: finish }], usage });
  const answer = readChatResponse(body);
  if (!answer.ok) throw new Error(answer.message);
  return answer.completion;
}

const call = {
  id: 'a',
  type: 'function',
  function: { name: 'weather', arguments: '{"city":"東京"}' },
  extra_content: { google: { thought_signature: 's' } },
};

describe('parts', () => {
  it.each([
    ['text', { content: 'Hello' }, 'length'],
    ['text after reasoning', { content: 'Hello', reasoning: 'hm' }, 'stop'],
    ['tool calls', { content: 'I look.', tool_calls: [call, { ...call, id: 'b' }] }, 'stop'],
    ['an image', { content: '', images: [{ type: 'image_url' }] }, 'stop'],
  ])('of a whole answer with %s add up to that answer', (_, message, finish) => {
    const { raw: __, ...completion } = completionOf(message, finish);
    expect(collect(partsOf({ ...completion, raw: {} }))).toEqual(completion);
  });

  it('of a whole answer have the order of a stream', () => {
    const parts = partsOf(completionOf({ content: 'Hello', reasoning: 'hm', tool_calls: [call] }, 'stop'));
    expect(parts.map(({ type }) => type)).toEqual(['reasoning', 'text', 'tool-call', 'usage', 'finish']);
  });

  it('of a whole answer without text include no text', () => {
    const completion = completionOf({ content: '', audio: { id: 'a' } }, 'stop');
    expect(partsOf(completion).map(({ type }) => type)).toEqual(['extra', 'usage', 'finish']);
  });

  it('add up to an answer at any moment', () => {
    const collector = new PartCollector();
    expect(collector.answer()).toEqual({ text: '', toolCalls: [] });
    collector.add({ type: 'text', text: 'Hel' });
    expect(collector.answer()).toEqual({ text: 'Hel', toolCalls: [] });
    collector.add({ type: 'text', text: 'lo', resumed: true });
    collector.add({ type: 'finish', reason: 'stop' });
    expect(collector.answer()).toEqual({ text: 'Hello', toolCalls: [], finishReason: 'stop' });
  });

  it('of one tool call are joined, whatever stands between them', () => {
    const piece = { type: 'tool-call', id: 'a', name: 'f' } as const;
    const other = { type: 'tool-call', id: 'b', name: 'g' } as const;
    const answer = collect([
      { ...piece, index: 0, argumentsDelta: '{"x"' },
      { ...other, index: 1, argumentsDelta: '{}', extra: { one: 1 } },
      { ...piece, index: 0, argumentsDelta: ':1}' },
      { ...other, index: 1, argumentsDelta: '', extra: { two: 2 } },
    ]);
    expect(answer).toEqual({
      text: '',
      toolCalls: [
        { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
        { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' }, one: 1, two: 2 },
      ],
    });
  });

  it('of reasoning are joined by index, type and id, and other fields as they come', () => {
    const collector = new PartCollector();
    const add = (fields: object): void => collector.add({ type: 'extra', fields: { ...fields } });
    const detail = (piece: object): void => add({ reasoning_details: [piece] });
    detail({ type: 'reasoning.text', text: 'h', index: 0, format: 'x' });
    detail({ type: 'reasoning.text', text: 'm', index: 0, format: 'x' });
    detail({ type: 'reasoning.text', signature: 's', index: 0 });
    detail({ type: 'reasoning.encrypted', data: 'a', id: 'r', index: 0 });
    detail({ type: 'reasoning.encrypted', data: 'b', id: 'q', index: 0 });
    detail({ type: 'reasoning.encrypted', data: 'b', id: 'q', index: 0 });
    detail({ type: 'reasoning.summary', summary: 'o' });
    detail({ type: 'reasoning.summary', summary: 'k' });
    add({ audio: { id: 'a', data: 'QU', transcript: 'Go' }, annotations: [{ url: 'u' }] });
    add({ audio: { id: 'a', data: 'JD', expires_at: 7 }, annotations: [{ url: 'u' }, { url: 'v' }] });
    collector.add({ type: 'text', text: 'Hi' });
    collector.add({ type: 'finish', reason: 'stop' });
    expect(collector.raw()).toEqual({
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hi',
            reasoning_details: [
              { type: 'reasoning.text', text: 'hm', index: 0, format: 'x', signature: 's' },
              { type: 'reasoning.encrypted', data: 'a', id: 'r', index: 0 },
              { type: 'reasoning.encrypted', data: 'b', id: 'q', index: 0 },
              { type: 'reasoning.summary', summary: 'ok' },
            ],
            audio: { id: 'a', data: 'QUJD', transcript: 'Go', expires_at: 7 },
            annotations: [{ url: 'u' }, { url: 'v' }],
          },
          finish_reason: 'stop',
        },
      ],
    });
  });

  it('lose the details of a reasoning that another model went on from', () => {
    const collector = new PartCollector();
    const fields = { reasoning_details: [{ type: 'reasoning.encrypted', data: 'a' }], citations: ['c'] };
    collector.add({ type: 'extra', fields });
    collector.add({ type: 'text', text: 'Hi', resumed: true });
    const message = { role: 'assistant', content: 'Hi', citations: ['c'] };
    expect(collector.raw()).toMatchObject({ choices: [{ message }] });
    expect(JSON.stringify(collector.raw())).not.toContain('reasoning_details');
  });

  it('sum the usage of several attempts', () => {
    const usage = { promptTokens: 3, completionTokens: 2, totalTokens: 6 };
    const answer = collect([
      { type: 'usage', usage },
      { type: 'usage', usage },
    ]);
    expect(answer).toMatchObject({ usage: { promptTokens: 6, completionTokens: 4, totalTokens: 12 } });
  });
});
