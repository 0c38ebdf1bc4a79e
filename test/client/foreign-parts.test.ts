/** What users pass in may misbehave: strategies, listeners, signals, a `fetch`, a dispatcher. */

// oxlint-disable unicorn/no-thenable -- thenables are among what may misbehave

import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import {
  type ChatOptions,
  ConfigError,
  FreeLLM,
  FreeLLMError,
  type FreeLLMOptions,
  OpenAICompatible,
  type Strategy,
} from '../../src/index.ts';
import type { Ports } from '../../src/client/pool.ts';
import { VirtualClock } from '../../src/testing.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { rejection } from '../support/rejection.ts';
import { MINUTE, NOON, SECOND, simulatedPool, type SimulatedPoolOptions } from '../support/simulated-pool.ts';

const resume = (): void => {};
const never = new Promise<never>(() => {});

/** A function of another realm, whose promises, errors and lists are of other classes. */
function elsewhere(source: string): () => unknown {
  const made: unknown = runInContext(`(${source})`, createContext());
  if (typeof made !== 'function') throw new TypeError(`${source} is no function`);
  return () => {
    const result: unknown = Reflect.apply(made, undefined, []);
    return result;
  };
}

/** Options with a value of a type that they must not have. */
function withValue<Options extends object>(options: Options, name: string, value: unknown): Options {
  Reflect.set(options, name, value);
  return options;
}

/** What a process would die of. */
async function unhandledDuring(work: () => Promise<unknown>): Promise<readonly unknown[]> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  try {
    await work();
    await new Promise((resolve) => void setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', note);
  }
  return unhandled;
}

function throws(message: string): () => never {
  return () => {
    throw new Error(message);
  };
}

function cheapest(): void {}

/** Sorts the list that it was given. */
const inPlace: Strategy = (scores) => {
  Reflect.apply(Array.prototype.reverse, scores, []);
  return scores;
};

describe('a strategy', () => {
  const NONSENSE: readonly (readonly [what: string, strategy: () => unknown, says: RegExp])[] = [
    ['throws', throws('no order'), /^options\.strategy threw an error. Error: no order/],
    ['throws nothing', elsewhere('() => { throw undefined }'), /threw an error. undefined/],
    ['returns nothing', () => undefined, /^options\.strategy must return a list of the scores/],
    ['returns null', () => null, /must return a list/],
    ['returns a text', () => 'nim', /must return a list/],
    ['returns names', () => ['nim'], /must return a list/],
    ['returns others than it was given', () => [{ name: 'openai' }], /must return a list/],
    ['returns holes', () => [undefined], /must return a list/],
    ['returns a promise', () => Promise.resolve([]), /must return a list/],
    ['rejects', () => Promise.reject(new Error('later')), /must return a list/],
    ['has a name', cheapest, /^options\.strategy \(the function cheapest\) must return/],
  ];

  it.each(NONSENSE)('that %s is an error that names it', async (_what, strategy, says) => {
    const options: SimulatedPoolOptions = { nim: {}, custom: {} };
    const pool = simulatedPool(withValue(options, 'strategy', strategy));
    const unhandled = await unhandledDuring(async () => {
      const error = await pool.fails(pool.llm.chat('Hello'));
      expect(error).toBeInstanceOf(ConfigError);
      expect(error).toMatchObject({ message: expect.stringMatching(says) as unknown });
      expect(() => pool.llm.explain()).toThrow(says);
      expect(pool.llm.health()).toHaveLength(2);
    });
    expect(unhandled).toEqual([]);
    expect(pool.requests()).toBe(0);
    expect(pool.clock.pending).toBe(0);
  });

  it('may sort its list in place', async () => {
    const pool = simulatedPool({ nim: {}, custom: {}, strategy: inPlace });
    expect(await pool.trace(1)).toEqual([expect.stringContaining('key-of-custom')]);
  });
});

describe('a listener', () => {
  const LISTENERS: readonly (readonly [what: string, listener: unknown])[] = [
    ['throws', throws('no')],
    ['throws nothing', elsewhere('() => { throw null }')],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['of another realm throws', elsewhere("() => { throw new Error('no') }")],
    ['of another realm rejects', elsewhere("async () => { throw new Error('no') }")],
    [
      'rejects by a thenable',
      () => ({
        then: (_: unknown, no: (reason: Error) => void) => {
          no(new Error('no'));
        },
      }),
    ],
    ['returns a thenable that throws', () => ({ then: throws('no') })],
    [
      'returns what throws when it is looked at',
      () => Object.defineProperty({}, 'then', { get: throws('no') }),
    ],
    ['never settles', () => never],
  ];

  it.each(LISTENERS)('that %s affects no call', async (_what, listener) => {
    const options: SimulatedPoolOptions = { nim: {} };
    const pool = simulatedPool(withValue(options, 'onEvent', listener));
    const unhandled = await unhandledDuring(async () => {
      await pool.run(pool.llm.chat('Hello'));
      let text = '';
      const reading = (async (): Promise<void> => {
        for await (const part of pool.llm.stream('Hello')) text += part;
      })();
      await pool.run(reading);
      expect(text).not.toBe('');
    });
    expect(unhandled).toEqual([]);
  });
});

/** A signal as old polyfills made them: no reason, no throwIfAborted, listeners of its own. */
class OldSignal {
  aborted = false;
  readonly listeners = new Set<() => void>();

  addEventListener(_type: string, listener: () => void): void {
    this.listeners.add(listener);
  }

  removeEventListener(_type: string, listener: () => void): void {
    this.listeners.delete(listener);
  }

  abort(): void {
    this.aborted = true;
    for (const listener of this.listeners) listener();
  }
}

function withSignal(signal: unknown): ChatOptions {
  return withValue({}, 'signal', signal);
}

describe('a signal', () => {
  it.each([
    ['a text', 'abort'],
    ['a number', 7],
    ['null', null],
    ['a function', () => {}],
    ['an empty object', {}],
    ['a controller', new AbortController()],
    ['half a signal', { aborted: false, addEventListener: () => {} }],
    ['a signal that is not sure', withValue(new OldSignal(), 'aborted', 'no')],
    ['an emitter', new EventTarget()],
  ])('that is %s is a ConfigError', async (_what, signal) => {
    const pool = simulatedPool({ nim: {} });
    const error = await pool.fails(pool.llm.chat('Hello', withSignal(signal)));
    expect(error).toMatchObject({ code: 'config', message: 'options.signal: must be an AbortSignal.' });
    expect(() => pool.llm.stream('Hello', withSignal(signal))).toThrow(ConfigError);
    await expect(pool.llm.checkKeys(withSignal(signal))).rejects.toBeInstanceOf(ConfigError);
    expect(pool.requests()).toBe(0);
  });

  it('of a polyfill aborts calls, and gets one listener', async () => {
    const pool = simulatedPool({ nim: { faults: [{ kind: 'hang' }] } });
    const signal = new OldSignal();
    const calls = [1, 2, 3].map(() => rejection(pool.llm.chat('Hello', withSignal(signal))));
    await pool.clock.advance(0);
    expect(signal.listeners.size).toBe(1);
    signal.abort();
    expect(await Promise.all(calls)).toMatchObject([1, 2, 3].map(() => ({ name: 'AbortError' })));
    expect(pool.clock.pending).toBe(0);
    expect(await pool.fails(pool.llm.chat('Hello', withSignal(signal)))).toMatchObject({
      name: 'AbortError',
    });
    expect(pool.requests()).toBe(3);
  });

  it('of another realm aborts calls with its reason', async () => {
    const pool = simulatedPool({ nim: { faults: [{ kind: 'hang' }] } });
    const reason = { why: 'enough' };
    const controller = new AbortController();
    // It has the interface and none of our prototypes.
    const signal: unknown = {
      get aborted(): boolean {
        return controller.signal.aborted;
      },
      get reason(): unknown {
        const known: unknown = controller.signal.reason;
        return known;
      },
      addEventListener: (type: 'abort', run: () => void) => controller.signal.addEventListener(type, run),
      removeEventListener: (type: 'abort', run: () => void) =>
        controller.signal.removeEventListener(type, run),
    };
    const call = rejection(pool.llm.chat('Hello', withSignal(signal)));
    await pool.clock.advance(SECOND);
    controller.abort(reason);
    expect(await call).toBe(reason);
  });
});

interface OwnPool {
  readonly llm: FreeLLM;
  readonly clock: VirtualClock;
}

/** A pool over a transport of the user. */
function poolOver(options: object, replaced: Partial<Ports> = {}): OwnPool {
  const clock = new VirtualClock(NOON);
  const providers = [
    new OpenAICompatible('sk-of-mine-0123456789', {
      name: 'far',
      baseUrl: 'https://far.invalid/v1',
      models: ['m'],
    }),
  ];
  const all: FreeLLMOptions = { providers, timeoutMs: 20 * SECOND };
  for (const [name, value] of Object.entries(options)) withValue(all, name, value);
  return { llm: new FreeLLM(all, { clock, cache: memoryCache(), env: {}, ...replaced }), clock };
}

const ANSWER = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
});
const EVENT = 'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n';

/** A body that gives the same piece for ever, without pausing. */
async function* endless(piece: unknown): AsyncGenerator {
  for (;;) yield piece;
}

function bodyOf(next: () => unknown, more: object = {}): object {
  return { [Symbol.asyncIterator]: () => ({ next, ...more }) };
}

/** An answer as two texts. */
async function* halves(): AsyncGenerator<string> {
  yield ANSWER.slice(0, 20);
  yield ANSWER.slice(20);
}

const HEADERS = new Headers({ 'content-type': 'application/json' });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const odd = (more: object): object => ({ status: 200, headers: HEADERS, ...more });

/** What `fetch` does, instead of resolving with a Response. */
const ODD_FETCHES: readonly (readonly [what: string, fetch: () => unknown])[] = [
  ['returns nothing', () => undefined],
  ['resolves with null', () => Promise.resolve(null)],
  ['resolves with a text', () => Promise.resolve(ANSWER)],
  ['throws nothing', elsewhere('() => { throw undefined }')],
  ['rejects with nothing', elsewhere('() => Promise.reject()')],
  ['rejects with a text', elsewhere("() => Promise.reject('no')")],
  ['never settles', () => never],
  ['has a status that is no number', () => odd({ status: Number.NaN, body: bodyOf(() => ({ done: true })) })],
  ['has the status 0', () => odd({ status: 0, text: () => Promise.resolve('') })],
  ['has a status of 1e9', () => odd({ status: 1e9, text: () => Promise.resolve('') })],
  ['has no headers', () => ({ status: 200, text: () => Promise.resolve(ANSWER) })],
  ['has headers that throw', () => odd({ headers: { forEach: throws('no') }, text: () => never })],
  ['has no body and no text', () => odd({ body: null })],
  ['has a body that was read', () => odd({ bodyUsed: true, text: () => Promise.resolve(ANSWER) })],
  ['has an empty body', () => odd({ body: null, text: () => Promise.resolve('') })],
  ['has a text that never comes', () => odd({ body: null, text: () => never })],
  ['has a text that is an object', () => odd({ body: null, text: () => Promise.resolve({}) })],
  ['has a body of objects', () => odd({ body: endless({}) })],
  ['has a body of nothing', () => odd({ body: endless(undefined) })],
  ['has a body of empty pieces that never ends', () => odd({ body: endless(bytes('')) })],
  ['has a body of text that never ends', () => odd({ body: endless(' ') })],
  ['has a body that hangs', () => odd({ body: bodyOf(() => never) })],
  [
    'has a body that hangs when it is closed',
    () => odd({ body: bodyOf(() => never, { return: () => never }) }),
  ],
  ['has a body that throws', () => odd({ body: bodyOf(throws('no')) })],
  ['has a body that returns nothing', () => odd({ body: bodyOf(() => undefined) })],
  ['has a body without an iterator', () => odd({ body: { [Symbol.asyncIterator]: () => undefined } })],
  ['has a body that throws when it is begun', () => odd({ body: { [Symbol.asyncIterator]: throws('no') } })],
];

describe('a fetch', () => {
  it.each(ODD_FETCHES)('that %s fails the call in time, with an error of ours', async (_what, fetch) => {
    const { llm, clock } = poolOver({ fetch });
    const unhandled = await unhandledDuring(async () => {
      const error = await clock.run(llm.chat('Hello').catch((thrown: unknown) => thrown));
      expect(FreeLLMError.is(error)).toBe(true);
      expect(clock.monotonicMs()).toBeLessThanOrEqual(20 * SECOND);
      const stream = llm.stream('Hello', { timeoutMs: 20 * SECOND });
      expect(FreeLLMError.is(await clock.run(stream.response().catch((thrown: unknown) => thrown)))).toBe(
        true,
      );
      await clock.run(llm.close());
    });
    expect(unhandled).toEqual([]);
    expect(clock.pending).toBe(0);
    expect(clock.monotonicMs()).toBeLessThanOrEqual(41 * SECOND);
  });

  it('that answers in pieces of text, or with odd header values, is understood', async () => {
    const headers = { forEach: (run: (value: unknown, name: unknown) => void) => run(7, 'X-Odd') };
    const { llm, clock } = poolOver({ fetch: () => ({ status: 200, headers, body: halves() }) });
    expect((await clock.run(llm.chat('Hello'))).text).toBe('Hello');
  });

  const CLOSING: readonly (readonly [what: string, close: () => unknown])[] = [
    ['throws', throws('no')],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['hangs', () => never],
    ['returns nothing', () => undefined],
  ];

  it.each(CLOSING)('whose body %s when it is closed still answers', async (_what, close) => {
    const pieces = [
      EVENT,
      EVENT,
      'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    ];
    const fetch = (): object => {
      const left = pieces.map(bytes).values();
      return odd({ body: bodyOf(() => Promise.resolve(left.next()), { return: close }) });
    };
    const { llm, clock } = poolOver({ fetch });
    const unhandled = await unhandledDuring(async () => {
      expect((await clock.run(llm.stream('Hello').response())).text).toBe('xx');
      for await (const text of llm.stream('Hello')) {
        expect(text).toBe('x');
        break;
      }
    });
    expect(unhandled).toEqual([]);
  });

  it('with a stream that never ends nor pauses is bounded by timeoutMs', async () => {
    const { llm, clock } = poolOver({ fetch: () => odd({ body: endless(bytes(EVENT)) }) });
    let parts = 0;
    const reading = async (): Promise<void> => {
      for await (const text of llm.stream('Hello', { timeoutMs: SECOND })) parts += text.length;
    };
    const error = await clock.run(reading().catch((thrown: unknown) => thrown));
    expect(error).toMatchObject({ code: 'broken_stream' });
    expect(parts).toBeGreaterThan(0);
    expect(clock.monotonicMs()).toBe(SECOND);
  });
});

/** What a transport of the user's does with a request, whatever its signal says. */
const DEAF_TRANSPORTS: readonly (readonly [what: string, send: () => unknown])[] = [
  ['never answers', () => never],
  ['never sends a body', () => odd({ headers: {}, body: bodyOf(() => never) })],
  ['never ends its body', () => odd({ headers: {}, body: endless(bytes(': alive\n\n')) })],
  ['hangs in return()', () => odd({ headers: {}, body: bodyOf(() => never, { return: () => never }) })],
  ['throws', throws('no')],
  ['rejects with nothing', elsewhere('() => Promise.reject()')],
  ['resolves with nothing', () => Promise.resolve()],
  ['has no body', () => odd({ headers: {} })],
];

/** What comes after a call has given up on it. */
interface Late {
  readonly answer: (value: unknown) => void;
  readonly sent: Promise<unknown>;
  readonly closed: () => boolean;
  readonly body: object;
}

function late(): Late {
  let answer: (value: unknown) => void = resume;
  const sent = new Promise((resolve) => {
    answer = resolve;
  });
  let isClosed = false;
  const close = (): Promise<object> => {
    isClosed = true;
    return Promise.resolve({ done: true });
  };
  return { answer, sent, closed: () => isClosed, body: bodyOf(() => never, { return: close }) };
}

function transportOf(send: () => unknown): Partial<Ports> {
  return withValue({}, 'transport', { send, close: () => Promise.resolve() });
}

/** Pools over a part of the user's that answers with `sent`. */
const SENDERS: readonly (readonly [string, (sent: Promise<unknown>) => ReturnType<typeof poolOver>])[] = [
  [
    'a transport',
    (sent) =>
      poolOver(
        {},
        transportOf(() => sent),
      ),
  ],
  ['a fetch', (sent) => poolOver({ fetch: () => sent })],
];

describe('a transport', () => {
  it.each(DEAF_TRANSPORTS)('that %s fails the call in time, and its abort at once', async (_what, send) => {
    const { llm, clock } = poolOver({}, transportOf(send));
    const unhandled = await unhandledDuring(async () => {
      for (const call of [() => llm.chat('Hello'), () => llm.stream('Hello').response()])
        expect(FreeLLMError.is(await clock.run(rejection(call())))).toBe(true);
      expect(clock.monotonicMs()).toBeLessThanOrEqual(40 * SECOND);
      const reason = new Error('enough');
      const controller = new AbortController();
      const calls = [
        llm.chat('Hello', { signal: controller.signal }),
        llm.stream('Hello', { signal: controller.signal }).response(),
      ].map(rejection);
      const begunMs = clock.monotonicMs();
      await clock.advance(0);
      controller.abort(reason);
      for (const error of await Promise.all(calls))
        expect(error === reason || FreeLLMError.is(error)).toBe(true);
      expect(clock.monotonicMs()).toBe(begunMs);
      await llm.close();
    });
    expect(unhandled).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('that never closes does not keep the pool open', async () => {
    const hanging = { send: () => never, close: () => never };
    const { llm, clock } = poolOver({}, withValue({}, 'transport', hanging));
    await clock.run(llm.close());
    expect(clock.monotonicMs()).toBe(SECOND);
    expect(clock.pending).toBe(0);
  });

  it('that closes leaves no timer behind, and its error is the one of close()', async () => {
    const broken = new Error('no');
    for (const [close, error] of [
      [() => Promise.resolve(), undefined],
      [() => Promise.reject(broken), broken],
      [() => undefined, undefined],
      [
        () => {
          throw broken;
        },
        broken,
      ],
    ] as const) {
      const { llm, clock } = poolOver({}, withValue({}, 'transport', { send: () => undefined, close }));
      const closed = llm.close().catch((reason: unknown) => reason);
      expect(await closed).toBe(error);
      expect(clock.pending).toBe(0);
    }
  });

  it.each(SENDERS)('%s that answers after the abort has its body closed', async (_what, poolFor) => {
    const { answer, sent, closed, body } = late();
    const { llm, clock } = poolFor(sent);
    const unhandled = await unhandledDuring(async () => {
      const controller = new AbortController();
      const call = rejection(llm.chat('Hello', { signal: controller.signal }));
      await clock.advance(0);
      controller.abort('enough');
      expect(await call).toBe('enough');
      expect(closed()).toBe(false);
      answer(odd({ body }));
      await clock.advance(0);
      expect(closed()).toBe(true);
    });
    expect(unhandled).toEqual([]);
  });

  it.each(SENDERS)('%s that rejects after the abort is dropped', async (_what, poolFor) => {
    const { answer, sent } = late();
    const { llm, clock } = poolFor(sent);
    const unhandled = await unhandledDuring(async () => {
      const controller = new AbortController();
      const call = rejection(llm.chat('Hello', { signal: controller.signal }));
      await clock.advance(0);
      controller.abort('enough');
      expect(await call).toBe('enough');
      answer(Promise.reject(new Error('too late')));
      await clock.advance(0);
    });
    expect(unhandled).toEqual([]);
  });
});

/** The part of undici's handler that a dispatcher calls. */
interface Handler {
  onConnect(abort: () => void): void;
  onHeaders(status: number, headers: readonly Buffer[], resume: () => void, text: string): boolean;
  onData(chunk: Buffer): boolean;
  onComplete(trailers: readonly Buffer[]): void;
  onError(error: unknown): void;
}

/** What a dispatcher does with a request, instead of sending it. */
const ODD_DISPATCHERS: readonly (readonly [what: string, dispatch: (handler: Handler) => unknown])[] = [
  ['does nothing', () => true],
  ['throws', throws('no')],
  ['returns nonsense', () => 'later'],
  ['only connects', (handler) => handler.onConnect(resume)],
  ['fails with nothing', (handler) => handler.onError(undefined)],
  [
    'answers without a body that ends',
    (handler) => {
      handler.onConnect(resume);
      handler.onHeaders(200, [], resume, 'OK');
    },
  ],
  [
    'answers with half a body',
    (handler) => {
      handler.onConnect(resume);
      handler.onHeaders(200, [], resume, 'OK');
      handler.onData(Buffer.from(ANSWER.slice(0, 20)));
    },
  ],
  [
    'answers with an empty body',
    (handler) => {
      handler.onConnect(resume);
      handler.onHeaders(200, [], resume, 'OK');
      handler.onComplete([]);
    },
  ],
  [
    'answers with a status that is no number',
    (handler) => {
      handler.onConnect(resume);
      handler.onHeaders(Number.NaN, [], resume, '');
      handler.onComplete([]);
    },
  ],
];

describe('a dispatcher', () => {
  it.each(ODD_DISPATCHERS)(
    'that %s fails the call in time, with an error of ours',
    async (_what, dispatch) => {
      const dispatcher = { dispatch: (_options: object, handler: Handler) => dispatch(handler) };
      const { llm, clock } = poolOver({ dispatcher });
      // undici is loaded with the first request.
      await import('undici');
      const unhandled = await unhandledDuring(async () => {
        const call = llm.chat('Hello').catch((thrown: unknown) => thrown);
        for (let turn = 0; turn < 20; turn += 1) await clock.advance(0);
        expect(FreeLLMError.is(await clock.run(call))).toBe(true);
        await llm.close();
      });
      expect(unhandled).toEqual([]);
      expect(clock.monotonicMs()).toBeLessThanOrEqual(MINUTE);
      expect(clock.pending).toBe(0);
    },
  );
});
