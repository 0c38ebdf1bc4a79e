import { describe, expect, it, onTestFinished } from 'vitest';
import { type Status, StatusBoard, type StatusSource } from '../../src/gateway/status.ts';
import { type Capacity, type FreeLLMEvent, VERSION } from '../../src/index.ts';
import { textLike } from '../client/support.ts';
import {
  type SimulatedPool,
  simulatedPool,
  type SimulatedPoolOptions,
  MINUTE,
  MODEL,
  NOON,
  SECOND,
} from '../support/simulated-pool.ts';

/** A pool with a status board. */
function watched(
  options: SimulatedPoolOptions,
  calls?: number,
): SimulatedPool & { readonly board: StatusBoard } {
  const pool = simulatedPool(options);
  const board = new StatusBoard(pool.llm, { nowMs: () => 0, calls });
  onTestFinished(() => {
    board.close();
  });
  return { ...pool, board };
}

/** A pool whose events the test sends. */
function source(): { readonly pool: StatusSource; readonly tell: (event: FreeLLMEvent) => void } {
  const listeners = new Set<(event: FreeLLMEvent) => void>();
  const capacity: Capacity = {
    requestsNow: 0,
    requestsToday: 0,
    nextAt: undefined,
    quotas: [],
    limits: [],
    at: NOON,
  };
  return {
    pool: {
      health: () => [],
      explain: () => [],
      capacity: () => capacity,
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    tell(event) {
      for (const listener of listeners) listener(event);
    },
  };
}

/** A board over a pool whose events the test sends. */
function told(
  calls?: number,
  nowMs: () => number = () => 0,
): { readonly board: StatusBoard; readonly tell: (event: FreeLLMEvent) => void } {
  const { pool, tell } = source();
  return { board: new StatusBoard(pool, { nowMs, calls }), tell };
}

const route = { provider: 'nim', key: 'nvapi-…aaaa', account: 'a', model: 'm' };
const attempt = (call: number, at = NOON): FreeLLMEvent => ({
  type: 'attempt-start',
  call,
  attempt: 1,
  at,
  ...route,
});
const end = (call: number): FreeLLMEvent => ({
  type: 'call-end',
  call,
  outcome: 'success',
  attempts: 1,
  startedAt: NOON,
  at: NOON,
});
const idsOf = ({ calls }: Status): string[] => calls.map(({ id }) => id);

describe('keys', () => {
  it('are the rows of health() at the same moment', () => {
    const { board, llm } = watched({ openrouter: { accounts: [['one'], ['two']] }, nim: {} });
    const status = board.status();
    expect(status).toMatchObject({ version: VERSION, at: NOON });
    expect(status.keys).toMatchObject(llm.health());
    const { requestsNow, requestsToday, nextAt } = llm.capacity();
    expect(status.capacity).toEqual({ requestsNow, requestsToday, nextAt });
  });

  it('show when each quota resets', async () => {
    const { board, run, llm } = watched({ openrouter: {} });
    await run(llm.text('Hello'));
    const [key] = board.status().keys;
    // OpenRouter counts by the clock's minute and by the day in UTC.
    expect(key?.minute).toMatchObject({ used: 1, limit: 20, window: 'minute', model: undefined });
    expect((key?.minute?.returnsAt ?? 0) - NOON).toBeLessThan(MINUTE + SECOND);
    expect(key?.day).toMatchObject({ used: 1, limit: 50, window: 'day' });
    expect((key?.day?.returnsAt ?? 0) - NOON).toBeGreaterThanOrEqual(12 * 60 * MINUTE);
    expect(key?.spent).toEqual([key?.minute, key?.day]);
  });

  it('name the model of the fullest quota if each model has its own', async () => {
    const { board, run, llm } = watched({ google: { models: [MODEL.google, 'gemma-4-31b-it'] } });
    await run(llm.text('Hello', { model: 'gemma-4-31b-it' }));
    const [key] = board.status().keys;
    expect(key?.minute).toMatchObject({ used: 1, model: 'gemma-4-31b-it' });
    // Requests per minute, requests per day, and tokens.
    expect(key?.spent.map(({ model }) => model)).toEqual(Array<string>(3).fill('gemma-4-31b-it'));
  });

  it('show how many keys share an account', () => {
    const { board } = watched({ nim: { accounts: [['one', 'two'], ['three']] } });
    expect(board.status().keys.map(({ sharedBy }) => sharedBy)).toEqual([2, 2, 1]);
  });
});

describe('calls', () => {
  it('come with their attempts, newest call first', async () => {
    const pool = watched({
      openrouter: { faults: [{ kind: 'outage', times: 1 }] },
      nim: {},
      strategy: 'priority',
    });
    await pool.run(pool.llm.text('Hello'));
    await pool.run(pool.llm.text('Hello again', { model: ['auto', 'chat'] }));
    const { calls, totals } = pool.board.status();
    expect(calls).toMatchObject([
      { state: 'success', model: 'auto, chat', attemptCount: 1 },
      {
        state: 'success',
        startedAt: NOON,
        attempts: [
          { provider: 'openrouter', outcome: 'server_error', status: 502, startedAt: NOON },
          { provider: 'nim', outcome: 'success', model: MODEL.nim },
        ],
      },
    ]);
    expect(totals).toEqual({ success: 2, failure: 0, aborted: 0, attempts: 3, refused: 0 });
  });

  it('that failed show the reason', async () => {
    const pool = watched({ nim: { rpm: 1 } });
    await pool.run(pool.llm.text('Hello'));
    await pool.fails(pool.llm.text('Hello'));
    const { calls, totals } = pool.board.status();
    expect(calls[0]).toMatchObject({
      state: 'failure',
      code: 'no_providers_available',
      message: textLike("this minute's quota is used up"),
      attempts: [],
    });
    expect(totals).toMatchObject({ success: 1, failure: 1 });
  });

  it('show their progress while they run', async () => {
    const pool = watched({
      nim: { rpm: 1, latencyMs: SECOND },
      wait: true,
      maxWaitMs: 2 * MINUTE,
      timeoutMs: 3 * MINUTE,
    });
    const first = pool.llm.text('Hello');
    const second = pool.llm.text('Hello');
    await pool.clock.advance(SECOND / 2);
    expect(pool.board.status().calls).toMatchObject([
      { state: 'waiting', attempts: [] },
      { state: 'running', attempts: [{ outcome: 'running', startedAt: NOON }] },
    ]);
    expect(pool.board.status().calls[0]?.waitsUntil).toBeGreaterThanOrEqual(NOON + MINUTE);
    await pool.run(Promise.all([first, second]));
    const { calls } = pool.board.status();
    expect(calls).toMatchObject([{ state: 'success' }, { state: 'success' }]);
    expect(calls.map(({ waitsUntil }) => waitsUntil)).toEqual([undefined, undefined]);
  });

  it('are aborted with their caller, even while they wait', async () => {
    const pool = watched({ nim: { rpm: 1 }, wait: true, maxWaitMs: 2 * MINUTE, timeoutMs: 3 * MINUTE });
    await pool.run(pool.llm.text('Hello'));
    const controller = new AbortController();
    pool.clock.after(SECOND, () => {
      controller.abort();
    });
    await pool.fails(pool.llm.text('Hello', { signal: controller.signal }));
    const { calls, totals } = pool.board.status();
    expect(calls[0]).toMatchObject({ state: 'aborted', startedAt: NOON, endedAt: NOON + SECOND });
    expect(totals).toMatchObject({ aborted: 1 });
  });
});

describe('the log', () => {
  it('keeps the last calls, and drops ended ones before running ones', () => {
    const { board, tell } = told(3);
    tell(attempt(1));
    for (const call of [2, 3, 4, 5]) {
      tell(attempt(call));
      tell(end(call));
    }
    expect(idsOf(board.status())).toEqual(['call-5', 'call-4', 'call-1']);
    for (const call of [6, 7, 8]) tell(attempt(call));
    expect(idsOf(board.status())).toEqual(['call-8', 'call-7', 'call-6']);
    expect(board.status().totals).toMatchObject({ success: 4, attempts: 8 });
  });

  it('keeps the last attempts of a call that made many', () => {
    const { board, tell } = told();
    for (let made = 0; made < 100; made += 1) tell(attempt(1, NOON + made));
    const [call] = board.status().calls;
    expect(call?.attemptCount).toBe(100);
    expect(call?.attempts.length).toBeLessThan(100);
    expect(call?.attempts.at(-1)).toMatchObject({ startedAt: NOON + 99 });
  });

  it('shortens long messages, and keeps each warning once', () => {
    const { board, tell } = told();
    tell(attempt(1));
    const message = 'x'.repeat(100_000);
    tell({
      type: 'attempt-end',
      call: 1,
      attempt: 1,
      ...route,
      outcome: 'server_error',
      startedAt: NOON,
      latencyMs: 1,
      message,
    });
    for (let turn = 0; turn < 50; turn += 1) tell({ type: 'warning', message: `warning ${turn % 20}` });
    const status = board.status();
    expect(JSON.stringify(status).length).toBeLessThan(4000);
    expect(status.warnings.at(-1)).toBe('warning 9');
    expect(new Set(status.warnings).size).toBe(status.warnings.length);
  });

  it('contains no prompt, no answer and no key', async () => {
    const key = 'sk-or-v1-a-key-that-nobody-may-see';
    const pool = watched({
      openrouter: { accounts: [[key]], faults: [{ kind: 'echo-key', times: 1 }] },
      reply: () => 'the secret answer',
    });
    await pool.fails(pool.llm.text('the secret question'));
    await pool.fails(pool.llm.text('the secret question'));
    const text = JSON.stringify(pool.board.status());
    expect(text).toContain('unauthorized');
    expect(text).not.toContain(key);
    expect(text).not.toContain('secret');
  });

  it('shows refused requests among the calls, by the clock of the pool', () => {
    let ms = 5000;
    const { board, tell } = told(undefined, () => ms);
    board.refuse({ status: 400, code: 'bad_request', message: 'x'.repeat(2000) });
    ms += 7000;
    board.refuse({ status: 429, code: undefined, message: '' });
    tell(attempt(1, NOON + 8000));
    const { calls, totals } = board.status();
    expect(calls.map(({ state, status, startedAt }) => [state, status, startedAt - NOON])).toEqual([
      ['running', undefined, 8000],
      ['refused', 429, 7000],
      ['refused', 400, 0],
    ]);
    expect(calls[2]?.message).toHaveLength(1001);
    expect(totals).toMatchObject({ refused: 2, failure: 0 });
  });

  it('follows another pool, and the calls of the earlier one until they have ended', () => {
    const { board, tell } = told();
    const next = source();
    tell(attempt(1));
    const stop = board.follow(next.pool);
    next.tell(attempt(2));
    tell(end(1));
    stop();
    tell(attempt(3));
    next.tell(end(2));
    const { calls } = board.status();
    expect(calls.map(({ id, state }) => [id, state])).toEqual([
      ['call-2', 'success'],
      ['call-1', 'success'],
    ]);
  });

  it('ignores events after the board is closed', () => {
    const { board, tell } = told();
    board.close();
    tell(attempt(1));
    expect(idsOf(board.status())).toEqual([]);
  });
});
