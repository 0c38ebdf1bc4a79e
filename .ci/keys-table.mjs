/**
 * The README's table of keys, made from spec/providers/*.json.
 * Rewrites the README; with `--check` it only says whether the README is up to date.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { at } from './support.mjs';

const README = at('README.md');
const START = '<!-- keys: npm run docs writes this table from spec/providers/*.json -->';
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
function headlineOf({ tiers, defaultTier, models }) {
  const limits = tiers[defaultTier].limits.filter(({ max }) => max !== undefined);
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
  const title = spec.access === 'opt-in' ? `${spec.title} \\*` : spec.title;
  return [title, needs, headlineOf(spec), TRAINS[spec.privacy.trains]];
}

function table(specs) {
  const head = ['provider', 'variable', 'free requests for one account', 'may prompts train models?'];
  const rows = [head, head.map(() => '---'), ...specs.map(rowOf)];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function text() {
  const folder = at('spec', 'providers');
  const specs = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(at('spec', 'providers', name), 'utf8')));
  const isFree = ({ models }) => models.every(({ free }) => free);
  const by = (access) => specs.filter((spec) => spec.access === access && isFree(spec));
  const local = by('local').map(({ title, name }) => `${title} (\`${name}\`)`);
  const checked = specs.map(({ asOf }) => asOf).toSorted()[0];
  return `${table([...by('default'), ...by('opt-in')])}

\\* Used only if you name it, e.g. \`FREELM_PROVIDERS=${by('opt-in').map(({ name }) => name)}\`.
On your own machine, as a last resort: ${local.join(', ')}; \`FREELM_LOCAL=1\` uses all of them.
All facts were checked on ${checked} or later.`;
}

const before = readFileSync(README, 'utf8');
const start = before.indexOf(START);
const end = before.indexOf(END);
if (start === -1 || end === -1) throw new Error(`README.md lacks ${START} or ${END}`);
const after = `${before.slice(0, start + START.length)}\n\n${text()}\n\n${before.slice(end)}`;
if (!process.argv.includes('--check')) {
  writeFileSync(README, after);
} else if (before !== after) {
  console.error("The README's table of keys differs from spec/providers/*.json. Run npm run docs.");
  process.exitCode = 1;
}
