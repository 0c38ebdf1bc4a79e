/** The bytes of all bodies together are bounded. */

import { describe, expect, it } from 'vitest';
import { BodyBudget, BodyLease } from '../../src/gateway/body-budget.ts';
import type { HttpError } from '../../src/http-error.ts';
import fc from '../support/fast-check.ts';

const MAX = 100;

function budget(): {
  readonly clock: { now: number };
  readonly whole: BodyBudget;
  readonly arriving: (bytes: number) => { readonly lease: BodyLease; readonly gaveWay: HttpError[] };
} {
  const clock = { now: 0 };
  const whole = new BodyBudget(MAX, () => clock.now);
  const arriving = (bytes: number): { readonly lease: BodyLease; readonly gaveWay: HttpError[] } => {
    const gaveWay: HttpError[] = [];
    const lease = new BodyLease(whole);
    lease.begin((error) => gaveWay.push(error));
    lease.grow(bytes);
    return { lease, gaveWay };
  };
  return { clock, whole, arriving };
}

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a budget of bytes', () => {
  it('counts bytes from their arrival until they are released', () => {
    const { whole, arriving } = budget();
    const { lease } = arriving(60);
    arriving(40);
    lease.complete();
    expect(whole.heldBytes).toBe(100);
    lease.release();
    lease.release();
    expect(whole.heldBytes).toBe(40);
  });

  it('counts a response, which is not refused, until it is released', () => {
    const { whole, arriving } = budget();
    const { lease } = arriving(60);
    lease.complete();
    lease.hold(300);
    expect(whole.heldBytes).toBe(360);
    expect(() => arriving(1)).toThrow('which is the most');
    lease.release();
    expect(whole.heldBytes).toBe(0);
  });

  it('refuses what has no room, with a status that invites a retry', () => {
    const { whole, arriving } = budget();
    arriving(100);
    const init = { status: 503, code: 'overloaded', retry: true, headers: { 'retry-after': '2' } };
    expect(thrownBy(() => arriving(1))).toMatchObject({ init });
    expect(whole.heldBytes).toBe(100);
  });

  it.each([
    ['a slow body gives way', 5000, false, [408], 1],
    ['a body that is not slow yet does not', 4999, false, [], undefined],
    ['a complete body does not', 60_000, true, [], undefined],
  ])('%s', (_what, ageMs, isComplete, statuses, held) => {
    const { clock, whole, arriving } = budget();
    const { lease, gaveWay } = arriving(100);
    if (isComplete) lease.complete();
    clock.now = ageMs;
    if (held === undefined) expect(() => arriving(1)).toThrow('which is the most');
    else arriving(1);
    expect(gaveWay.map(({ init }) => init.status)).toEqual(statuses);
    expect(whole.heldBytes).toBe(held ?? 100);
  });

  it('asks no more bodies to give way than needed, the oldest first', () => {
    const { clock, whole, arriving } = budget();
    const bodies = [arriving(40), arriving(40), arriving(20)];
    clock.now = 9000;
    arriving(41);
    expect(bodies.map(({ gaveWay }) => gaveWay.length)).toEqual([1, 1, 0]);
    expect(whole.heldBytes).toBe(61);
  });

  it('a slow body that needs room itself does not give way to itself', () => {
    const { clock, arriving } = budget();
    const { lease, gaveWay } = arriving(100);
    clock.now = 9000;
    expect(() => {
      lease.grow(1);
    }).toThrow('which is the most');
    expect(gaveWay).toEqual([]);
  });

  it('never holds more than its bound, and nothing once all are released', () => {
    const step = fc.record({
      body: fc.nat(9),
      kind: fc.constantFrom('grow', 'grow', 'grow', 'complete', 'release', 'wait'),
      bytes: fc.nat(MAX),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, whole, arriving } = budget();
        const bodies = Array.from({ length: 10 }, () => arriving(0).lease);
        for (const { body, kind, bytes } of steps) {
          if (kind === 'wait') clock.now += bytes * 100;
          try {
            if (kind === 'grow') bodies[body]?.grow(bytes);
          } catch {
            bodies[body]?.release();
          }
          if (kind === 'complete') bodies[body]?.complete();
          if (kind === 'release') bodies[body]?.release();
          expect(whole.heldBytes).toBeLessThanOrEqual(MAX);
          expect(whole.heldBytes).toBe(bodies.reduce((sum, one) => sum + one.bytes, 0));
        }
        for (const lease of bodies) lease.release();
        expect(whole.heldBytes).toBe(0);
      }),
    );
  });
});
