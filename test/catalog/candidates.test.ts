import { describe, expect, test } from 'vitest';
import type { PoolProvider } from '../../src/core/pool.ts';
import {
  Groq,
  ModelNotFoundError,
  type ModelSpec,
  Ollama,
  OpenRouter,
  type Provider,
  Requesty,
} from '../../src/index.ts';
import { type Listed, refusePaid, stagesFor } from '../../src/catalog/candidates.ts';

const KEY = 'abcdef-0123456789-0123456789';

function listed(...entries: readonly (readonly [Provider, readonly ModelSpec[]])[]): readonly Listed[] {
  return entries.map(([provider, models], index) => {
    const { name, recordId, accounts } = provider;
    const pool: PoolProvider = { name, recordId, index, priority: 0, accounts, trip: () => undefined };
    return { provider, pool, models };
  });
}

/** `provider model …` of each candidate of each stage. */
function chain(
  names: readonly string[],
  pool: readonly Listed[],
  capabilities: readonly string[] = [],
): unknown {
  return stagesFor(names, pool, capabilities).map((stage) =>
    stage.map(({ provider, models }) => [provider.name, ...models.map(({ id }) => id)].join(' ')),
  );
}

const tools = ['chat', 'tools'];
const groq = [
  new Groq(KEY),
  [
    { id: 'big', tags: ['chat', 'large'] },
    { id: 'able', tags: tools },
  ],
] as const;
const ollama = [
  new Ollama(),
  [
    { id: 'own', tags: tools },
    { id: 'able', tags: tools },
  ],
] as const;

describe('a last resort', () => {
  test.each([
    [['auto'], [['groq big able'], ['ollama own able']]],
    [
      ['tools', 'auto'],
      [['groq able'], ['groq big able'], ['ollama own able'], ['ollama own able']],
    ],
    [
      ['able', 'large'],
      [['groq able'], ['groq big'], ['ollama able']],
    ],
    [
      ['own', 'auto'],
      [['ollama own'], ['groq big able'], ['ollama own able']],
    ],
  ])('%j: comes after all others unless only it can serve a name', (names, stages) => {
    expect(chain(names, listed(ollama, groq))).toEqual(stages);
  });

  test('is the whole chain if there is no other provider', () => {
    expect(chain(['auto'], listed(ollama))).toEqual([['ollama own able']]);
  });

  test('changes nothing in a pool without one', () => {
    const other = [new OpenRouter(KEY), [{ id: 'a/b:free', tags: tools }]] as const;
    expect(chain(['auto'], listed(groq, other))).toEqual([['groq big able', 'openrouter a/b:free']]);
  });

  test('serves capabilities that others lack', () => {
    const dumb = [new Groq(KEY), [{ id: 'big', tags: ['chat'] }]] as const;
    expect(chain(['auto'], listed(dumb, ollama), ['tools'])).toEqual([['ollama own able']]);
    expect(chain(['auto'], listed(groq, ollama), ['tools'])).toEqual([['groq able'], ['ollama own able']]);
  });
});

describe('a model with a price in its list', () => {
  const models = [
    { id: 'a/free', tags: ['chat'], free: true },
    { id: 'a/paid', tags: ['chat'], free: false },
  ];

  test('is skipped, and refused by name', () => {
    const pool = listed([new Requesty(KEY), models]);
    expect(chain(['auto'], pool)).toEqual([['requesty a/free']]);
    expect(() => chain(['a/paid'], pool)).toThrow(ModelNotFoundError);
    expect(() => refusePaid(['a/paid'], pool)).toThrow(/would cost money/);
    expect(refusePaid(['a/free', 'a/other'], pool)).toEqual([]);
    expect(refusePaid(['a/paid', 'a/other'], pool).map(({ model }) => model)).toEqual(['a/paid']);
  });

  test('is used if the user allows it', () => {
    const pool = listed([new Requesty(KEY, { freeOnly: false }), models]);
    expect(chain(['auto'], pool)).toEqual([['requesty a/free a/paid']]);
    expect(chain(['a/paid'], pool)).toEqual([['requesty a/paid']]);
  });

  test('is not requested from a provider that does not list it', () => {
    expect(() => chain(['a/other'], listed([new Requesty(KEY), models]))).toThrow(/No provider of this pool/);
  });
});

test('the error names providers without models', () => {
  expect(() => chain(['auto'], listed([new Ollama(), []]))).toThrow(
    'No models are known yet from Ollama at http://127.0.0.1:11434/v1. Check that the server is running.',
  );
  expect(() => chain(['none'], listed(groq))).toThrow(/an id that refreshModels\(\) lists\.$/);
});

describe('a chain', () => {
  test('goes on with the next name where nobody has one', () => {
    expect(chain(['gemini-3.8-flash', 'large', 'auto'], listed(groq))).toEqual([
      ['groq big'],
      ['groq big able'],
    ]);
    expect(chain(['vision', 'none', 'able'], listed(groq))).toEqual([['groq able']]);
  });

  test('without any name that can be served is an error that lists all', () => {
    expect(() => chain(['none', 'vision'], listed(groq))).toThrow(/a model "none"[^]*a model for "vision"/);
  });
});
