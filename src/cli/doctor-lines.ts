/** The output of `freelm doctor`. */

import failures from '../../spec/failure-effects.json' with { type: 'json' };
import type { KeyCheck, KeyQuota, ProviderReport } from '../index.ts';
import type { Paint } from './paint.ts';
import { amountText } from '../money.ts';
import { cell } from './text.ts';

interface FailureRow {
  readonly check: { readonly works?: boolean; readonly state?: string; readonly advice?: string };
}

const FAILURES: Readonly<Record<string, FailureRow>> = failures.effects;

export function isFine({ works }: KeyCheck): boolean {
  return works === true;
}

const WINDOW_TEXTS: Readonly<Record<KeyQuota['window'], string>> = {
  second: 'a second',
  minute: 'a minute',
  hour: 'an hour',
  day: 'a day',
  month: 'a month',
  'at-once': 'at once',
};

/** One limit in words: `20 a minute`, `5–30 a minute per model`, `38 of 50 a day left`. */
export function quotaText({ unit, window, limit, highest, remaining, perModel }: KeyQuota): string {
  const what = unit === 'tokens' ? ' tokens' : '';
  const most = highest === undefined ? '' : `–${highest}`;
  const size = `${limit ?? '?'}${most}${what} ${WINDOW_TEXTS[window]}`;
  if (remaining !== undefined) return `${remaining} of ${size} left`;
  return perModel ? `${size} per model` : size;
}

function stateOf({ works, kind }: KeyCheck): string {
  if (works === true) return 'works';
  if (works === undefined || kind === undefined) return 'not known';
  return FAILURES[kind]?.check.state ?? kind.replaceAll('_', ' ');
}

function markOf({ works }: KeyCheck, paint: Paint): string {
  if (works === undefined) return paint('yellow', '?');
  return works ? paint('green', '✓') : paint('red', '✗');
}

const FREE_TEXTS: Readonly<Record<NonNullable<KeyCheck['freeBecause']>, string>> = {
  'hard-stop': 'free: the provider stops at its limits',
  'no-card': 'free: the account has no card',
  'own-machine': 'free: your own machine',
  'listed-price-0': 'free: listed at a price of 0',
  'answered-cost-0': 'free: its answers state a price of 0',
  unproven: 'said to be free',
};

/** One line with the key and its limits, then the provider's message and the advice. */
export function checkLines(check: KeyCheck, paint: Paint): readonly string[] {
  const { provider, key, tier, quotas, status, message, latencyMs, advice, freeBecause, cost } = check;
  const free = freeBecause === undefined ? 'billed' : FREE_TEXTS[freeBecause];
  const state = cell(stateOf(check), 9);
  const limits = quotas.map(quotaText).join(', ') || 'no limit known';
  const took = `${String(latencyMs).padStart(5)} ms`;
  const messages =
    message === undefined ? [] : [`${status === undefined ? '' : `HTTP ${status}: `}${message}`];
  return [
    `${markOf(check, paint)} ${cell(provider, 12)} ${cell(key, 12)} ${state} ${paint('dim', took)}  ${tier}: ${limits}; ${free}`,
    ...messages.map((line) => `    ${line}`),
    ...(cost === undefined ? [] : [`    Billed for the chat that checked it: ${amountText(cost)}`]),
    ...(advice === undefined ? [] : [`    ${paint('yellow', '→')} ${advice}`]),
  ];
}

function remarks({ title, problems, variables, isExpired, asOf }: ProviderReport): readonly string[] {
  if (!isExpired || variables.length === 0) return problems;
  return [...problems, `freelm's facts about ${title} date from ${asOf} and have expired: update freelm.`];
}

function remarkLines(report: ProviderReport, paint: Paint): readonly string[] {
  const mark = report.isRefused ? paint('red', '✗') : paint('yellow', '!');
  return remarks(report).map((line) => `${mark} ${line}`);
}

/** Problems with the environment, and the free providers that could be added. */
export function environmentLines(providers: readonly ProviderReport[], paint: Paint): readonly string[] {
  const wrong = providers.flatMap((report) => remarkLines(report, paint));
  const more = providers
    .filter(({ access, variables }) => access === 'default' && variables.length === 0)
    .map(({ title, needs, keysUrl = '' }) => `  ${cell(title, 22)} ${keysUrl}\n    ${needs}`);
  return [
    ...(wrong.length === 0 ? [] : ['', ...wrong]),
    ...(more.length === 0 ? [] : ['', 'More free providers, once you set their key:', ...more]),
  ];
}
