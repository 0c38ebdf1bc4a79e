/** What the doctor found, in lines. */

import failures from '../../spec/failure-effects.json' with { type: 'json' };
import type { KeyCheck, KeyQuota, ProviderReport } from '../index.ts';
import type { Paint } from './paint.ts';
import { cell } from './text.ts';

/** Whether a check found nothing to fix. */
export function isFine({ works }: KeyCheck): boolean {
  return works === true;
}

const UNTIL: Readonly<Record<KeyQuota['window'], string>> = {
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
  const size = `${limit ?? '?'}${most}${what} ${UNTIL[window]}`;
  if (remaining !== undefined) return `${remaining} of ${size} left`;
  return perModel ? `${size} per model` : size;
}

function stateOf({ works, kind }: KeyCheck): string {
  if (works === true) return 'works';
  if (works === undefined || kind === undefined) return 'not known';
  const check: { works?: boolean; state?: string; advice?: string } = failures.effects[kind].check;
  return check.state ?? kind.replaceAll('_', ' ');
}

function markOf({ works }: KeyCheck, paint: Paint): string {
  if (works === undefined) return paint('yellow', '?');
  return works ? paint('green', '✓') : paint('red', '✗');
}

/** A check: the key and its limits on one line, what was said and what to do below. */
export function checkLines(check: KeyCheck, paint: Paint): readonly string[] {
  const { provider, key, tier, quotas, status, message, latencyMs, advice } = check;
  const state = cell(stateOf(check), 9);
  const limits = quotas.map(quotaText).join(', ') || 'no limit is known';
  const took = `${String(latencyMs).padStart(5)} ms`;
  const said = message === undefined ? [] : [`${status === undefined ? '' : `HTTP ${status}: `}${message}`];
  return [
    `${markOf(check, paint)} ${cell(provider, 12)} ${cell(key, 12)} ${state} ${paint('dim', took)}  ${tier}: ${limits}`,
    ...said.map((line) => `    ${line}`),
    ...(advice === undefined ? [] : [`    ${paint('yellow', '→')} ${advice}`]),
  ];
}

function remarks({ title, problems, variables, isExpired, asOf }: ProviderReport): readonly string[] {
  if (!isExpired || variables.length === 0) return problems;
  return [...problems, `What freelm knows of ${title} is of ${asOf} and out of date: update freelm.`];
}

function remarkLines(report: ProviderReport, paint: Paint): readonly string[] {
  const mark = report.isRefused ? paint('red', '✗') : paint('yellow', '!');
  return remarks(report).map((line) => `${mark} ${line}`);
}

/** What is wrong with the variables and the presets, and what could be added. */
export function environmentLines(providers: readonly ProviderReport[], paint: Paint): readonly string[] {
  const wrong = providers.flatMap((report) => remarkLines(report, paint));
  const more = providers
    .filter(({ access, variables }) => access === 'default' && variables.length === 0)
    .map(({ title, needs }) => `  ${cell(title, 22)} ${needs}`);
  return [
    ...(wrong.length === 0 ? [] : ['', ...wrong]),
    ...(more.length === 0 ? [] : ['', 'More that is free, once its key is set:', ...more]),
  ];
}
