import { getEventListeners } from 'node:events';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { fetchModelList, type ModelListSource } from '../../src/catalog/fetch-list.ts';
import type { HttpRequest } from '../../src/ports.ts';
import { VirtualClock } from '../../src/testing.ts';
import {
  type Answer,
  answerHanging,
  answerText,
  answerTrouble,
  ScriptedTransport,
  settled,
} from './doubles.ts';

const request: HttpRequest = {
  method: 'GET',
  url: 'https://models.example/v1/models?token=secret',
  headers: { authorization: 'Bearer key-1' },
};
const source: ModelListSource = { request: () => request };

const never = new AbortController().signal;

const redact = (text: string): string => text.replaceAll('key-1', '***');

const answerTellingTheKey: Answer = () => {
  throw new Error('bad header: Bearer key-1');
};

/** Fetches the list in virtual time. */
function fetchFrom(transport: ScriptedTransport, from = source): Promise<unknown> {
  const clock = new VirtualClock(0);
  return clock.run(fetchModelList(from, { clock, transport }, never));
}

async function failure(
  answers: readonly Answer[],
  from = source,
): Promise<{ message: string; attempts: number }> {
  const transport = new ScriptedTransport(answers);
  const error: unknown = await fetchFrom(transport, from).then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  return { message: error instanceof Error ? error.message : '', attempts: transport.requests.length };
}

describe('fetching a model list', () => {
  test('sends the given request and parses the answer', async () => {
    const transport = new ScriptedTransport([answerText('{"data":[{"id":"a"}]}')]);
    expect(await fetchFrom(transport)).toEqual({ data: [{ id: 'a' }] });
    expect(transport.requests).toEqual([{ ...request, background: true }]);
  });

  test.each([
    [`${'['.repeat(65)}${']'.repeat(65)}`, 'exceeds the most that is read: 64 (depth)'],
    [`[${'0,'.repeat(500_000)}0]`, 'exceeds the most that is read: 500000 (values)'],
  ])('refuses a list beyond a bound, without a retry', async (text, said) => {
    const { message, attempts } = await failure([answerText(text)]);
    expect(message).toBe(`the list of models.example ${said}`);
    expect(attempts).toBe(1);
  });

  test('joins characters that are divided between chunks', async () => {
    const bytes = new TextEncoder().encode('["é"]');
    const body = async function* pieces(): AsyncGenerator<Uint8Array> {
      for (const byte of bytes) yield Uint8Array.of(byte);
    };
    const transport = new ScriptedTransport([() => ({ status: 200, headers: {}, body: body() })]);
    expect(await fetchFrom(transport)).toEqual(['é']);
  });

  test.each([
    ['429', answerText('{}', 429)],
    ['500', answerText('oops', 500)],
    ['503', answerText('busy', 503)],
    ['a network error', answerTrouble],
  ])('%s is retried twice', async (_name, answer) => {
    expect((await failure([answer])).attempts).toBe(3);
    const transport = new ScriptedTransport([answer, answer, answerText('[]')]);
    expect(await fetchFrom(transport)).toEqual([]);
  });

  test.each([302, 400, 401, 403, 404, 410])('%i is not retried', async (status) => {
    expect(await failure([answerText('{}', status)])).toEqual({
      message: `models.example answered ${status}`,
      attempts: 1,
    });
  });

  test('an answer that is no JSON is not retried', async () => {
    const { message, attempts } = await failure([answerText('<html>hello</html>')]);
    expect(attempts).toBe(1);
    expect(message).toBe('models.example answered 18 characters that are not JSON');
  });

  test('an endless answer is closed after 8 MiB', async () => {
    let closed = false;
    const body = async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(1024 * 1024);
      } finally {
        closed = true;
      }
    };
    const { message, attempts } = await failure([() => ({ status: 200, headers: {}, body: body() })]);
    expect(attempts).toBe(1);
    expect(message).toContain('longer than the 8388608 bytes');
    expect(closed).toBe(true);
  });

  test('the body of a refusal is closed', async () => {
    let closed = 0;
    const page = async function* twoParts(): AsyncGenerator<Uint8Array> {
      try {
        yield new Uint8Array(10);
        yield new Uint8Array(10);
      } finally {
        closed += 1;
      }
    };
    await failure([() => ({ status: 503, headers: {}, body: page() })]);
    expect(closed).toBe(3);
  });

  test('redacts the answer and the error message', async () => {
    const transport = new ScriptedTransport([answerText('{"echo":"key-1"}')]);
    expect(await fetchFrom(transport, { ...source, redact })).toEqual({ echo: '***' });
    expect((await failure([answerTellingTheKey], { ...source, redact })).message).toBe(
      'bad header: Bearer ***',
    );
  });

  test('pauses on its clock for 250 ms and then 500 ms, and leaves no timer', async () => {
    const setTimeout = vi.spyOn(globalThis, 'setTimeout');
    onTestFinished(() => setTimeout.mockRestore());
    const clock = new VirtualClock(0);
    const sentAt: number[] = [];
    const busy: Answer = (...given) => {
      sentAt.push(clock.now());
      return answerText('busy', 503)(...given);
    };
    const transport = new ScriptedTransport([busy]);
    const fetched = fetchModelList(source, { clock, transport }, never);
    await expect(clock.run(fetched)).rejects.toThrow('models.example answered 503');
    expect(sentAt).toEqual([0, 250, 750]);
    expect(clock.pending).toBe(0);
    expect(setTimeout).not.toHaveBeenCalled();
  });

  test.each([
    ['during a request', answerHanging, 0],
    ['between two attempts', answerText('busy', 503), 1],
  ])('an abort %s rejects with its reason and leaves no timer or listener', async (_, answer, timers) => {
    const controller = new AbortController();
    const clock = new VirtualClock(0);
    const transport = new ScriptedTransport([answer]);
    const fetched = fetchModelList(source, { clock, transport }, controller.signal);
    const caught = fetched.catch((reason: unknown) => reason);
    await settled();
    expect(clock.pending).toBe(timers);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await caught).toBe(reason);
    expect(clock.pending).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect(transport.requests).toHaveLength(1);
  });
});
