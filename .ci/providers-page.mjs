/**
 * Writes spec/providers/README.md from the JSON files beside it.
 * With `--check` it writes nothing, and fails if the page differs from the data.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { at } from './support.mjs';

const PAGE = at('spec', 'providers', 'README.md');
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const ACCESS = {
  default: 'used if one of its keys is in the environment',
  'opt-in': 'used if you name it, in code or in `FREELM_PROVIDERS`',
  local: 'on your own machine; used if you name or configure it, and only when no other provider is ready',
};
const LISTED = { true: 'fetched', false: 'fetched with `discover: true`' };

const codes = (names) => names.map((name) => `\`${name}\``).join(', ');
const number = (value) => value.toLocaleString('en-US');

function windowOf({ kind, windowMs, timeZone }) {
  if (kind === 'fixed-window') return 'per clock minute';
  if (kind === 'daily') return `per day (midnight in ${timeZone})`;
  if (kind === 'monthly') return `per month (${timeZone})`;
  const span = { [MINUTE_MS]: 'minute', [HOUR_MS]: 'hour', [DAY_MS]: '24 hours' }[windowMs];
  if (span === undefined) throw new Error(`no words for a window of ${windowMs} ms`);
  return kind === 'token-bucket' ? `per ${span}, refilled continuously` : `per ${span}`;
}

function unitOf({ kind, unit, counts }) {
  if (kind === 'concurrency') return 'at once';
  if (counts === 'input') return 'prompt tokens';
  if (counts === 'inputs') return 'requests (each text to embed counts as one)';
  return counts === 'reserved' ? 'tokens (prompt and longest answer)' : unit;
}

function eachMax(rows) {
  const others = rows.length > 1 ? ' (others)' : '';
  return rows
    .map(
      ({ models, limit, assumed }) =>
        `${number(limit)}${models === '*' ? others : ` (\`${models}\`)`}${assumed === true ? ' (assumed)' : ''}`,
    )
    .join(', ');
}

/** E.g. `5 to 30`. */
function rangeOfMax(rows) {
  const limits = rows.map(({ limit }) => limit);
  const [least, most] = [Math.min(...limits), Math.max(...limits)].map(number);
  return least === most ? least : `${least} to ${most}`;
}

/** E.g. `30 requests per minute for each model`. */
function limitText(limit, spec, maxText) {
  const rows = typeof limit.max === 'number' ? [{ models: '*', limit: limit.max }] : limit.max;
  const owner = [
    ...(limit.per === 'account-model' ? ['model'] : []),
    ...(spec.countsBy === 'ip' ? ['IP address'] : []),
  ];
  const kind = { chat: ['of chat models'], embedding: ['of embedding models'] }[limit.only] ?? [];
  const window = limit.kind === 'concurrency' ? kind : [...kind, windowOf(limit)];
  const scope = owner.length === 0 ? [] : [`for each ${owner.join(' and ')}`];
  const assumed = limit.assumed === true ? ['(assumed)'] : [];
  return [maxText(rows), unitOf(limit), ...window, ...scope, ...assumed].join(' ');
}

function variablesOf({ env, vars = {} }) {
  return [...env.keys, ...Object.values(vars).flatMap((variable) => variable.env), ...(env.baseUrl ?? [])];
}

function privacyOf({ privacy: { trains, logs = 'unknown', note } }) {
  const kept = `kept: ${logs}`;
  return note === undefined ? `${trains}; ${kept}` : `${trains}; ${kept}; ${note}`;
}

const limitsOf = (spec, tier, maxText) =>
  spec.tiers[tier].limits.map((limit) => limitText(limit, spec, maxText));

const idsOf = (spec, kind) =>
  codes(spec.models.filter((model) => (model.kind ?? 'chat') === kind).map(({ id }) => id));

function row(spec) {
  const cells = [
    `[${spec.title}](#${spec.title
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-')})`,
    codes(variablesOf(spec)),
    limitsOf(spec, spec.defaultTier, rangeOfMax).join('; ') || 'none known',
    spec.cost,
    privacyOf(spec),
    spec.terms,
    spec.asOf,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}

function section(spec) {
  const tiers = Object.keys(spec.tiers).flatMap((tier) => [
    `- Limits of the tier \`${tier}\`${tier === spec.defaultTier ? ' (default)' : ''}:`,
    ...limitsOf(spec, tier, eachMax).map((text) => `  - ${text}`),
  ]);
  const tier =
    spec.env.tier === undefined ? [] : [`- Tier of the keys in the environment: \`${spec.env.tier}\``];
  const [chat, embedding] = [idsOf(spec, 'chat'), idsOf(spec, 'embedding')];
  return [
    `## ${spec.title}`,
    '',
    `- Name: \`${spec.name}\`, ${ACCESS[spec.access]}`,
    `- Base URL: \`${spec.baseUrl}\``,
    `- Key: ${spec.keyless ? 'optional' : 'required'}; variables: ${codes(variablesOf(spec))}`,
    ...tier,
    ...tiers,
    `- Cost: ${spec.cost}`,
    ...Object.entries(spec.tiers).map(([name, { freeBecause }]) =>
      freeBecause === undefined
        ? `- Calls of the tier \`${name}\` are billed: freelm refuses them unless you allow it (\`spend\`)`
        : `- Why the tier \`${name}\` is free: \`${freeBecause.reason}\`. ${freeBecause.source}`,
    ),
    `- Terms: ${spec.terms}`,
    `- Do prompts train models, and are they kept? ${privacyOf(spec)}`,
    `- Model list: ${LISTED[spec.discovery.default]}${chat === '' ? '' : `; built in: ${chat}`}`,
    ...(embedding === '' ? [] : [`- Embedding models: ${embedding}`]),
    `- Checked on ${spec.asOf}; to be checked again after ${spec.expires}`,
    '- Sources:',
    ...spec.sources.map((source) => `  - ${source}`),
  ];
}

function page() {
  const files = readdirSync(at('spec', 'providers')).filter((file) => file.endsWith('.json'));
  const specs = files.map((file) => JSON.parse(readFileSync(at('spec', 'providers', file), 'utf8')));
  const groups = Object.keys(ACCESS);
  specs.sort((a, b) => groups.indexOf(a.access) - groups.indexOf(b.access) || a.title.localeCompare(b.title));
  const lines = [
    '# Providers',
    '',
    'Generated from the JSON files in this folder by `npm run generate`. To correct a fact, edit the JSON',
    'file and run the command again.',
    '',
    'The limits are those of the default tier, per account unless stated otherwise. A number that a provider reports in an',
    'answer replaces a documented one for a day. The terms are a summary, not legal advice.',
    '',
    '| Provider | Variables | Limits | Cost | Do prompts train models, and are they kept? | Terms | Checked |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...specs.map(row),
    '',
    ...specs.flatMap((spec) => [...section(spec), '']),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

if (process.argv[2] !== '--check') {
  writeFileSync(PAGE, page());
} else if (readFileSync(PAGE, 'utf8') !== page()) {
  console.error('spec/providers/README.md differs from the JSON files. Run: npm run generate');
  process.exitCode = 1;
}
