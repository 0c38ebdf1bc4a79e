import * as z from 'zod/mini';
import { check } from '../check.ts';
import type { ModelSpec } from '../core/model.ts';
import type { KeysInput } from './key.ts';
import { Provider } from './provider.ts';
import type { ProviderOptions } from './provider-options.ts';
import type { RefusalRule } from './spec.ts';

export interface OpenAICompatibleOptions extends Omit<
  ProviderOptions,
  'tier' | 'freeOnly' | 'discoverFreeOnly' | 'vars'
> {
  /** The provider's name in the pool, in events and in `health()`: lower case letters, digits, `-` and `_`. */
  readonly name: string;
  /** The URL before `/chat/completions`, e.g. `http://127.0.0.1:8080/v1`. */
  readonly baseUrl: string;
  /**
   * The models to use, best first. A model without tags has the tag `chat`. An id with `embed` or `bge-` in it is taken for an
   * embedding model, unless its `kind` or its tags say otherwise. Default: the endpoint's own list.
   */
  readonly models?: readonly (ModelSpec | string)[] | undefined;
}

const schema = z.looseObject(
  {
    name: z
      .string('must be a string')
      .check(z.regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'must be lower case letters, digits, - and _')),
    baseUrl: z.string('must be a string'),
  },
  'must be an object: OpenAICompatible takes two arguments, the keys and the options',
);

/** The plain 404 of web frameworks: a provider would name the model. */
// spec 7.18
const NO_SUCH_PATH: RefusalRule = {
  name: 'the address leads nowhere',
  status: [404, 405],
  pattern:
    '^(http )?(error )?(404|405)?[\\s:-]*((page|route|path|endpoint|url|resource) )?(not found|method not allowed)?\\W*$|^(the requested (url|path|resource)|no static resource|no route)\\b|^[a-z]+ /\\S* (is )?not found',
  kind: 'forbidden',
  scope: 'provider',
};

/**
 * Any other endpoint that speaks OpenAI's protocol. Without `rpm` and `rpd` it is not paced; without `models` its
 * list is fetched.
 */
export class OpenAICompatible extends Provider {
  constructor(keys: KeysInput, options: OpenAICompatibleOptions) {
    check(schema, options, 'OpenAICompatible options');
    const { name, ...rest } = options;
    super(
      `OpenAICompatible("${name}")`,
      {
        name,
        title: name,
        asOf: '',
        expires: '',
        sources: [],
        access: 'opt-in',
        privacy: { trains: 'unknown' },
        cost: '',
        terms: '',
        baseUrl: options.baseUrl,
        env: { keys: [] },
        keyPattern: '',
        defaultTier: 'free',
        tiers: { free: { freeBecause: { reason: 'unproven', source: 'the user' }, limits: [] } },
        modelIdPattern: '.',
        discovery: {
          default: options.models === undefined,
          path: '/models',
          needsKey: true,
          exclude: [],
          embeddings: ['*embed*', '*bge-*'],
        },
        models: [],
        // An unknown server may accept neither lists of texts nor the role `developer`.
        request: { transforms: ['developer-to-system', 'flatten-plain-text'] },
        streams: { continues: 'instruction', asksForUsage: true },
        refusals: [NO_SUCH_PATH],
        trips: {},
      },
      keys,
      rest,
    );
  }
}
