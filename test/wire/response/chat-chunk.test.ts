import { describe, expect, it } from 'vitest';
import { classifyAnswer } from '../../../src/providers/refusals/classify.ts';
import { SPECS } from '../../../src/providers/spec.ts';
import { ChunkReader } from '../../../src/wire/response/chat-chunk.ts';
import { bytesOf, readChunks, SAMPLES, streamOf } from './streams.ts';

const text = (content: string, finish?: string): object => ({
  choices: [{ delta: { content }, finish_reason: finish ?? null }],
});

describe('a stream', () => {
  it.each(Object.entries(SAMPLES))('of %s', (_, { events, parts }) => {
    expect(readChunks([bytesOf(streamOf(events))]).parts).toEqual(parts);
  });

  it('returns each part with the bytes that complete it, usage and finish at the end', () => {
    const reader = new ChunkReader();
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    const last = streamOf([{ ...text('!', 'stop'), usage }]);
    expect(reader.read(bytesOf(streamOf([text('Hel'), text('lo')])))).toEqual([
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
    ]);
    expect(reader.read(bytesOf(streamOf([': alive'])))).toEqual([]);
    expect(reader.read(bytesOf(last.slice(0, 9)))).toEqual([]);
    expect(reader.read(bytesOf(last.slice(9)))).toEqual([{ type: 'text', text: '!' }]);
    expect(reader.end()).toEqual({
      kind: 'finished',
      parts: [
        { type: 'usage', usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3 } },
        { type: 'finish', reason: 'stop' },
      ],
    });
  });

  it('is over after [DONE] and ignores the rest', () => {
    const reader = new ChunkReader({ maxLength: 1000 });
    reader.read(bytesOf(streamOf([text('Hello', 'stop')])));
    expect(reader.isOver).toBe(false);
    reader.read(bytesOf(streamOf(['data: [DONE]'])));
    expect(reader.isOver).toBe(true);
    expect(reader.read(bytesOf(streamOf([text('!')])))).toEqual([]);
    expect(reader.read(bytesOf('x'.repeat(1001)))).toEqual([]);
    expect(reader.end()).toEqual({ kind: 'finished', parts: [{ type: 'finish', reason: 'stop' }] });
  });

  it('is over after a refusal and returns the parts before it', () => {
    const reader = new ChunkReader();
    const error = { error: { message: 'Oh', code: 500 } };
    expect(reader.read(bytesOf(streamOf([text('Hel'), error, text('lo', 'stop')])))).toEqual([
      { type: 'text', text: 'Hel' },
    ]);
    expect(reader.isOver).toBe(true);
    expect(reader.end()).toMatchObject({ kind: 'refused', parts: [], body: JSON.stringify(error) });
  });

  it('reports usage even if it breaks', () => {
    const reader = new ChunkReader();
    expect(reader.usage).toBeUndefined();
    const usage = { prompt_tokens: 1, completion_tokens: 2 };
    reader.read(bytesOf(streamOf([{ ...text('Hel'), usage }])));
    expect(reader.end().kind).toBe('cut');
    expect(reader.usage).toEqual({ promptTokens: 1, completionTokens: 2, totalTokens: 3 });
  });

  it('reports the usage of a whole answer sent instead', () => {
    const reader = new ChunkReader();
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    reader.read(bytesOf(JSON.stringify({ choices: [{ message: { content: 'Hello' } }], usage })));
    expect(reader.end().kind).toBe('finished');
    expect(reader.usage).toEqual({ promptTokens: 1, completionTokens: 2, totalTokens: 3 });
  });

  it('is finished if its body breaks after the finish reason', () => {
    const reader = new ChunkReader();
    reader.read(bytesOf(`${streamOf([text('Hello', 'stop')])}data: {"choices":[],"us`));
    expect(reader.end()).toEqual({ kind: 'finished', parts: [{ type: 'finish', reason: 'stop' }] });
  });

  it('may be empty if the answer was already complete', () => {
    const body = bytesOf(streamOf([text('\n'), text('', 'stop')]));
    const reader = new ChunkReader({ mayBeEmpty: true });
    reader.read(body);
    expect(reader.end()).toEqual({
      kind: 'finished',
      parts: [
        { type: 'text', text: '\n' },
        { type: 'finish', reason: 'stop' },
      ],
    });
  });

  it('bounds the length of events', () => {
    const reader = new ChunkReader({ maxLength: 100 });
    expect(reader.read(bytesOf(`data: ${'x'.repeat(101)}`))).toEqual([]);
    const message = 'the stream had an event of more than 100 characters, which is not read';
    expect(reader.end()).toMatchObject({ kind: 'refused', refusal: { problem: 'too_large', message } });
  });

  it('is classified by the error inside, like a whole answer', () => {
    const error = {
      code: 429,
      message: 'Rate limit exceeded: free-models-per-day',
      metadata: { headers: { 'X-RateLimit-Reset': '1790035200000' } },
    };
    const { end } = readChunks([
      bytesOf(streamOf([{ error, choices: [{ delta: {}, finish_reason: 'error' }] }])),
    ]);
    if (end.kind !== 'refused') throw new Error('the stream was not refused');
    const reply = { status: 200, headers: {}, body: end.body };
    const given = { spec: SPECS.openrouter, now: 1_790_000_000_000 };
    expect(classifyAnswer(end.refusal, reply, given)).toMatchObject({
      kind: 'quota_exhausted',
      scope: 'account',
      retryAt: 1_790_035_200_000,
    });
  });
});
