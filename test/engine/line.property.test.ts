import { describe, expect, it } from 'vitest';
import { Line, type Waiting } from '../../src/engine/line.ts';
import fc from '../support/fast-check.ts';

type Step =
  | { readonly do: 'add'; readonly size: number; readonly waitUntil: number; readonly pauses: boolean }
  | { readonly do: 'delete' | 'pause'; readonly which: number }
  | {
      readonly do: 'next';
      readonly after: number;
      readonly now: number;
      readonly size: number;
      readonly until: number;
    };

const value = fc.nat(20);
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('add' as const),
        size: value,
        waitUntil: value,
        pauses: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constantFrom('delete' as const, 'pause' as const), which: fc.nat() }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('next' as const),
        after: fc.nat(150),
        now: value,
        size: value,
        until: value,
      }),
    },
  ),
  { minLength: 50, maxLength: 300, size: 'max' },
);

describe('a line', () => {
  it('finds the same calls as a look at each one', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const line = new Line<Waiting & { waitUntil: number; pauses: boolean }>();
        let calls: (Waiting & { waitUntil: number; pauses: boolean })[] = [];
        let order = 0;
        for (const step of history) {
          const call = 'which' in step ? calls[step.which % Math.max(1, calls.length)] : undefined;
          if (step.do === 'add') {
            order += 1;
            const { size, waitUntil, pauses } = step;
            const added = { order, size, waitUntil, pauses };
            calls.push(added);
            line.add(added);
          } else if (step.do === 'next') {
            const { after, now, size, until } = step;
            const expected = calls.find(
              (one) =>
                one.order > after &&
                (one.waitUntil <= now || (!one.pauses && (one.size < size || one.waitUntil < until))),
            );
            expect(line.next(after, now, { size, until })).toBe(expected);
          } else if (call !== undefined && step.do === 'pause') {
            call.waitUntil += 3;
            call.pauses = true;
            line.change(call);
          } else if (call !== undefined) {
            calls = calls.filter((one) => one !== call);
            line.delete(call);
          }
          expect(line.size).toBe(calls.length);
          expect(line.dueAt).toBe(Math.min(...calls.map(({ waitUntil }) => waitUntil)));
          expect([...line.calls()]).toEqual(calls);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('asks for each call that does not pause if nothing is blocked', () => {
    const line = new Line<Waiting>();
    for (const order of [1, 2, 3]) line.add({ order, size: 1, waitUntil: 10, pauses: order === 2 });
    expect([line.next(0, 0)?.order, line.next(1, 0)?.order, line.next(3, 0)]).toEqual([1, 3, undefined]);
  });
});
