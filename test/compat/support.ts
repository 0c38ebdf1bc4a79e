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

export type CompatSetupOptions = Pick<ServedWorldOptions, 'reply'> & {
  readonly provider?: Pick<OpenAICompatibleOptions, 'rpm' | 'rpd'> | undefined;
  readonly pool?: Omit<FreeLLMOptions, 'providers'> | undefined;
  readonly client?: ClientOptions | undefined;
};

const NO_KEYS = { keys: [] };

/** The default reply. */
const repeat: ReplyFunction = ({ lastUserText }) => `You said: ${lastUserText}`;

/** A client over a pool with one provider, one key and one model. */
export async function compatClient({
  reply = repeat,
  provider,
  pool,
  client,
}: CompatSetupOptions = {}): Promise<CompatSetup> {
  const custom = { keys: 1, models: [{ id: 'custom-large', lacks: [] }] };
  const simulated = await world({ openrouter: NO_KEYS, google: NO_KEYS, nim: NO_KEYS, custom, reply });
  const { keys, baseUrl } = simulated.custom;
  const models = [{ id: 'custom-large', tags: ['chat', 'large', 'tools', 'vision'] }];
  const providers = [new OpenAICompatible([...keys], { name: 'mine', baseUrl, models, ...provider })];
  const llm = open({ providers, ...pool });
  return { world: simulated, llm, client: new OpenAI({ freelm: llm, ...client }) };
}

/** A minimal request body. */
export const HELLO: { model: string; messages: OpenAI.ChatCompletionMessageParam[] } = {
  model: 'auto',
  messages: [{ role: 'user', content: 'Hello' }],
};
