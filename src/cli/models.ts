/** `freelm models`: lists the models and their providers. */

import { unlessAborted } from '../abort.ts';
import type { FreeLLM, ListedModel } from '../index.ts';
import { type Library, type PoolOptions, withPool } from './pool.ts';
import type { Shell } from './shell.ts';
import { table, countText, json } from './text.ts';

export interface ModelFlags {
  readonly json?: boolean;
  readonly refresh?: boolean;
  readonly free?: boolean;
}

/** What a model is for: its tags, or its kind if it is no chat model. */
function usesOf({ kind = 'chat', tags = [] }: ListedModel): readonly string[] {
  return kind === 'chat' ? tags : [kind];
}

function matches(model: ListedModel, filter: string): boolean {
  const wanted = filter.toLowerCase();
  return [model.id, model.provider, ...usesOf(model)].some((text) => text.toLowerCase().includes(wanted));
}

function lines(list: readonly ListedModel[]): readonly string[] {
  return table(
    ['provider', 'model', 'context', 'tags'],
    list.map((model) => [
      model.provider,
      model.id,
      model.ctx === undefined ? '–' : String(model.ctx),
      usesOf(model).join(' '),
    ]),
  );
}

/** A pool of OpenRouter alone: its public list marks the free models and needs no key. */
function freePool({ FreeLLM, OpenRouter }: Library, options: PoolOptions, { env }: Shell): FreeLLM {
  const baseUrl = env['FREELM_OPENROUTER_BASE_URL'];
  const providers = [new OpenRouter('no-key-is-needed', { baseUrl })];
  return new FreeLLM({ ...options, providers }, { env });
}

function listModels({ free, refresh = false }: ModelFlags, shell: Shell): Promise<readonly ListedModel[]> {
  return withPool(
    shell,
    { verbose: true },
    (llm) => unlessAborted(llm.refreshModels({ force: refresh }), shell.signal),
    free === true ? (library, options) => freePool(library, options, shell) : undefined,
  );
}

export async function models(filter: string | undefined, flags: ModelFlags, shell: Shell): Promise<void> {
  const all = await listModels(flags, shell);
  const chosen = filter === undefined ? all : all.filter((model) => matches(model, filter));
  if (flags.json === true) {
    await shell.out.write(json(chosen, 2));
    return;
  }
  if (chosen.length > 0) await shell.out.write(`${lines(chosen).join('\n')}\n`);
  if (chosen.length === 0)
    await shell.err.write(`freelm: none of ${countText(all.length, 'model')} matches "${filter ?? ''}".\n`);
}
