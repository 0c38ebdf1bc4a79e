/** The members of a configuration file. `npm run generate` writes config.schema.json from them. */

import * as z from 'zod/mini';
import { STRATEGIES } from '../../core/routing/strategy.ts';
import type { ProviderOptions } from '../../providers/provider-options.ts';
import type { CallLimits, FreeLLMOptions } from '../options.ts';

/** The variable that holds a key, or several keys with commas between them. */
interface KeyVariable {
  readonly variable: string;
  readonly account?: string | undefined;
  readonly tier?: string | undefined;
}

/** The entry of a provider, or of an endpoint of the user's own. */
export interface ProviderConfig extends Omit<ProviderOptions, 'headers'> {
  readonly keys?: readonly (string | KeyVariable)[] | undefined;
}

/** The options of a pool that JSON can hold. */
export interface PoolConfig
  extends
    CallLimits,
    Pick<
      FreeLLMOptions,
      | 'model'
      | 'modelMap'
      | 'affinity'
      | 'contextTokens'
      | 'privacy'
      | 'unknownModels'
      | 'spend'
      | 'persist'
      | 'cacheDir'
    > {
  readonly strategy?: 'quota_aware' | 'priority' | 'round_robin' | 'latency' | undefined;
}

/** The options of `freelm serve` in a configuration file. config.schema.json describes them. */
export interface ServeConfig {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly log?: 'json' | 'text' | 'off' | undefined;
  readonly drainMs?: number | undefined;
  readonly allowedOrigins?: readonly string[] | undefined;
  readonly allowedHosts?: readonly string[] | undefined;
  readonly maxBodyBytes?: number | undefined;
  readonly maxMemoryBytes?: number | undefined;
  readonly maxConnections?: number | undefined;
  readonly maxClientRequests?: number | undefined;
  readonly headersTimeoutMs?: number | undefined;
  readonly requestTimeoutMs?: number | undefined;
  readonly idleTimeoutMs?: number | undefined;
}

/** The members of a file before its inner objects are checked. */
export interface OuterConfig extends PoolConfig {
  readonly $schema?: string | undefined;
  readonly providers?: Readonly<Record<string, unknown>> | undefined;
  readonly serve?: unknown;
}

/** A schema with a text for people. */
function described<Schema extends z.ZodMiniType>(text: string, schema: Schema): z.ZodMiniOptional<Schema> {
  return z.optional(schema).check(z.describe(text));
}

const text = z.string('must be a string').check(z.minLength(1, 'must not be empty'));
const texts = z.array(text, 'must be a list of strings');
const flag = z.boolean('must be true or false');
const positive = z.number('must be a number').check(z.positive('must be greater than 0'));
const count = z.int('must be a whole number').check(z.nonnegative('must not be negative'));
const ms = z.int('must be a whole number of milliseconds').check(z.nonnegative('must not be negative'));
const chain = z.union([text, texts], 'must be the name of a model or a list of names');

/** A key itself has lower-case letters or a hyphen, so it does not pass. */
const variable = z
  .string('must be the name of an environment variable')
  .check(
    z.regex(
      /^[A-Z][A-Z0-9_]{0,62}$/,
      'must be the name of an environment variable, such as MY_API_KEY. Keys themselves do not belong into this file',
    ),
  );

const keySchema = z.union(
  [
    variable,
    z.strictObject({
      variable: variable.check(
        z.describe('The environment variable that holds the key, or several with commas.'),
      ),
      account: described('Keys of one account share its quota. Default: an account for each key.', text),
      tier: described("The account's tier. Default: the provider's.", text),
    }),
  ],
  'must be the name of an environment variable, such as "MY_API_KEY", or { "variable", "account"?, "tier"? }',
);

const modelSchema = z.union(
  [
    text,
    z.strictObject({
      id: text,
      tags: z.optional(texts),
      ctx: z.optional(positive),
      maxOutput: z.optional(positive),
      free: z.optional(flag),
      priority: z.optional(z.number('must be a number')),
    }),
  ],
  'must be the id of a model, or { "id", "tags"?, "ctx"?, "maxOutput"?, "free"?, "priority"? }',
);

export const providerSchema: z.ZodMiniType<ProviderConfig> = z.strictObject(
  {
    keys: described(
      'The environment variables that hold the keys. Default: the usual ones of the provider.',
      z.array(keySchema, 'must be a list of names of environment variables'),
    ),
    baseUrl: described('The URL before /chat/completions. Required for an endpoint of your own.', text),
    tier: described("The account's tier, which selects the documented limits.", text),
    priority: described(
      'With the strategy "priority", lower numbers are tried first. Default 0.',
      z.number('must be a number'),
    ),
    lastResort: described('Whether it is tried only if no other provider is ready.', flag),
    rpm: described("Requests per minute. Default: the tier's.", positive),
    rpd: described("Requests per day. Default: the tier's.", positive),
    tpm: described("Tokens per minute. Default: the tier's.", positive),
    concurrency: described("Requests at once. Default: the tier's.", positive),
    models: described(
      'The models to use, best first. Default: the fetched list.',
      z.array(modelSchema, 'must be a list of models'),
    ),
    prefer: described('Ids of models that are tried before all others, best first.', texts),
    discover: described('Whether the list of models is fetched.', flag),
    discoverFreeOnly: described(
      'Whether only free models are taken from the fetched list. Default true.',
      flag,
    ),
    freeOnly: described('Whether models that cost money are refused. Default true.', flag),
    cacheTtlMs: described('How long a fetched list is used. Default: one hour.', ms),
    vars: described(
      'Parts of the base URL, e.g. { "account_id": "…" }.',
      z.record(z.string(), text, 'must be an object of strings'),
    ),
    allowInsecureHttp: described('Allows http: to other machines.', flag),
  },
  'must be an object',
);

export const serveSchema: z.ZodMiniType<ServeConfig> = z.strictObject(
  {
    port: described('The port to listen on. Default: PORT, else 4141.', count),
    host: described('The address to listen on. Any but loopback requires a token. Default 127.0.0.1.', text),
    log: described(
      'The request log on stderr. Default: text on a terminal, else json.',
      z.enum(['json', 'text', 'off'], 'must be "json", "text" or "off"'),
    ),
    drainMs: described('How long running responses may take after SIGTERM. Default 10000.', ms),
    allowedOrigins: described('Origins whose web pages may call the endpoint.', texts),
    allowedHosts: described(
      'Further host names of the endpoint, e.g. of a tunnel. They require a token.',
      texts,
    ),
    maxBodyBytes: described('The longest request body. Default 32 MiB.', count),
    maxMemoryBytes: described('All bodies together. Default: four of the longest.', count),
    maxConnections: described('The most connections. Default 1000.', count),
    maxClientRequests: described('The most requests at once from one address. Default 256.', count),
    headersTimeoutMs: described('How long the headers of a request may take. Default 10000.', ms),
    requestTimeoutMs: described('How long a whole request may take to arrive. Default 60000.', ms),
    idleTimeoutMs: described('How long a connection may be idle. Default 75000.', ms),
  },
  'must be an object',
);

const strategies = Object.keys(STRATEGIES);

const poolFields = {
  strategy: described(
    'How to choose the provider. Default quota_aware.',
    z.enum(['quota_aware', 'priority', 'round_robin', 'latency'], `must be one of ${strategies.join(', ')}`),
  ),
  model: described('The model of calls that name none, or a chain of models. Default auto.', chain),
  modelMap: described(
    'What a call gets that asks for a name, e.g. { "gpt-4o": "large", "gpt-4o-mini": ["chat:fast", "auto"] }.',
    z.record(z.string(), chain, 'must be an object of models'),
  ),
  affinity: described(
    'Whether the calls of one conversation stay on the route that served the last one. Default true.',
    flag,
  ),
  contextTokens: described(
    'The context length that clients are told of names that stand for several models. Default: the smallest of these models.',
    positive,
  ),
  unknownModels: described(
    'What happens to a model that no provider has: error, or auto to serve it as auto. Default error.',
    z.enum(['error', 'auto'], 'must be "error" or "auto"'),
  ),
  privacy: described(
    'Leaves out providers that may train on prompts, or keep them.',
    z.enum(['no-training', 'no-logging'], 'must be "no-training" or "no-logging"'),
  ),
  spend: described(
    'Whether calls may cost money. Default never.',
    z.enum(['never', 'allow'], 'must be "never" or "allow"'),
  ),
  timeoutMs: described('The longest that a call may take. Default 60000.', ms),
  attemptTimeoutMs: described('The longest that one attempt may take. Default 30000.', ms),
  firstPartTimeoutMs: described('The longest wait for the first part of a stream. Default 20000.', ms),
  idleTimeoutMs: described('The longest gap between two parts of a stream. Default 20000.', ms),
  maxAttempts: described('How many requests one call may cost. Default 12.', count),
  wait: described('Whether a call waits if no route is ready. Default false.', flag),
  maxWaitMs: described('The longest that a call waits. Default 20000.', ms),
  persist: described('Whether used quotas and what was learnt are kept in files. Default true.', flag),
  cacheDir: described('The directory for lists of models and state.', text),
};

const schemaLink = z.optional(z.string('must be a string'));

/** The file without the inner objects. Each of those is checked by itself, so that a message can name what was meant. */
export const outerSchema: z.ZodMiniType<OuterConfig> = z.strictObject(
  {
    $schema: schemaLink,
    ...poolFields,
    providers: z.optional(z.record(z.string(), z.unknown(), 'must be an object of providers')),
    serve: z.optional(z.unknown()),
  },
  'must be an object',
);

/** The whole file. */
const configSchema = z.strictObject({
  $schema: schemaLink,
  providers: described(
    'The providers by name, and endpoints of your own under names of your choice. Only these are used. Default: those whose keys are in the environment.',
    z.record(z.string(), providerSchema),
  ),
  ...poolFields,
  serve: described('The options of freelm serve.', serveSchema),
});

/** The JSON Schema of the file, for editors. */
export function configJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input' });
  return { $schema, title: 'The configuration of freelm serve', ...schema };
}
