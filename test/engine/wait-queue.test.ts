import { describe, expect, it } from 'vitest';
import { type ChatResponse, NoProvidersAvailableError } from '../../src/index.ts';
import { memoryStore } from '../../src/adapters/memory-store.ts';
import {
  simulatedPool,
  type SimulatedPool,
  type SimulatedPoolOptions,
  DAY,
  HOUR,
  KEY,
  laterStore,
  MINUTE,
  NOON,
  SECOND,
} from '../support/simulated-pool.ts';

const PATIENT = { wait: true, maxWaitMs: DAY, timeoutMs: DAY };
/** A minute's quota of this pool is back a quarter of a second later than it could be: the margin for the road. */
const MARGIN = 250;

const stores: readonly (readonly [string, () => Partial<SimulatedPoolOptions>])[] = [
  ['in memory', () => ({})],
  ['that answers later', () => ({ store: laterStore(memoryStore(), () => Promise.resolve()) })],
];

/** The numbers of the calls, in the order of their requests. */
function order({ transport }: SimulatedPool): readonly number[] {
  return transport.sent.map(({ body }) => Number(/\d+/.exec(JSON.stringify(body['messages']))?.[0]));
}

const count = (length: number): readonly number[] => Array.from({ length }, (_, index) => index);

describe.each(stores)('1,000 waiting calls, with a store %s', (_, store) => {
  it('are served in the order of their arrival, without a refusal', async () => {
    const pool = simulatedPool({
      ...store(),
      nim: { rpm: 30 },
      openrouter: { rpd: 2000, limits: { rpd: 2000 } },
    });
    const answers = await pool.run(
      Promise.all(count(1000).map((number) => pool.llm.chat(`Call ${number}`, PATIENT))),
    );
    expect(answers).toHaveLength(1000);
    expect(order(pool)).toEqual(count(1000));
    expect(pool.world.counts.refused).toBe(0);
  });

  it('cost one refusal in total if another program has used up the minute', async () => {
    const pool = simulatedPool({ ...store(), openrouter: { rpd: 2000, limits: { rpd: 2000 } } });
    pool.elsewhere('openrouter', 'key-of-openrouter', 'cohere/north-mini-code:free', 20);
    const first = pool.llm.chat('Call 0', PATIENT);
    await pool.clock.advance(SECOND);
    const others = count(999).map((number) => pool.llm.chat(`Call ${number + 1}`, PATIENT));
    await pool.run(Promise.all([first, ...others]));
    expect(pool.requests()).toBe(1001);
    // The first call, refused, comes back when the minute is over; the line is behind it or before it, in order.
    expect(
      order(pool)
        .slice(1)
        .filter((number) => number > 0),
    ).toEqual(count(999).map((number) => number + 1));
  });

  it('share one timer while they wait', async () => {
    const pool = simulatedPool({ ...store(), nim: { rpm: 30 } });
    const calls = Promise.all(count(1000).map((number) => pool.llm.chat(`Call ${number}`, PATIENT)));
    for (let seconds = 0; seconds < 120; seconds += 10) {
      await pool.clock.advance(10 * SECOND);
      expect(pool.clock.pending).toBe(1);
    }
    await pool.run(calls);
    expect(pool.clock.pending).toBe(0);
  });
});

describe.each(stores)('a queue, with a store %s', (_, store) => {
  /** One request a minute, of which the first is under way. */
  const narrow = async (): Promise<SimulatedPool> => {
    const pool = simulatedPool({ ...store(), custom: { rpm: 1, limits: { rpm: 1 } } });
    await pool.run(pool.llm.chat('Call 0'));
    return pool;
  };

  it('is not overtaken, not even by a call that does not wait', async () => {
    const pool = await narrow();
    const waiting = count(3).map((number) => pool.llm.chat(`Call ${number + 1}`, PATIENT));
    const outcomes: unknown[] = [];
    for (const minute of [1, 2, 3, 4])
      pool.clock.after(minute * (MINUTE + MARGIN), () => {
        pool.llm.chat('Call 99').then(
          (answer) => outcomes.push(answer.text),
          (error: unknown) => outcomes.push(error),
        );
      });
    await pool.run(Promise.all(waiting));
    await pool.clock.advance(2 * MINUTE);
    expect(order(pool)).toEqual([0, 1, 2, 3, 99]);
    expect(outcomes.map((outcome) => outcome instanceof NoProvidersAvailableError)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('fails a call at once if it cannot be served in time, and says from when it could be', async () => {
    const pool = await narrow();
    const patient = pool.llm.chat('Call 1', PATIENT);
    await pool.clock.advance(SECOND);
    for (const limits of [{ maxWaitMs: 30 * SECOND }, { timeoutMs: 30 * SECOND }, { maxWaitMs: 0 }]) {
      const error = await pool.fails(pool.llm.chat('Call 2', { wait: true, timeoutMs: HOUR, ...limits }));
      expect(error).toBeInstanceOf(NoProvidersAvailableError);
      expect(error).toMatchObject({ readyAt: NOON + MINUTE + MARGIN, attempts: [] });
    }
    expect(pool.clock.now()).toBe(NOON + SECOND);
    await pool.run(patient);
    expect(order(pool)).toEqual([0, 1]);
  });

  it('fails a call as soon as it turns out that it cannot be served in time', async () => {
    const pool = await narrow();
    const first = pool.llm.chat('Call 1', PATIENT);
    const second = pool.llm.chat('Call 2', { ...PATIENT, maxWaitMs: 90 * SECOND });
    const third = pool.llm.chat('Call 3', PATIENT);
    expect(await pool.fails(second)).toMatchObject({ readyAt: NOON + 2 * (MINUTE + MARGIN) });
    expect(pool.clock.now()).toBe(NOON + MINUTE + MARGIN);
    await pool.run(Promise.all([first, third]));
    expect(pool.clock.now()).toBe(NOON + 2 * (MINUTE + MARGIN));
    expect(order(pool)).toEqual([0, 1, 3]);
  });

  it('closes the gap when a call leaves it', async () => {
    const pool = await narrow();
    const controllers = count(5).map(() => new AbortController());
    const calls = controllers.map(({ signal }, number) =>
      pool.llm.chat(`Call ${number + 1}`, { ...PATIENT, signal }),
    );
    const ends = Promise.allSettled(calls);
    await pool.clock.advance(SECOND);
    for (const gone of [0, 2, 3]) controllers[gone]?.abort(`no longer ${gone}`);
    await pool.clock.advance(0);
    expect(pool.clock.pending).toBe(1);
    const outcomes = await pool.run(ends);
    expect(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : 'served')),
    ).toEqual(['no longer 0', 'served', 'no longer 2', 'no longer 3', 'served']);
    expect(order(pool)).toEqual([0, 2, 5]);
  });

  it('lets a short call pass while a long one waits for the only model that fits it', async () => {
    const pool = simulatedPool({
      ...store(),
      strategy: 'priority',
      openrouter: { models: [{ id: 'm/small:free', context: 8192 }] },
      nim: { models: ['m/roomy'], rpm: 1, limits: { rpm: 1 } },
    });
    const long = 'Talk'.repeat(10_000);
    await pool.run(pool.llm.chat(long));
    const waiting = pool.llm.chat(long, PATIENT);
    await pool.clock.advance(SECOND);
    const short = await pool.run(pool.llm.chat('Hello', PATIENT));
    expect(short).toMatchObject({ provider: 'openrouter', latencyMs: 0 });
    expect(await pool.run(waiting)).toMatchObject({ provider: 'nim', latencyMs: MINUTE + MARGIN });
  });

  it('is not held up by a call that waits to retry the route that failed it', async () => {
    const pool = simulatedPool({
      ...store(),
      custom: { faults: [{ kind: 'server-error', times: 4 }] },
      maxAttempts: 20,
    });
    const failing = pool.llm.chat('Call 0', PATIENT);
    await pool.clock.advance(SECOND);
    pool.world.custom.clear();
    const answer = await pool.run(pool.llm.chat('Call 1', PATIENT));
    expect(answer).toMatchObject({ latencyMs: 0, attempts: [{ outcome: 'success' }] });
    await pool.run(failing);
  });
});

describe('a waiting call whose route failed', () => {
  it('returns to it after growing pauses until it is served', async () => {
    const pool = simulatedPool({ custom: { faults: [{ kind: 'empty', times: 2 }] } });
    const { attempts } = await pool.run(pool.llm.chat('Hello', PATIENT));
    expect(attempts.map(({ outcome, startedAt }) => [outcome, startedAt - NOON])).toEqual([
      ['server_error', 0],
      ['server_error', 0.5 * SECOND],
      ['success', 1.5 * SECOND],
    ]);
    expect(pool.events.filter(({ type }) => type === 'wait')).toHaveLength(2);
  });

  it('waits out the cooldown of a provider that is down', async () => {
    const pool = simulatedPool({
      custom: { faults: [{ kind: 'outage', until: NOON + 35 * SECOND }] },
      maxAttempts: 50,
    });
    const { attempts, latencyMs } = await pool.run(pool.llm.chat('Hello', PATIENT));
    expect(attempts.map(({ startedAt }) => (startedAt - NOON) / SECOND)).toEqual([0, 0.5, 1.5, 9.5, 39.5]);
    expect(latencyMs).toBe(39.5 * SECOND);
  });

  it('waits no longer than maxWaitMs in all', async () => {
    const pool = simulatedPool({ custom: { faults: [{ kind: 'outage' }] }, maxAttempts: 50 });
    const error = await pool.fails(
      pool.llm.chat('Hello', { wait: true, maxWaitMs: 10 * SECOND, timeoutMs: HOUR }),
    );
    expect(error).toBeInstanceOf(NoProvidersAvailableError);
    expect(pool.clock.now()).toBe(NOON + 9.5 * SECOND);
    expect(error).toMatchObject({ readyAt: NOON + 39.5 * SECOND });
  });

  it('waits no longer than maxWaitMs, even if the provider names a later moment', async () => {
    const faults = [{ kind: 'congested', retryAfterMs: 40 * SECOND }] as const;
    const pool = simulatedPool({ custom: { faults } });
    const error = await pool.fails(pool.llm.chat('Hello', { wait: true, maxWaitMs: 30 * SECOND }));
    expect(error).toBeInstanceOf(NoProvidersAvailableError);
    expect(error).toMatchObject({ readyAt: NOON + 40 * SECOND });
    expect(pool.clock.now()).toBe(NOON);
  });

  it('does not wait for a failure that does not pass', async () => {
    const pool = simulatedPool({ custom: { faults: [{ kind: 'retired' }] } });
    const error = await pool.fails(pool.llm.chat('Hello', { wait: true, timeoutMs: MINUTE }));
    expect(error).toMatchObject({ attempts: [{ outcome: 'model_gone' }] });
    expect(pool.clock.now()).toBe(NOON);
  });
});

describe('queues of different models', () => {
  it('are served as their own routes become ready', async () => {
    const pool = simulatedPool({
      google: { models: ['gemini-3.8-flash', 'gemini-3.5-flash-lite'] },
    });
    const ask = (model: string): Promise<ChatResponse> =>
      pool.llm.chat(`Call ${model}`, { ...PATIENT, model });
    const flash = count(10).map(() => ask('gemini-3.8-flash'));
    const lite = count(15).map(() => ask('gemini-3.5-flash-lite'));
    await pool.run(Promise.all(lite));
    expect(pool.clock.now()).toBe(NOON);
    await pool.run(Promise.all(flash));
    expect(pool.clock.now()).toBe(NOON + MINUTE + MARGIN);
    expect(pool.world.counts.refused).toBe(0);
  });

  it('a queue is woken as soon as a probe succeeds', async () => {
    const pool = simulatedPool({
      custom: { faults: [{ kind: 'outage', times: 3 }], latencyMs: 2 * SECOND },
      maxAttempts: 50,
    });
    await pool.trace(3, { maxAttempts: 1 });
    const calls = count(20).map((number) => pool.llm.chat(`Call ${number}`, PATIENT));
    await pool.run(Promise.all(calls));
    const moments = pool.transport.sent.slice(3).map(({ at }) => at - NOON);
    // One probe at the end of the pause of 8 s; its answer lets all the others go at once.
    expect(moments).toEqual([8 * SECOND, ...count(19).map(() => 10 * SECOND)]);
  });
});

describe('a queue that cannot be served', () => {
  it('asks a shared store for all calls as often as it says, however many calls come', async () => {
    const pool = simulatedPool({
      store: { ...memoryStore(), pollMs: SECOND },
      strategy: 'priority',
      openrouter: { models: [{ id: 'm/small:free', context: 8192 }], rpm: 1, limits: { rpm: 20 } },
      nim: { models: ['m/roomy'], rpm: 1, limits: { rpm: 1 } },
    });
    const long = 'Talk'.repeat(10_000);
    // The small model refuses it, so that the minute of both providers is spent.
    await pool.run(pool.llm.chat(long));
    const waiting = [pool.llm.chat(long, PATIENT)];
    const short = pool.llm.chat('Hello', PATIENT);
    await pool.clock.advance(SECOND);
    await pool.sibling().reset({ key: KEY.openrouter });
    for (let arrivals = 0; arrivals < 40; arrivals += 1) {
      waiting.push(pool.llm.chat(long, PATIENT));
      await pool.clock.advance(SECOND / 2);
    }
    expect((await pool.run(short)).latencyMs).toBeLessThan(5 * SECOND);
    await pool.run(Promise.all(waiting));
  });

  it('fails only the call whose strategy throws', async () => {
    let broken = false;
    const pool = simulatedPool({
      custom: { faults: [{ kind: 'reset', times: 1 }] },
      nim: { faults: [{ kind: 'reset', times: 1 }] },
      strategy: (scores) => {
        if (broken) throw new Error('no order');
        return scores;
      },
    });
    const call = pool.llm.chat('Hello');
    await pool.clock.advance(SECOND / 4);
    broken = true;
    expect(await pool.fails(call)).toMatchObject({
      code: 'config',
      message: expect.stringMatching(/^options\.strategy threw an error. Error: no order/) as unknown,
    });
    expect(pool.clock.pending).toBe(0);
  });

  it('accepts no call once the pool is closed, even while the store is read', async () => {
    const pool: SimulatedPool = simulatedPool({
      store: laterStore(memoryStore(), () => new Promise((resolve) => void pool.clock.after(1, resolve))),
      custom: { faults: [{ kind: 'reset' }] },
    });
    const call = pool.llm.chat('Hello').catch(String);
    await pool.run(
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (pool.events.some(({ type }) => type === 'attempt-end')) resolve();
          else pool.clock.after(0.5, look);
        };
        look();
      }),
    );
    await pool.llm.close();
    expect(await pool.run(call)).toContain('closed');
    expect(pool.requests()).toBe(1);
    expect(pool.clock.now() - NOON).toBeLessThan(SECOND / 4);
  });
});

describe.each(stores)('the event wait, with a store %s', (_, store) => {
  it('is emitted once by each call that waits, also behind others', async () => {
    const pool = simulatedPool({ ...store(), custom: { rpm: 1, limits: { rpm: 1 } } });
    await pool.run(pool.llm.chat('Call 0'));
    await pool.run(Promise.all([1, 2, 3].map((number) => pool.llm.chat(`Call ${number}`, PATIENT))));
    const waits = pool.events.filter((event) => event.type === 'wait');
    expect(new Set(waits.map(({ call }) => call)).size).toBe(3);
    expect(waits).toHaveLength(3);
  });
});
