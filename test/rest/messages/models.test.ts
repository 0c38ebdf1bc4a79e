/** The list of models for clients of the Messages API. */

import Anthropic from '@anthropic-ai/sdk';
import { expect, it } from 'vitest';
import { scripted } from '../support.ts';

const OFFERED = [
  { id: 'z-ai/glm-5.3', provider: 'nim', tags: ['chat', 'tools'], ctx: 131_072 },
  { id: 'vectors', provider: 'nim', kind: 'embedding', tags: [] },
] as const;

function sdk(): Anthropic {
  const { fetch } = scripted({ offered: OFFERED });
  return new Anthropic({ apiKey: 'any', baseURL: 'http://freelm.invalid', fetch });
}

it('begins with the names that clients know, and has no models that cannot chat', async () => {
  const models: Anthropic.ModelInfo[] = [];
  for await (const model of sdk().models.list()) models.push(model);
  expect(models.map(({ id }) => id)).toEqual([
    'claude-haiku-5-5',
    'claude-opus-5-5',
    'claude-sonnet-5-5',
    'auto',
    'chat',
    'tools',
    'z-ai/glm-5.3',
  ]);
  expect(models.at(-1)).toMatchObject({ type: 'model', max_input_tokens: 131_072 });
});

it('has each of them by name', async () => {
  const { models } = sdk();
  expect(await models.retrieve('claude-opus-4-8')).toMatchObject({ type: 'model', id: 'claude-opus-4-8' });
  expect(await models.retrieve('z-ai/glm-5.3')).toMatchObject({ max_input_tokens: 131_072 });
  await expect(models.retrieve('nothing')).rejects.toMatchObject({ status: 404, type: 'not_found_error' });
});
