/**
 * The README's table of keys and the manual's table of variables, made from spec/providers/*.json.
 * Rewrites both pages; with `--check` it only says whether they are up to date.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { at } from './support.mjs';

const START = '<!-- keys: npm run generate writes this table from spec/providers/*.json -->';
const END = '<!-- /keys -->';

const WINDOWS = new Map([
  [60_000, 'minute'],
  [3_600_000, 'hour'],
  [86_400_000, 'day'],
]);
const ORDER = ['minute', 'hour', 'day', 'month', undefined];
const TRAINS = { no: 'no', yes: 'yes', possible: 'possibly', unknown: 'unknown' };

const number = new Intl.NumberFormat('en-GB');

/** The window of a limit in words; undefined for a limit on concurrency. */
function windowOf({ kind, windowMs }) {
  switch (kind) {
    case 'fixed-window':
      return 'minute';
    case 'daily':
      return 'day';
    case 'monthly':
      return 'month';
    case 'concurrency':
      return undefined;
    default:
      return WINDOWS.get(windowMs);
  }
}

function globToRegExp(glob) {
  const escaped = glob.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('*', '.*')}$`);
}

/** The least and the most that a limit allows to the provider's built-in models. */
function rangeOf({ max }, models) {
  if (typeof max === 'number') return number.format(max);
  const values = models
    .map(({ id }) => max.find((row) => globToRegExp(row.models).test(id))?.limit)
    .filter((value) => value !== undefined);
  const least = Math.min(...values);
  const most = Math.max(...values);
  return least === most ? number.format(least) : `${number.format(least)}–${number.format(most)}`;
}

/** The limits of the default tier that a user meets first: requests, and tokens where only they count the day. */
function headlineOf({ tiers, defaultTier, models: all }) {
  const models = all.filter(({ kind }) => kind !== 'embedding');
  const limits = tiers[defaultTier].limits.filter(
    ({ max, only }) => max !== undefined && only !== 'embedding',
  );
  const requests = limits.filter(({ unit }) => unit === 'requests');
  const countsDays = requests.some((limit) => ['day', 'month'].includes(windowOf(limit)));
  const tokens = limits.filter(
    (limit) => limit.unit === 'tokens' && windowOf(limit) === 'day' && !countsDays,
  );
  const shown = [...requests, ...tokens].toSorted(
    (a, b) => ORDER.indexOf(windowOf(a)) - ORDER.indexOf(windowOf(b)),
  );
  const parts = shown.map((limit) => {
    const window = windowOf(limit);
    if (window === undefined) return `${rangeOf(limit, models)} at a time`;
    const unit = limit.unit === 'tokens' ? ' tokens' : '';
    return `${rangeOf(limit, models)}${unit} per ${window}`;
  });
  const perModel = shown.length > 0 && shown.every(({ per }) => per === 'account-model');
  return `${[...new Set(parts)].join(', ')}${perModel ? ' for each model' : ''}`;
}

function rowOf(spec) {
  const [variable] = spec.env.keys;
  const others = Object.values(spec.vars ?? {}).flatMap(({ env }) => env.slice(0, 1));
  const variables = [variable, ...others].map((name) => `\`${name}\``).join(' and ');
  const needs = spec.keyless === true ? 'no key needed' : variables;
  const name = spec.keysUrl === undefined ? spec.title : `[${spec.title}](${spec.keysUrl})`;
  const title = spec.access === 'opt-in' ? `${name} \\*` : name;
  return [title, needs, headlineOf(spec), TRAINS[spec.privacy.trains]];
}

const codes = (names) => names.map((name) => `\`${name}\``).join(', ');

function table(rows) {
  const [head] = rows;
  return [head, head.map(() => '---'), ...rows.slice(1)]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** The variables of a provider, and what each of them holds. */
function variablesOf({ access, env, keyless, vars = {} }) {
  const own = Object.values(vars).map((part) => `${part.title}: ${codes(part.env)}`);
  const rest = [
    ...own,
    ...Object.entries(env.siblings ?? {}).map(
      ([name, url]) => `${codes([name])}: a key of ${new URL(url).host}`,
    ),
    ...(env.baseUrl === undefined ? [] : [`address: ${codes(env.baseUrl)}`]),
    ...(env.tier === undefined ? [] : [`tier: ${codes([env.tier])}`]),
  ];
  const key = keyless === true && access !== 'local' ? 'optional: ' : '';
  return [`${key}${codes(env.keys)}`, rest.join('; ')];
}

const USED = { default: 'if a key is set', 'opt-in': 'if named', local: 'if named or configured' };

function manual(specs) {
  const head = ['class', 'name', 'used', 'variables of its keys', 'other variables'];
  return table([
    head,
    ...specs.map((spec) => [
      `\`${spec.class}\``,
      `\`${spec.name}\``,
      USED[spec.access],
      ...variablesOf(spec),
    ]),
  ]);
}

const isFree = ({ models }) => models.every(({ free }) => free);

function readme(specs) {
  const head = ['provider', 'variable', 'free requests for one account', 'are prompts used for training?'];
  const by = (access) => specs.filter((spec) => spec.access === access && isFree(spec));
  const local = by('local').map(({ title, name }) => `${title} (\`${name}\`)`);
  const checked = specs.map(({ asOf }) => asOf).toSorted()[0];
  return `${table([head, ...[...by('default'), ...by('opt-in')].map(rowOf)])}

\\* Used only if you name it, e.g. \`FREELM_PROVIDERS=${by('opt-in').map(({ name }) => name)}\`.
On your own machine, as a last resort: ${local.join(', ')}; \`FREELM_LOCAL=1\` uses all of them.
All facts were checked on ${checked} or later.`;
}

const specs = readdirSync(at('spec', 'providers'))
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(at('spec', 'providers', name), 'utf8')))
  .toSorted((a, b) => a.order - b.order || a.name.localeCompare(b.name));
const pages = { 'README.md': readme(specs), 'src/client/README.md': manual(specs) };
for (const [page, text] of Object.entries(pages)) {
  const before = readFileSync(at(page), 'utf8');
  const start = before.indexOf(START);
  const end = before.indexOf(END);
  if (start === -1 || end === -1) throw new Error(`${page} lacks ${START} or ${END}`);
  const after = `${before.slice(0, start + START.length)}\n\n${text}\n\n${before.slice(end)}`;
  if (!process.argv.includes('--check')) {
    writeFileSync(at(page), after);
  } else if (before !== after) {
    console.error(`The table of keys in ${page} differs from spec/providers/*.json. Run npm run generate.`);
    process.exitCode = 1;
  }
}
