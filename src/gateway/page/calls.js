/** The last calls, with their attempts. */

import { byId, make, reconcile, setAttribute, setState, setText } from './dom.js';
import { capitalised, countText, futureText, latencyText, momentText, wordsOf } from './format.js';

/**
 * @import { StatusAttempt, StatusCall } from '../status-calls.ts'
 * @import { Tone, View } from './dom.js'
 */

/** @type {Record<StatusCall['state'], Tone>} */
const TONES = {
  running: 'calm',
  waiting: 'wait',
  success: 'good',
  failure: 'bad',
  refused: 'bad',
  aborted: 'calm',
};

/** @type {Record<StatusCall['state'], string>} */
const WORDS = {
  running: 'Running',
  waiting: 'Waiting',
  success: 'Served',
  failure: 'Failed',
  refused: 'Refused',
  aborted: 'Aborted',
};

/**
 * @param {StatusAttempt['outcome']} outcome
 * @returns {Tone}
 */
function toneOf(outcome) {
  if (outcome === 'success') return 'good';
  return outcome === 'running' || outcome === 'aborted' ? 'calm' : 'bad';
}

/** @returns {View<StatusAttempt>} */
function attemptView() {
  const word = make('span', 'word');
  const facts = make('span', 'quiet small');
  const route = make('p');
  const text = make('p', 'message small');
  const root = make('li', undefined, [make('p', undefined, [word, ' ', facts]), route, text]);
  return {
    root,
    show({ outcome, status, latencyMs, startedAt, message = '', provider, key, model }, now) {
      setState(word, toneOf(outcome), capitalised(wordsOf(outcome)));
      const http = status === undefined ? [] : [`HTTP ${status}`];
      const parts = [...http, momentText(startedAt, now), latencyText(latencyMs ?? now - startedAt)];
      setText(facts, parts.join(' · '));
      setText(route, `${provider} ${key} · ${model}`);
      text.hidden = message === '';
      setText(text, message);
    },
  };
}

/**
 * Where a call is, or how it ended.
 * @param {StatusCall} call
 * @param {number} now
 */
function progressText({ state, status, code, waitsUntil, attempts }, now) {
  const last = attempts.at(-1);
  if (state === 'refused') return `HTTP ${status ?? ''}${code === undefined ? '' : ` · ${wordsOf(code)}`}`;
  if (state === 'waiting' && waitsUntil !== undefined)
    return waitsUntil > now ? `waiting until ${futureText(waitsUntil, now)}` : 'waiting for a route';
  if (last === undefined)
    return state === 'running' ? 'looking for a route' : 'no route was ready; nothing was sent';
  const parts = [last.provider, last.model];
  if (state === 'failure') parts.push(wordsOf(last.outcome));
  return parts.join(' · ');
}

/**
 * @param {StatusCall} first
 * @returns {View<StatusCall>}
 */
function callView(first) {
  const time = make('span', 'chevron');
  const word = make('span', 'word');
  const duration = make('span', 'call-duration quiet');
  const route = make('span', 'call-route small');
  const summary = make('summary', undefined, [time, word, duration, route]);
  const text = make('p', 'message small');
  const omitted = make('p', 'quiet small');
  const list = make('ol', 'attempts');
  const details = make('details', undefined, [summary, make('div', 'call-panel', [text, omitted, list])]);
  setAttribute(list, 'role', 'list');
  setAttribute(list, 'aria-label', `Attempts of ${first.id}`);
  /** @type {Map<string, View<StatusAttempt>>} */
  const views = new Map();
  return {
    root: make('li', 'call', [details]),
    show(call, now) {
      const { state, startedAt, endedAt = now, message = '', attempts, attemptCount } = call;
      setText(time, momentText(startedAt, now));
      setState(word, TONES[state], WORDS[state]);
      setText(duration, latencyText(endedAt - startedAt));
      const count = attemptCount > 1 ? ` · ${attemptCount} attempts` : '';
      const chain = call.chain === undefined ? '' : ` (${call.chain})`;
      const asked = state === 'refused' ? '' : `${call.model ?? 'auto'}${chain} → `;
      const stayed = call.lastRoute === undefined ? '' : ` · conversation on ${call.lastRoute}`;
      const protocol = call.route === undefined ? '' : ` · ${call.route}`;
      setText(route, asked + progressText(call, now) + count + protocol + stayed);
      text.hidden = message === '';
      setText(text, message);
      const omittedCount = attemptCount - attempts.length;
      omitted.hidden = omittedCount === 0;
      setText(omitted, `${countText(omittedCount, 'earlier attempt')} not shown`);
      const items = attempts.map(
        (attempt, index) => /** @type {const} */ ([String(omittedCount + index), attempt]),
      );
      reconcile(list, views, items, { make: attemptView, now });
    },
  };
}

/** @type {Map<string, View<StatusCall>>} */
const callViews = new Map();

/**
 * @param {readonly StatusCall[]} calls
 * @param {number} now
 */
export function showCalls(calls, now) {
  const items = calls.map((call) => /** @type {const} */ ([call.id, call]));
  reconcile(byId('call-list'), callViews, items, { make: callView, now });
  byId('call-list').hidden = callViews.size === 0;
  byId('no-calls').hidden = callViews.size > 0;
}
