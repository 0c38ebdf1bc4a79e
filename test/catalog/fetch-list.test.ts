import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { fetchModelList, type ModelListSource } from '../../src/catalog/fetch-list.ts';
import {
  type Answer,
  answerHanging,
  answerText,
  answerTrouble,
  ScriptedTransport,
  settled,
} from './doubles.ts';

const source: ModelListSource = {
  url: 'https://models.example/v1/models?token=secret',
  headers: () => ({ authorization: 'Bearer key-1' }),
  retryDelayMs: 0,
};

const never = new AbortController().signal;

const redact = (text: string): string => text.replaceAll('key-1', '***');

const answerTellingTheKey: Answer = () => {
  throw new Error('bad header: Bearer key-1');
};

async function failure(
  answers: readonly Answer[],
  from = source,
): Promise<{ message: string; attempts: number }> {
  const transport = new ScriptedTransport(answers);
  const error: unknown = await fetchModelList(from, transport, never).then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  return { message: error instanceof Error ? error.message : '', attempts: transport.requests.length };
}

describe('fetching a model list', () => {
  test('asks with the headers given and parses what comes', async () => {
    const transport = new ScriptedTransport([answerText('{"data":[{"id":"a"}]}')]);
    expect(await fetchModelList(source, transport, never)).toEqual({ data: [{ id: 'a' }] });
    expect(transport.requests).toEqual([
      { method: 'GET', background: true, url: source.url, headers: { authorization: 'Bearer key-1' } },
    ]);
  });

  test('puts characters together that are cut between two chunks', async () => {
    const bytes = new TextEncoder().encode('["é"]');
    const body = async function* pieces(): AsyncGenerator<Uint8Array> {
      for (const byte of bytes) yield Uint8Array.of(byte);
    };
    const transport = new ScriptedTransport([() => ({ status: 200, headers: {}, body: body() })]);
    expect(await fetchModelList(source, transport, never)).toEqual(['é']);
  });

  test.each([
    ['429', answerText('{}', 429)],
    ['500', answerText('oops', 500)],
    ['503', answerText('busy', 503)],
    ['trouble on the way', answerTrouble],
  ])('%s is tried twice more', async (_name, answer) => {
    expect((await failure([answer])).attempts).toBe(3);
    const transport = new ScriptedTransport([answer, answer, answerText('[]')]);
    expect(await fetchModelList(source, transport, never)).toEqual([]);
  });

  test.each([302, 400, 401, 403, 404, 410])('%i is not tried again', async (status) => {
    expect(await failure([answerText('{}', status)])).toEqual({
      message: `models.example answered ${status}`,
      attempts: 1,
    });
  });

  test('what is not JSON is not tried again', async () => {
    const { message, attempts } = await failure([answerText('<html>hello</html>')]);
    expect(attempts).toBe(1);
    expect(message).toBe('models.example answered 18 characters that are not JSON');
  });

  test('an endless answer is cut off after 8 MB and its body closed', async () => {
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

  test('the body of a refusal is closed, too', async () => {
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

  test('redacts the answer before it is read, and what a message repeats of the trouble', async () => {
    const transport = new ScriptedTransport([answerText('{"echo":"key-1"}')]);
    expect(await fetchModelList({ ...source, redact }, transport, never)).toEqual({ echo: '***' });
    expect((await failure([answerTellingTheKey], { ...source, redact })).message).toBe(
      'bad header: Bearer ***',
    );
  });

  test('stops with the reason of the signal, mid-request and between two attempts, and leaves no listener', async () => {
    for (const answer of [answerHanging, answerText('busy', 503)]) {
      const controller = new AbortController();
      const patient = { ...source, retryDelayMs: 60_000 };
      const fetched = fetchModelList(patient, new ScriptedTransport([answer]), controller.signal);
      const caught = fetched.catch((reason: unknown) => reason);
      await settled();
      const reason = new Error('enough');
      controller.abort(reason);
      expect(await caught).toBe(reason);
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    }
  });
});
