import { describe, expect, it } from 'vitest';
import { ProviderSimulator, type Fault, type ProviderName, type ReplyFunction } from '../../src/testing.ts';
import { ask, get, partly, read, textLike, type Reading } from './support.ts';

const NAMES: readonly ProviderName[] = ['openrouter', 'google', 'nim', 'custom'];
const WORDS = ['One', ' two', ' three', ' four', ' five', ' six', ' ünd', ' 🙂🙂.'];
const TEXT = WORDS.join('');

function simulate(
  name: ProviderName,
  reply: ReplyFunction = () => TEXT,
  ...faults: Fault[]
): ProviderSimulator {
  return new ProviderSimulator(name, {
    models: [{ id: 'acme/one:free', lacks: [] }],
    limits: { rpm: 1000, rpd: 1000 },
    reply,
    faults,
  });
}

function readWith(name: ProviderName, fault: Fault, most?: number): Reading & { outcome: unknown } {
  const provider = simulate(name, undefined, fault);
  const reading = read(provider, {}, most);
  return { ...reading, outcome: provider.calls[0]?.outcome };
}

const reasonedCall = (): object => ({
  reasoning: 'well well',
  toolCalls: [{ name: 'weather', arguments: { city: 'Oslo' } }],
});

function open(provider: ProviderSimulator): Exclude<ReturnType<typeof ask>['body'], string> {
  const { body } = ask(provider, { fields: { stream: true } });
  if (typeof body === 'string') throw new Error(body);
  return body;
}

const finishes = ({ text }: Reading): boolean => /"finish_reason":"/.test(text);
const done = ({ events }: Reading): boolean => events.at(-1) === 'data: [DONE]';

describe.each(NAMES)('a stream of %s', (name) => {
  it('is cut after any number of tokens, without a finish', () => {
    for (let tokens = 0; tokens <= WORDS.length + 1; tokens += 1) {
      const reading = readWith(name, { kind: 'cut', afterTokens: tokens });
      expect(reading).toMatchObject({ status: 200, ends: 'close', outcome: 'cut' });
      expect(reading.said).toBe(WORDS.slice(0, tokens).join(''));
      expect([finishes(reading), done(reading)]).toEqual([false, false]);
    }
  });

  it('is cut by a reset, midway by default', () => {
    const reading = readWith(name, { kind: 'cut', as: 'reset' });
    expect(reading).toMatchObject({ said: 'One two three four', ends: 'reset', outcome: 'cut' });
  });

  it('stalls', () => {
    const reading = readWith(name, { kind: 'stall', afterTokens: 3 });
    expect(reading).toMatchObject({ said: 'One two three', ends: 'hang', outcome: 'stall' });
    expect(finishes(reading)).toBe(false);
  });

  it('stalls except for keep-alive comments', () => {
    const fault = { kind: 'stall', afterTokens: 1, comments: true, everyMs: 250 } as const;
    const { said, pieces, events, outcome } = readWith(name, fault, 100);
    expect([said, outcome]).toEqual(['One', 'stall']);
    expect(pieces).toHaveLength(100);
    expect(events.slice(-90).every((event) => event.startsWith(': '))).toBe(true);
    expect(pieces.slice(-90).every(({ delayMs }) => delayMs === 250)).toBe(true);
  });

  it.each<['frame' | 'event', RegExp]>([
    ['frame', /^data: \{"error":\{.*"message":"/],
    ['event', /^event: error\ndata: \{"error":\{.*"message":"/],
  ])('fails midway with an error as %s', (as, shape) => {
    const reading = readWith(name, { kind: 'stream-error', afterTokens: 2, as });
    expect(reading.events.slice(-2)).toEqual([textLike(shape), 'data: [DONE]']);
    expect(reading).toMatchObject({ said: 'One two', ends: 'close', outcome: 'stream-error' });
    expect(finishes(reading)).toBe(false);
  });

  it('fails midway with the finish reason "error"', () => {
    const { said, chunks } = readWith(name, { kind: 'stream-error', afterTokens: 2, as: 'finish' });
    expect(said).toBe('One two');
    expect(chunks.at(-1)).toMatchObject({ choices: [{ finish_reason: 'error' }] });
    expect(JSON.stringify(chunks.at(-1)).includes('"error":{')).toBe(name === 'openrouter');
  });

  it('has an additional chunk of garbage', () => {
    const reading = readWith(name, { kind: 'garbage-chunk', afterTokens: 4 });
    const broken = reading.events.filter((event) => /^data: \{.*[^}]$/.test(event));
    expect(broken).toHaveLength(1);
    expect(reading).toMatchObject({ said: TEXT, outcome: 'garbage-chunk' });
    expect([finishes(reading), done(reading)]).toEqual([true, true]);
  });

  it('begins with an error', () => {
    const { status, events, outcome } = readWith(name, { kind: 'first-event-error' });
    expect([status, outcome]).toEqual([200, 'first-event-error']);
    expect(events).toEqual([textLike(/^data: \{"error":\{/), 'data: [DONE]']);
  });

  it('is a plain JSON body', () => {
    const provider = simulate(name, undefined, { kind: 'json-instead' });
    const answer = ask(provider, { fields: { stream: true } });
    expect(answer.headers['Content-Type']).toMatch(/^application\/json/);
    expect(answer.json).toMatchObject({ choices: [{ message: { content: TEXT }, finish_reason: 'stop' }] });
    expect(provider.counts.causes).toEqual({ 'json-instead': 1 });
  });

  it('lacks its finish reason', () => {
    const reading = readWith(name, { kind: 'no-finish' });
    expect(reading).toMatchObject({ said: TEXT, outcome: 'no-finish' });
    expect([finishes(reading), done(reading)]).toEqual([false, false]);
  });

  it('never ends', () => {
    const { said, pieces, outcome } = readWith(name, { kind: 'endless' }, 500);
    expect(pieces).toHaveLength(500);
    expect(said.startsWith(TEXT.repeat(50))).toBe(true);
    expect(outcome).toBe('served');
  });

  it('delays each token', () => {
    const { said, pieces } = readWith(name, { kind: 'slow-drip', betweenMs: 40 });
    expect(said).toBe(TEXT);
    expect(pieces.reduce((sum, { delayMs }) => sum + delayMs, 0)).toBe(40 * WORDS.length);
    expect(pieces.at(-1)?.delayMs).toBe(0);
  });

  it('begins with comments', () => {
    const { said, events, pieces } = readWith(name, { kind: 'silent-comments', count: 5 });
    expect(events.slice(0, 5).every((event) => event.startsWith(': '))).toBe(true);
    expect(pieces.slice(0, 6).map(({ delayMs }) => delayMs)).toEqual([1000, 1000, 1000, 1000, 1000, 0]);
    expect(said).toBe(TEXT);
  });

  it('lacks its [DONE]', () => {
    const reading = readWith(name, { kind: 'no-done' });
    expect(reading).toMatchObject({ said: TEXT, outcome: 'served' });
    expect([finishes(reading), done(reading)]).toEqual([true, false]);
  });

  it('has the same content in other pieces and with other line endings', () => {
    const plain = read(simulate(name));
    for (const [sizes, lineEnds] of [
      [[1], undefined],
      [[1, 7, 300], '\r\n'],
      [[100_000], '\r'],
    ] as const) {
      const { text, pieces, events } = readWith(name, { kind: 'split', sizes, lineEnds });
      expect(events).toEqual(plain.events);
      expect(text).toBe(plain.text.replaceAll('\n', lineEnds ?? '\n'));
      const whole = pieces.slice(0, -1).map(({ bytes }) => bytes.length);
      expect(whole).toEqual(whole.map((_, index) => sizes[index % sizes.length]));
    }
  });

  it('is stopped by a filter, or empty', () => {
    expect(readWith(name, { kind: 'content-filter' }).text).toMatch(/"finish_reason":"content_filter/);
    expect(readWith(name, { kind: 'empty' })).toMatchObject({ said: '', outcome: 'empty' });
    expect(readWith(name, { kind: 'empty', as: 'choices' }).chunks).toEqual([{ choices: [] }]);
    expect(readWith(name, { kind: 'empty', as: 'body' }).text).toBe('');
  });

  it('has only unreadable chunks', () => {
    expect(readWith(name, { kind: 'malformed' }).chunks).toEqual([]);
    const { chunks } = readWith(name, { kind: 'garbage' });
    expect(chunks.length).toBeGreaterThan(WORDS.length);
    for (const chunk of chunks) expect(chunk).toEqual({ choices: 'none', usage: [] });
  });

  it('has an error with status 200, as a plain body or in the choice', () => {
    const provider = simulate(name, undefined, { kind: 'error-in-200' });
    const { status, json } = ask(provider, { fields: { stream: true } });
    expect([status, JSON.stringify(json).includes('choices')]).toEqual([200, false]);
    const { said, chunks } = readWith(name, { kind: 'error-in-200', as: 'choice' });
    expect([said, chunks.at(-1)]).toEqual(['', partly({ choices: [partly({ finish_reason: 'error' })] })]);
  });
});

describe('faults of streams', () => {
  it('apply one by one in the answer, and together in its form', () => {
    const custom = simulate('custom');
    custom.script(
      { kind: 'cut', afterTokens: 1, times: 1 },
      { kind: 'stall', afterTokens: 2, times: 1 },
      { kind: 'slow-drip', betweenMs: 10 },
      { kind: 'split', sizes: [50], times: 2 },
    );
    const readings = [1, 2, 3].map(() => read(custom));
    expect(readings.map(({ said, ends }) => [said, ends])).toEqual([
      ['One', 'close'],
      ['One two', 'hang'],
      [TEXT, 'close'],
    ]);
    expect(readings.map(({ pieces }) => pieces[0]?.bytes.length === 50)).toEqual([true, true, false]);
    expect(custom.counts).toMatchObject({ served: 1, causes: { cut: 1, stall: 1 } });
  });

  it('count when the request arrives, even if the stream is not read', () => {
    const custom = simulate('custom');
    custom.script({ kind: 'no-done', times: 1 });
    ask(custom, { fields: { stream: true } });
    expect(done(read(custom))).toBe(true);
  });

  it('ignore plain requests without counting them', () => {
    const custom = simulate('custom');
    custom.script({ kind: 'stall', times: 1 }, { kind: 'slow-drip', betweenMs: 5, times: 1 });
    expect(ask(custom).json).toMatchObject({ choices: [{ message: { content: TEXT } }] });
    expect(get(custom, '/models').status).toBe(200);
    expect(read(custom).ends).toBe('hang');
  });

  it('count reasoning and fragments of tool calls as tokens', () => {
    const chunks = [0, 1, 2, 3, 4, 5, 9].map(
      (afterTokens) => read(simulate('custom', reasonedCall, { kind: 'cut', afterTokens })).chunks.length,
    );
    expect(chunks).toEqual([1, 2, 3, 4, 5, 6, 6]);
  });

  it('come after those that refuse a request', () => {
    const custom = simulate('custom', undefined, { kind: 'cut' }, { kind: 'congested', times: 1 });
    expect(() => read(custom)).toThrow('no stream: 503');
    expect(read(custom).ends).toBe('close');
    expect(custom.counts.causes).toEqual({ congested: 1, cut: 1 });
  });
});

describe('a stream whose client disconnects', () => {
  it('is abandoned, which is not a refusal', () => {
    const custom = simulate('custom');
    const { pieces, abandon } = open(custom);
    pieces[Symbol.iterator]().next();
    expect(custom.calls).toEqual([partly({ outcome: 'served', refused: false })]);
    abandon();
    abandon();
    expect(custom.calls).toEqual([partly({ outcome: 'abandoned', refused: false })]);
    expect(custom.counts).toEqual({ total: 1, served: 1, refused: 0, causes: { abandoned: 1 } });
  });

  it('is served after the last piece', () => {
    const custom = simulate('custom');
    const stream = open(custom);
    expect([...stream.pieces].length).toBeGreaterThan(WORDS.length);
    stream.abandon();
    expect(custom.counts).toEqual({ total: 1, served: 1, refused: 0, causes: {} });
  });

  it('keeps its fault as the outcome', () => {
    const custom = simulate('custom', undefined, { kind: 'stall', comments: true });
    open(custom).abandon();
    expect(custom.counts.causes).toEqual({ stall: 1 });
  });

  it('is removed by reset()', () => {
    const custom = simulate('custom');
    const { abandon } = open(custom);
    custom.reset();
    abandon();
    expect(custom.calls).toEqual([]);
  });
});
