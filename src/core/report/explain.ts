/** A dry run: every route in the order in which a call would try it. Changes nothing. spec 12.7 */

import type { FailedAttempt, Question } from '../routing/question.ts';
import { routeStatuses, type RouteStatus } from './routes.ts';
import { withKnownLength } from '../routing/fitness.ts';
import { plan } from '../routing/plan.ts';
import type { Route } from '../pool.ts';

/** More attempts than any call makes. */
const MAX_STEPS = 200;

function idOf({ provider, account, model }: Route): string {
  return JSON.stringify([provider, account, model]);
}

/** Every route of a call, once each, in the order of its stages. */
export function routesOf(asked: Question): readonly RouteStatus[] {
  const question = withKnownLength(asked);
  const seen = new Set<string>();
  return question.stages.flat().flatMap(({ provider, models }) => {
    const unseen = models.filter(({ id }) => {
      const name = JSON.stringify([provider.name, id]);
      const isNew = !seen.has(name);
      seen.add(name);
      return isNew;
    });
    return routeStatuses(question.records, { provider, models: unseen }, question.now, question.needs);
  });
}

/** The ready routes in the order in which a call would try them if each failed. */
function readyInOrder(question: Question, routes: readonly RouteStatus[]): readonly RouteStatus[] {
  const left = new Map<string, RouteStatus[]>();
  for (const route of routes) {
    if (!route.ready) continue;
    const id = idOf(route);
    const keys = left.get(id);
    if (keys === undefined) left.set(id, [route]);
    else keys.push(route);
  }
  const ordered: RouteStatus[] = [];
  const failedAttempts: FailedAttempt[] = [...question.failedAttempts];
  for (let step = 0; left.size > 0 && step < MAX_STEPS; step += 1) {
    const decision = plan({
      ...question,
      failedAttempts,
      maxAttempts: Number.POSITIVE_INFINITY,
      waitUntil: 0,
    });
    if (decision.kind !== 'attempt') break;
    const { route } = decision.target;
    const keys = left.get(idOf(route)) ?? [];
    left.delete(idOf(route));
    ordered.push(
      ...keys.toSorted((a, b) => Number(b.keyId === route.keyId) - Number(a.keyId === route.keyId)),
    );
    const failure = { kind: 'rate_limited', scope: 'account-model', message: '' } as const;
    failedAttempts.push({ route, failure, excludedUntil: Number.POSITIVE_INFINITY });
  }
  return ordered;
}

/** The ready routes in the order in which the call would try them, then the others by the moment at which they are ready. */
export function explain(question: Question): readonly RouteStatus[] {
  const routes = routesOf(question);
  const ordered = readyInOrder(question, routes);
  const listed = new Set(ordered);
  const rest = routes.filter((route) => !listed.has(route));
  return [...ordered, ...rest.toSorted((a, b) => (a.readyAt ?? Infinity) - (b.readyAt ?? Infinity))];
}
