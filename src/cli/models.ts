/** `freelm models`: which models there are, and where. */

import { unlessAborted } from '../abort.ts';
import type { FreeLLM, ListedModel } from '../index.ts';
import { type Library, type PoolOptions, withPool } from './pool.ts';
import type { Shell } from './shell.ts';
import { table, count, json } from './text.ts';

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

/** A pool of the one provider whose list tells what is free and anybody may read. */
function freePool({ FreeLLM, OpenRouter }: Library, options: PoolOptions, { env }: Shell): FreeLLM {
  const baseUrl = env['FREELM_OPENROUTER_BASE_URL'];
  const providers = [new OpenRouter('no-key-is-needed', { baseUrl })];
  return new FreeLLM({ ...options, providers }, { env });
}

function known({ free, refresh = false }: ModelFlags, shell: Shell): Promise<readonly ListedModel[]> {
  return withPool(
    shell,
    { verbose: true },
    (llm) => unlessAborted(llm.refreshModels({ force: refresh }), shell.signal),
    free === true ? (library, options) => freePool(library, options, shell) : undefined,
  );
}

export async function models(filter: string | undefined, flags: ModelFlags, shell: Shell): Promise<void> {
  const all = await known(flags, shell);
  const chosen = filter === undefined ? all : all.filter((model) => mentions(model, filter));
  if (flags.json === true) {
    await shell.out.write(json(chosen, 2));
    return;
  }
  if (chosen.length > 0) await shell.out.write(`${lines(chosen).join('\n')}\n`);
  if (chosen.length === 0)
    await shell.err.write(`freelm: none of ${count(all.length, 'model')} matches "${filter ?? ''}".\n`);
}
