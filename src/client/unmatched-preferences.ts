import type { ModelSpec } from '../core/model.ts';
import type { Provider } from '../providers/provider.ts';
import { suggestions } from '../suggest.ts';

/**
 * Makes a function that warns once about each id of a provider's option `prefer` that its list does not have. Such an id
 * changes nothing, and is mostly a typing mistake.
 */
export function unmatchedPreferences(
  warn: (message: string) => void,
): (provider: Provider, models: readonly ModelSpec[]) => void {
  const told = new Set<string>();
  return ({ name, spec, options: { prefer = [] } }, models) => {
    const ids = models.map(({ id }) => id);
    for (const id of prefer) {
      if (ids.includes(id) || told.has(`${name} ${id}`)) continue;
      told.add(`${name} ${id}`);
      warn(
        `The option prefer of ${spec.title} names "${id}", which is not among its models.${suggestions([id], ids)}`,
      );
    }
  };
}
