/** `freelm models`: which models there are, and where. */

import type { ListedModel } from '../index.ts';
import { withPool } from './pool.ts';
import type { Shell } from './shell.ts';
import { table } from './table.ts';
import { count, json } from './text.ts';

/** What `freelm models` can be told. */
export interface ModelFlags {
  readonly json?: boolean;
  readonly refresh?: boolean;
  readonly free?: boolean;
}

function mentions({ id, provider, tags = [] }: ListedModel, filter: string): boolean {
  const wanted = filter.toLowerCase();
  return [id, provider, ...tags].some((text) => text.toLowerCase().includes(wanted));
}

function lines(list: readonly ListedModel[]): readonly string[] {
  return table(
    ['provider', 'model', 'context', 'tags'],
    list.map(({ provider, id, ctx, tags = [] }) => [
      provider,
      id,
      ctx === undefined ? '–' : String(ctx),
      tags.join(' '),
    ]),
  );
}

async function known(flags: ModelFlags, shell: Shell): Promise<readonly ListedModel[]> {
  if (flags.free === true) {
    const { listFreeModels } = await import('../index.ts');
    return listFreeModels();
  }
  return withPool(shell, {}, (llm) => llm.refreshModels({ force: flags.refresh ?? false }));
}

export async function models(filter: string | undefined, flags: ModelFlags, shell: Shell): Promise<void> {
  const all = await known(flags, shell);
  shell.signal.throwIfAborted();
  const chosen = filter === undefined ? all : all.filter((model) => mentions(model, filter));
  if (flags.json === true) {
    await shell.out.write(json(chosen, 2));
    return;
  }
  if (chosen.length > 0) await shell.out.write(`${lines(chosen).join('\n')}\n`);
  if (chosen.length === 0)
    await shell.err.write(`freelm: none of ${count(all.length, 'model')} matches "${filter ?? ''}".\n`);
}
