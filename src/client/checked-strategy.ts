import type { ProviderScore, Strategy } from '../core/routing/question.ts';
import { ConfigError } from '../errors.ts';

function nameOf(strategy: Strategy): string {
  return strategy.name === '' || strategy.name === 'strategy'
    ? 'options.strategy'
    : `options.strategy (the function ${strategy.name})`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** The scores that a strategy returned, without those that it was not given. */
function knownAmong(
  scores: readonly ProviderScore[],
  returned: unknown,
): readonly ProviderScore[] | undefined {
  if (!Array.isArray(returned)) return undefined;
  const items: readonly unknown[] = returned;
  const names = items.map((item): unknown =>
    typeof item === 'object' && item !== null ? Reflect.get(item, 'name') : undefined,
  );
  const known = names.map((name) => scores.find((score) => score.name === name));
  return known.every((score) => score !== undefined) ? known : undefined;
}

/**
 * Wraps a strategy of the user. Its errors and invalid results become an error that names it.
 * @throws ConfigError if the strategy throws, or returns anything other than an order of the given scores.
 */
export function checkedStrategy(strategy: Strategy): Strategy {
  return (scores, turn) => {
    let order: readonly ProviderScore[] | undefined;
    try {
      // The strategy may sort its list in place.
      const returned: unknown = strategy([...scores], turn);
      order = knownAmong(scores, returned);
      // An async function is not a strategy. Its rejection must not become an unhandled one.
      if (returned instanceof Promise) returned.catch(() => undefined);
    } catch (error) {
      throw new ConfigError(`${nameOf(strategy)} threw an error. ${messageOf(error)}`);
    }
    if (order === undefined)
      throw new ConfigError(
        `${nameOf(strategy)} must return a list of the scores that it was given, best first. Return scores.toSorted(…), for example.`,
      );
    return order;
  };
}
