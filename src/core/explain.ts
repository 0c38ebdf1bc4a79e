/** A dry run: every route in the order in which a call would try it. Changes nothing. */

import type { Tried } from './exclusion.ts';
import { routeStatuses, type RouteStatus } from './health.ts';
import { informed } from './fitness.ts';
import { plan, type Question } from './plan.ts';

/** Far more than any call tries. */
const MAX_STEPS = 200;

function idOf({ provider, account, model }: { provider: string; account: string; model: string }): string {
  return JSON.stringify([provider, account, model]);
}

/** The ready routes as the call would try them if each failed, then the others as they become ready. */
export function explain(asked: Question): readonly RouteStatus[] {
  const question = informed(asked);
  const seen = new Map<string, RouteStatus[]>();
  for (const candidate of question.stages.flat()) {
    for (const status of routeStatuses(question, candidate, question.needs)) {
      const rows = seen.get(idOf(status)) ?? [];
      if (!rows.some((row) => row.keyId === status.keyId)) rows.push(status);
      seen.set(idOf(status), rows);
    }
  }
  const ordered: RouteStatus[] = [];
  const tries: Tried[] = [...question.tries];
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const decision = plan({ ...question, tries, maxAttempts: Number.POSITIVE_INFINITY, waitUntil: 0 });
    if (decision.kind !== 'attempt') break;
    const { route } = decision.pick;
    const rows = seen.get(idOf(route)) ?? [];
    const ready = rows.filter((row) => row.ready);
    seen.set(
      idOf(route),
      rows.filter((row) => !row.ready),
    );
    ordered.push(
      ...ready.toSorted((a, b) => Number(b.keyId === route.keyId) - Number(a.keyId === route.keyId)),
    );
    const failure = { kind: 'rate_limited', scope: 'account-model', message: '' } as const;
    tries.push({ route, failure, excludedUntil: Number.POSITIVE_INFINITY });
  }
  const rest = [...seen.values()].flat();
  return [...ordered, ...rest.toSorted((a, b) => (a.readyAt ?? Infinity) - (b.readyAt ?? Infinity))];
}
