/** What the tests of compat share: a client over a pool over one model that says what a test likes. */

import OpenAI, { type ClientOptions } from '../../src/compat.ts';
import {
  type FreeLLM,
  type FreeLLMOptions,
  OpenAICompatible,
  type OpenAICompatibleOptions,
} from '../../src/index.ts';
import type { ReplyFunction, ServedWorldOptions, World } from '../../src/testing.ts';
import { open, world } from '../client/support.ts';

export interface CompatSetup {
  readonly world: World;
  readonly llm: FreeLLM;
  readonly client: OpenAI;
}

/** Keys and routes beyond the one that a test looks at. */
export type CompatSetupOptions = Pick<ServedWorldOptions, 'reply'> & {
  readonly provider?: Pick<OpenAICompatibleOptions, 'rpm' | 'rpd'> | undefined;
  readonly pool?: Omit<FreeLLMOptions, 'providers'> | undefined;
  readonly client?: ClientOptions | undefined;
};

const NONE = { keys: [] };

/** Says `You said: <what the user said>` unless told otherwise. */
const repeat: ReplyFunction = ({ lastUserText }) => `You said: ${lastUserText}`;

/** A provider with one key and one model, the pool over it, and the client over that. */
export async function compatClient({
  reply = repeat,
  provider,
  pool,
  client,
}: CompatSetupOptions = {}): Promise<CompatSetup> {
  const custom = { keys: 1, models: [{ id: 'custom-large', lacks: [] }] };
  const simulated = await world({ openrouter: NONE, google: NONE, nim: NONE, custom, reply });
  const { keys, baseUrl } = simulated.custom;
  const models = [{ id: 'custom-large', tags: ['chat', 'large', 'tools', 'vision'] }];
  const providers = [new OpenAICompatible([...keys], { name: 'mine', baseUrl, models, ...provider })];
  const llm = open({ providers, ...pool });
  return { world: simulated, llm, client: new OpenAI({ freelm: llm, ...client }) };
}

/** What a client takes that is only asked to answer. */
export const HELLO: { model: string; messages: OpenAI.ChatCompletionMessageParam[] } = {
  model: 'auto',
  messages: [{ role: 'user', content: 'Hello' }],
};
