import * as z from 'zod';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FAILURE_EFFECTS, type Scope } from '../src/core/failure.ts';
import type { Limit, QuotaWindow } from '../src/core/limits/limit.ts';
import { readModelName } from '../src/core/model.ts';
import { type LimitSpec, type ProviderSpec, SPECS } from '../src/providers/spec.ts';
import { isKind, SCOPES_OF } from './core/pool-world.ts';
import { REFUSAL_VECTORS } from './providers/refusal-vectors.ts';

const folder = new URL('../spec/', import.meta.url);

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, folder), 'utf8'));
}

function jsonFiles(path: string): readonly string[] {
  const names = readdirSync(new URL(path, folder)).filter((name) => name.endsWith('.json'));
  return names.map((name) => `${path}${name}`);
}

const jsonSchema = z.record(z.string(), z.json());

/** The schema errors of a file. */
function problems(path: string, value: unknown = read(path)): readonly string[] {
  const schema = z.fromJSONSchema(jsonSchema.parse(read(schemaOf(path))));
  const result = schema.safeParse(value);
  return result.success
    ? []
    : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

function schemaOf(path: string): string {
  if (path.startsWith('providers/')) return 'provider.schema.json';
  if (path.startsWith('vectors/')) return 'vectors.schema.json';
  return path.replace(/\.json$/, '.schema.json');
}

const schemas = jsonFiles('./').filter((path) => path.endsWith('.schema.json'));
const data = jsonFiles('./')
  .filter((path) => !schemas.includes(path))
  .map((path) => path.replace('./', ''));
const all = [...data, ...jsonFiles('providers/'), ...jsonFiles('vectors/')];

describe('every file of spec/', () => {
  it('exists', () => {
    expect(all.length).toBeGreaterThan(20);
  });

  it.each(all)('%s matches its schema', (path) => {
    expect(problems(path)).toEqual([]);
  });

  it.each([...data, ...jsonFiles('providers/')])('%s names its schema', (path) => {
    const depth = path.includes('/') ? '../' : './';
    expect(read(path)).toMatchObject({ $schema: `${depth}${schemaOf(path)}` });
  });

  it('has a schema, and every schema has a file', () => {
    const used = new Set(all.map(schemaOf));
    expect(schemas.map((path) => path.replace('./', '')).toSorted()).toEqual([...used].toSorted());
  });
});

describe('the schemas', () => {
  const provider = z.looseObject({ tiers: z.unknown() }).parse(read('providers/nim.json'));
  const effects = z
    .object({ effects: z.record(z.string(), z.unknown()) })
    .parse(read('failure-effects.json'));

  it.each([
    ['an unknown member', 'providers/nim.json', { ...provider, colour: 'green' }],
    ['a provider without its tiers', 'providers/nim.json', { ...provider, tiers: undefined }],
    [
      'a limit of 0',
      'providers/nim.json',
      {
        ...provider,
        tiers: {
          free: {
            limits: [
              { id: 'rpm', kind: 'fixed-window', unit: 'requests', per: 'account', max: 0, marginMs: 0 },
            ],
          },
        },
      },
    ],
    [
      'a limit of an unknown kind',
      'providers/nim.json',
      {
        ...provider,
        tiers: {
          free: {
            limits: [{ id: 'rpm', kind: 'hourly', unit: 'requests', per: 'account', limit: 1, marginMs: 0 }],
          },
        },
      },
    ],
    [
      'a refusal of an unknown kind',
      'providers/nim.json',
      { ...provider, refusals: [{ name: 'x', status: [429], kind: 'tired', scope: 'account' }] },
    ],
    [
      'a cooldown of an unknown kind',
      'providers/nim.json',
      { ...provider, trips: { tired: { threshold: 1, cooldownMs: 1, maxCooldownMs: 1 } } },
    ],
    [
      'a cooldown without its threshold',
      'providers/nim.json',
      { ...provider, trips: { network: { cooldownMs: 1, maxCooldownMs: 1 } } },
    ],
    [
      'a kind of failure without its row',
      'failure-effects.json',
      { about: 'x', effects: { ...effects.effects, timeout: undefined } },
    ],
    ['a vector without a name', 'vectors/x.json', { about: 'x', cases: [{ input: {}, expect: 1 }] }],
    ['no vectors', 'vectors/x.json', { about: 'x', cases: [] }],
  ])('refuse %s', (_, path, value) => {
    expect(problems(path, JSON.parse(JSON.stringify(value)))).not.toEqual([]);
  });
});

/** Every list of literals in a schema: the members of an `enum`, and the `const` of each kind of limit. */
function literalsIn(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = z.object({ enum: z.array(z.string()) }).safeParse(value);
  return [...(own.success ? [own.data.enum] : []), ...Object.values(value).flatMap(literalsIn)];
}

const UNITS: Readonly<Record<Limit['unit'], true>> = { requests: true, tokens: true };
const COUNTS: Readonly<Record<NonNullable<Limit['counts']>, true>> = {
  input: true,
  total: true,
  reserved: true,
  inputs: true,
};
const PER: Readonly<Record<Limit['per'], true>> = { account: true, 'account-model': true };
const WINDOWS: Readonly<Record<QuotaWindow, true>> = {
  second: true,
  minute: true,
  hour: true,
  day: true,
  month: true,
};
const SCOPES: Readonly<Record<Scope, true>> = {
  provider: true,
  account: true,
  key: true,
  model: true,
  'account-model': true,
  request: true,
};
const LIMIT_KINDS: Readonly<Record<Limit['kind'], true>> = {
  'sliding-window': true,
  'token-bucket': true,
  'fixed-window': true,
  daily: true,
  monthly: true,
  concurrency: true,
};

/**
 * The lists that the schemas share with the code. A list in a schema is one of these if it contains `mark`.
 * The records are total: a new member of a type does not compile until it stands here, and then the schemas must have it.
 */
const SHARED_LISTS: readonly {
  readonly title: string;
  readonly mark: string;
  readonly members: object;
  readonly extra?: string;
}[] = [
  { title: 'scopes', mark: 'key', members: SCOPES },
  { title: 'units', mark: 'tokens', members: UNITS },
  { title: 'what a limit of tokens counts', mark: 'reserved', members: COUNTS },
  { title: 'windows', mark: 'hour', members: WINDOWS, extra: 'refused' },
];

describe('the lists of the schemas', () => {
  const lists = schemas.map((path) => [path, literalsIn(read(path))] as const);

  it.each(SHARED_LISTS)('are those of the code: $title', ({ mark, members, extra = '' }) => {
    const expected = Object.keys(members).toSorted();
    const found = lists.flatMap(([path, enums]) =>
      enums.filter((list) => list.includes(mark)).map((list) => [path, list] as const),
    );
    expect(found).not.toEqual([]);
    const differing = found.flatMap(([path, list]) => {
      const given = new Set(list.filter((member) => member !== extra));
      const lacks = expected.filter((member) => !given.has(member));
      const adds = [...given].filter((member) => !expected.includes(member));
      return lacks.length + adds.length > 0 ? [{ path, lacks, adds }] : [];
    });
    expect(differing).toEqual([]);
  });

  it('are those of the code: owners of limits', () => {
    const found = lists.flatMap(([, enums]) =>
      enums.filter((list) => list.includes('account-model') && !list.includes('provider')),
    );
    expect(found).not.toEqual([]);
    for (const list of found) expect(list.toSorted()).toEqual(Object.keys(PER).toSorted());
  });

  it('are those of the code: kinds of limits', () => {
    const { $defs } = z
      .object({ $defs: z.record(z.string(), z.unknown()) })
      .parse(read('provider.schema.json'));
    const found = Object.values($defs).flatMap((def) => {
      const kind = z
        .object({ properties: z.object({ kind: z.object({ const: z.string() }) }) })
        .safeParse(def);
      return kind.success ? [kind.data.properties.kind.const] : [];
    });
    expect(found.toSorted()).toEqual(Object.keys(LIMIT_KINDS).toSorted());
  });
});

const specs: readonly (readonly [string, ProviderSpec])[] = Object.values(SPECS).map((spec) => [
  spec.name,
  spec,
]);
const elsewhere = specs.filter(([, { access }]) => access !== 'local');
const local = specs.filter(([, { access }]) => access === 'local');

function limitsOf(spec: ProviderSpec): readonly (LimitSpec & { readonly tier: string })[] {
  return Object.entries(spec.tiers).flatMap(([tier, { limits }]) =>
    limits.map((limit) => ({ ...limit, tier })),
  );
}

const DAY_MS = 86_400_000;

/** The window of a limit in ms; `undefined` for a limit without one. */
function spanOf({ kind, windowMs = 60_000 }: LimitSpec): number | undefined {
  if (kind === 'concurrency') return undefined;
  if (kind === 'daily') return DAY_MS;
  return kind === 'monthly' ? 28 * DAY_MS : windowMs;
}

function mostOf({ max = 0 }: LimitSpec): number {
  return typeof max === 'number' ? max : Math.max(...max.map((row) => row.limit));
}

/** Every environment variable of a provider. */
function variablesOf({ env, vars = {} }: ProviderSpec): readonly string[] {
  const tier = env.tier === undefined ? [] : [env.tier];
  const parts = Object.values(vars).flatMap((variable) => variable.env);
  return [...env.keys, ...tier, ...(env.baseUrl ?? []), ...parts];
}

describe('every provider', () => {
  it('of spec/providers/ is loaded under the name of its file', () => {
    const names = jsonFiles('providers/').map((path) => path.slice('providers/'.length, -'.json'.length));
    expect(specs.map(([name]) => name).toSorted()).toEqual(names.toSorted());
    for (const [name, spec] of Object.entries(SPECS)) expect(spec.name).toBe(name);
  });

  it('that works without a key must be named to be used', () => {
    expect(specs.filter(([, spec]) => spec.keyless === true && spec.access === 'default')).toEqual([]);
  });
});

it.each(['failure-kinds', 'provider-code', 'keys-table', 'providers-page'])(
  'what %s generates is up to date',
  (name) => {
    const script = fileURLToPath(new URL(`../.ci/${name}.mjs`, import.meta.url));
    const { stderr, status } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect({ stderr, status }, 'Run `npm run generate`.').toEqual({ stderr: '', status: 0 });
  },
);

it('every provider has an `order` of its own, in the hundred of its `access`', () => {
  const first = { default: 1, 'opt-in': 101, local: 201 };
  const shape = z.object({
    name: z.string(),
    order: z.number(),
    access: z.enum(['default', 'opt-in', 'local']),
  });
  const providers = jsonFiles('providers/').map((path) => shape.parse(read(path)));
  expect(new Set(providers.map(({ order }) => order)).size).toBe(providers.length);
  const misplaced = providers.filter(
    ({ order, access }) => order < first[access] || order > first[access] + 99,
  );
  expect(misplaced).toEqual([]);
});

describe.each(specs)('%s', (name, spec) => {
  it('has its default tier', () => {
    expect(Object.keys(spec.tiers)).toContain(spec.defaultTier);
  });

  it('has dated facts that expire after 400 days at most', () => {
    expect(spec.sources.join(' ')).toMatch(/20\d\d(-\d\d)?/);
    const [from, until] = [Date.parse(spec.asOf), Date.parse(spec.expires)];
    expect(until).toBeGreaterThan(from);
    expect(until).toBeLessThan(from + 400 * DAY_MS);
  });

  it('has exactly the variables that its base URL names', () => {
    const slots = [...spec.baseUrl.matchAll(/\{(\w+)\}/g)].map(([slot]) => slot);
    expect(Object.keys(spec.vars ?? {}).map((part) => `{${part}}`)).toEqual(slots);
  });

  it('has patterns that compile', () => {
    const patterns = [
      spec.keyPattern,
      spec.freeOnlyPattern,
      spec.modelIdPattern,
      spec.discovery?.freePattern,
      ...Object.values(spec.vars ?? {}).map(({ pattern }) => pattern),
      ...spec.refusals.map(({ pattern }) => pattern),
    ];
    const compile = (): unknown => patterns.map((pattern) => new RegExp(pattern ?? '', 'i'));
    expect(compile).not.toThrow();
  });

  it('has unique limit ids in each tier', () => {
    const ids = limitsOf(spec).map(({ tier, id }) => `${tier} ${id}`);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('uses existing time zones', () => {
    for (const { kind, timeZone } of limitsOf(spec)) {
      if (timeZone !== undefined) expect(() => new Intl.DateTimeFormat('en', { timeZone })).not.toThrow();
      expect(timeZone !== undefined).toBe(kind === 'daily' || kind === 'monthly');
    }
  });

  it('has limits above 0, with one for every model', () => {
    for (const { max = 0 } of limitsOf(spec)) {
      const rows = typeof max === 'number' ? [{ models: '*', limit: max }] : max;
      expect(rows.filter((row) => !(Number.isInteger(row.limit) && row.limit > 0))).toEqual([]);
      expect(rows.at(-1)?.models).toBe('*');
    }
  });

  it.each(['requests', 'tokens'])('never allows fewer %s in a longer window', (unit) => {
    for (const [tier, { limits }] of Object.entries(spec.tiers)) {
      // A month of requests may have fewer of them than a minute has texts.
      const counting = limits.filter(
        (limit) => limit.unit === unit && limit.only !== 'embedding' && spanOf(limit) !== undefined,
      );
      const inOrder = counting.toSorted((a, b) => (spanOf(a) ?? 0) - (spanOf(b) ?? 0)).map(mostOf);
      expect(inOrder, `${name} ${tier}`).toEqual(inOrder.toSorted((a, b) => a - b));
    }
  });

  it('has free models with valid and unique ids', () => {
    const ids = spec.models.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const isFree = spec.tiers[spec.defaultTier]?.freeBecause !== undefined && name !== 'ollama-cloud';
    expect(spec.models.filter(({ free }) => free !== isFree)).toEqual([]);
    for (const id of ids) {
      if (spec.modelIdPattern !== undefined) expect(id).toMatch(new RegExp(spec.modelIdPattern, 'i'));
      if (spec.freeOnlyPattern !== undefined) expect(id).toMatch(new RegExp(spec.freeOnlyPattern));
    }
  });

  it('refuses with kinds at allowed scopes', () => {
    expect(spec.refusals.filter(({ kind, scope }) => !SCOPES_OF[kind].includes(scope))).toEqual([]);
  });

  it('shares no variable with another provider', () => {
    const others = new Set(specs.flatMap(([other, theirs]) => (other === name ? [] : variablesOf(theirs))));
    const own = variablesOf(spec);
    expect(new Set(own).size).toBe(own.length);
    expect(own.filter((variable) => others.has(variable))).toEqual([]);
    expect(spec.env.keys).toEqual(expect.arrayContaining(Object.keys(spec.env.siblings ?? {})));
  });
});

describe.each(elsewhere)('%s, a service,', (_, spec) => {
  it('uses https and has built-in models', () => {
    expect(spec.baseUrl).toMatch(/^https:/);
    expect(spec.models).not.toEqual([]);
  });
});

describe.each(local)('%s, on your own machine,', (_, spec) => {
  it('has only the models of its list, all free, and a concurrency limit', () => {
    expect(spec.baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    expect(spec).toMatchObject({ keyless: true, models: [], discovery: { default: true, freePattern: '.' } });
    expect(limitsOf(spec).map(({ kind, max }) => [kind, max])).toEqual([
      ['concurrency', expect.toSatisfy((limit) => limit === 1 || limit === 2)],
    ]);
    expect(spec.env.baseUrl).toEqual([
      expect.stringContaining('_BASE_URL'),
      ...(spec.env.baseUrl ?? []).slice(1),
    ]);
  });

  it('is skipped for half a minute if it does not answer', () => {
    expect(spec.trips.network).toEqual({ threshold: 1, cooldownMs: 30_000, maxCooldownMs: 30_000 });
  });
});

const failureShape = z.object({ kind: z.string(), scope: z.string() });

/** Every object with a `kind` and a `scope`, at any depth. */
function failuresIn(value: unknown): readonly z.infer<typeof failureShape>[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = failureShape.safeParse(value);
  return [...(own.success ? [own.data] : []), ...Object.values(value).flatMap(failuresIn)];
}

describe('the table of effects', () => {
  const shared = read('refusals.json');
  const kinds = Object.keys(SCOPES_OF).toSorted();

  it('has one row for each kind of failure', () => {
    expect(Object.keys(FAILURE_EFFECTS).toSorted()).toEqual(kinds);
  });

  it('has a row in the table of spec/README.md for each kind', () => {
    const [, section = ''] = readFileSync(new URL('README.md', folder), 'utf8').split('\n**6.1**');
    const [table = ''] = section.split('\n**6.2**');
    const named = new Set([...table.matchAll(/`(\w+)`/g)].map(([, name]) => name));
    expect(kinds.filter((kind) => !named.has(kind))).toEqual([]);
  });

  it('has a state of at most nine characters for every key that does not work', () => {
    const states = Object.entries(FAILURE_EFFECTS).flatMap(([kind, { check }]) =>
      check.works === false ? [check.state ?? kind.replaceAll('_', ' ')] : [],
    );
    expect(states.filter((state) => state.length > 9)).toEqual([]);
  });

  it('never shortens a cooldown', () => {
    const shortened = Object.values(FAILURE_EFFECTS).filter(
      ({ trip }) => trip !== undefined && trip.maxCooldownMs < trip.cooldownMs,
    );
    expect(shortened).toEqual([]);
  });

  it('has every kind at each of its scopes in the settle vectors', () => {
    const settled = new Set(
      failuresIn(read('vectors/settle.json')).map(({ kind, scope }) => `${kind} ${scope}`),
    );
    const needed = Object.entries(SCOPES_OF).flatMap(([kind, scopes]) =>
      scopes.map((scope) => `${kind} ${scope}`),
    );
    expect(needed.filter((name) => !settled.has(name))).toEqual([]);
  });

  it('has every kind in the plan vectors, which say what the call does next', () => {
    const planned = new Set(failuresIn(read('vectors/plan.json')).map(({ kind }) => kind));
    expect(kinds.filter((kind) => !planned.has(kind))).toEqual([]);
  });

  it('has every kind with `hint` in a classify vector with a `retry-after` header and its `retryAt`', () => {
    const hinted = new Set<string>(
      REFUSAL_VECTORS.filter(
        ({ input, expect: { retryAt } }) =>
          input.headers?.['retry-after'] !== undefined && retryAt !== undefined,
      ).map(({ expect: { kind } }) => kind),
    );
    const needed = Object.entries(FAILURE_EFFECTS).filter(([, { hint }]) => hint !== undefined);
    expect(needed.map(([kind]) => kind).filter((kind) => !hinted.has(kind))).toEqual([]);
  });

  it('has a rule, a status or an answer for every kind that is not `fromCode`, and none for the others', () => {
    const sources = [shared, ...Object.values(SPECS).map(({ refusals }) => refusals)];
    const yielded = new Set(sources.flatMap(failuresIn).map(({ kind }) => kind));
    const unlike = Object.entries(FAILURE_EFFECTS).filter(
      ([kind, { fromCode = false }]) => yielded.has(kind) === fromCode,
    );
    expect(unlike.map(([kind]) => kind)).toEqual([]);
  });
});

describe('the shared rules of refusals', () => {
  const verdict = z.object({ kind: z.string(), scope: z.string(), name: z.optional(z.string()) });
  const shared = z
    .object({
      refusals: z.array(verdict),
      statuses: z.array(verdict),
      pages: z.array(verdict),
      inside: z.array(verdict),
      answers: z.record(z.string(), verdict),
    })
    .parse(read('refusals.json'));

  it('use kinds at allowed scopes', () => {
    const { refusals, statuses, pages, inside, answers } = shared;
    const verdicts = [...refusals, ...statuses, ...pages, ...inside, ...Object.values(answers)];
    const strange = verdicts.filter(
      ({ kind, scope }) => !isKind(kind) || !SCOPES_OF[kind].some((one) => one === scope),
    );
    expect(strange).toEqual([]);
  });
});

describe('the aliases', () => {
  const { aliases, capabilities } = z
    .object({ aliases: z.record(z.string(), z.array(z.string())), capabilities: z.array(z.string()) })
    .parse(read('aliases.json'));

  it('stand for chat models with known tags', () => {
    for (const [alias, tags] of Object.entries(aliases)) {
      expect(tags).toContain('chat');
      expect(['chat', ...capabilities]).toEqual(expect.arrayContaining(tags));
      expect(readModelName(alias)).toEqual({ tags });
    }
  });

  it.each(elsewhere)('of chat are served by %s', (_, spec) => {
    expect(spec.models.some(({ tags = [] }) => tags.includes('chat'))).toBe(true);
  });

  it('are each served by at least one model', () => {
    const offered = specs.flatMap(([, { models }]) => models.map(({ tags = [] }) => tags));
    for (const tags of Object.values(aliases)) {
      expect(offered.some((has) => tags.every((tag) => has.includes(tag)))).toBe(true);
    }
  });
});
