/** Polls the status, shows it, and reports the state of the connection. */

import { showCalls } from './calls.js';
import { byId, make, setAttribute, setText, showLines } from './dom.js';
import { clockText, countText, durationText, futureText, numberText } from './format.js';
import { showKeys, withIds } from './keys.js';
import { authorization, post, TIMEOUT_MS, token } from './server.js';
import { startTrying } from './try.js';

/** @import { Status } from '../status.ts' */

const POLL_MS = 1000;
const POLL_HIDDEN_MS = 15_000;
const MAX_RETRY_MS = 30_000;
const MAX_NEWS = 4;
/** The calls that a narrow page shows at first. The style has the same number. */
const FIRST_CALLS = 6;
/** A smaller difference between the clocks is not worth a remark. */
const MAX_SKEW_MS = 5000;

const state = {
  /** @type {Status | undefined} */ status: undefined,
  receivedAt: 0,
  /** @type {'connecting' | 'live' | 'lost' | 'locked'} */ link: 'connecting',
  lostReason: '',
  lostAt: 0,
  failures: 0,
  nextPollAt: 0,
  isPaused: false,
  /** The number of the latest poll. The response to an older one is dropped. */
  poll: 0,
  /** @type {number | undefined} */ timer: undefined,
  /** @type {Map<string, string>} */ announced: new Map(),
  skewMs: 0,
};

/**
 * The server's time, whatever this machine's clock says.
 * @param {Status} status
 */
function serverNow(status) {
  return status.at + (performance.now() - state.receivedAt);
}

/**
 * Has a screen reader read out what has changed.
 * @param {readonly string[]} news
 */
function announce(news) {
  if (news.length === 0) return;
  setText(byId('news'), news.slice(0, MAX_NEWS).join('. ') + (news.length > MAX_NEWS ? '. And more.' : '.'));
}

/** @param {Status['keys'][number]} key */
function standingOf({ disabled, breaker }) {
  if (disabled) return 'disabled';
  return breaker === 'open' ? 'down' : 'up again';
}

/**
 * What has changed since the last status, in sentences.
 * @param {Status} status
 */
function changesOf({ keys }) {
  const before = state.announced;
  /** @type {Map<string, string>} */
  const after = new Map();
  const news = [];
  for (const [id, key] of withIds(keys)) {
    const name = `${key.provider} ${id}`;
    const standing = standingOf(key);
    const last = before.get(name) ?? standing;
    // A key that is being probed is not up again yet.
    const isSame = last === standing || (key.breaker === 'half-open' && !key.disabled);
    after.set(name, isSame ? last : standing);
    if (isSame) continue;
    const reason = standing === 'up again' || key.reason === undefined ? '' : `: ${key.reason}`;
    news.push(`${key.provider} ${key.key} is ${standing}${reason}`);
  }
  const ready = keys.some((key) => key.ready) ? 'some' : 'none';
  if (ready !== (before.get('ready') ?? ready))
    news.push(ready === 'none' ? 'No key is ready' : 'A key is ready again');
  after.set('ready', ready);
  state.announced = after;
  return news;
}

/**
 * When the next request can be sent.
 * @param {Status['capacity']} capacity
 * @param {number} now
 */
function nextText({ nextAt }, now) {
  if (typeof nextAt !== 'number') return 'no route';
  return nextAt <= now ? 'can be sent at once' : `next ${futureText(nextAt, now)}`;
}

/**
 * @param {Status} status
 * @param {number} now
 */
function showSummary({ keys, capacity, totals, version }, now) {
  const ready = keys.filter((key) => key.ready).length;
  const down = keys.filter((key) => key.disabled || key.breaker === 'open').length;
  const aborted = totals.aborted > 0 ? [`${totals.aborted} aborted`] : [];
  const refused = totals.refused > 0 ? [`${totals.refused} refused`] : [];
  const unserved = [`${totals.failure} failed`, ...refused, ...aborted].join(', ');
  setText(byId('version'), version);
  setText(byId('ready'), `${ready} of ${keys.length}`);
  setText(byId('ready-more'), down === 0 ? 'none is down' : `${countText(down, 'key')} down`);
  setText(byId('left-now'), numberText(capacity.requestsNow));
  setText(byId('left-now-more'), nextText(capacity, now));
  setText(byId('left-today'), numberText(capacity.requestsToday));
  setText(byId('served'), numberText(totals.success));
  setText(byId('served-more'), `${unserved} · ${countText(totals.attempts, 'attempt')}`);
  if (state.link !== 'lost') document.title = `${ready}/${keys.length} ready · freelm`;
}

/** @param {readonly string[]} warnings */
function showWarnings(warnings) {
  byId('warnings').hidden = warnings.length === 0;
  showLines(byId('warning-list'), () => make('li'), warnings.toReversed());
}

function linkText() {
  const retry = state.isPaused ? '' : `; next try in ${durationText(state.nextPollAt - performance.now())}`;
  switch (state.link) {
    case 'connecting':
      return 'Connecting…';
    case 'live':
      return state.isPaused ? 'Paused' : 'Live';
    case 'lost':
      return `${state.lostReason} since ${clockText(state.lostAt)}${retry}`;
    case 'locked':
      return 'Locked';
  }
}

function showLink() {
  const { link, isPaused, status, skewMs } = state;
  const isLocked = link === 'locked';
  setText(byId('link'), linkText());
  const tone = link === 'live' && !isPaused ? 'good' : 'calm';
  setAttribute(byId('link'), 'data-tone', link === 'lost' ? 'bad' : tone);
  byId('pause').hidden = isLocked;
  const isGone = link === 'lost' && status !== undefined;
  byId('gone').hidden = !isGone;
  byId('board').classList.toggle('stale', isGone);
  if (isGone) {
    setText(byId('gone'), `The server is gone: ${linkText()}. The page shows what it was before.`);
    document.title = 'server gone · freelm';
  }
  const retry = byId('retry');
  const hadFocus = retry === document.activeElement;
  retry.hidden = link !== 'lost';
  if (retry.hidden && hadFocus) byId('pause').focus();
  byId('forget').hidden = token.value === '' || isLocked;
  byId('reset').hidden = isLocked || status === undefined;
  byId('gate').hidden = !isLocked;
  byId('board').hidden = isLocked || status === undefined;
  byId('skew').hidden = byId('board').hidden || Math.abs(skewMs) < MAX_SKEW_MS;
  const difference = `${durationText(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'}`;
  setText(
    byId('skew'),
    `This browser's clock is ${difference} the server's. The page shows the server's time.`,
  );
}

function baseUrl() {
  return new URL('v1', location.href).href;
}

/** Copies the base URL. Without a secure origin, browsers only let a person copy: it is selected then. */
async function copyBaseUrl() {
  const field = byId('base-url');
  try {
    await navigator.clipboard.writeText(baseUrl());
    announce(['Copied']);
    setText(byId('copy'), 'Copied');
  } catch {
    if (field instanceof HTMLInputElement) field.select();
  }
}

/**
 * On a narrow page, only the first calls are shown at first.
 * @param {number} count
 */
function showMoreCalls(count) {
  const isWhole = byId('call-list').classList.contains('whole');
  byId('all-calls').hidden = isWhole || count <= FIRST_CALLS;
  setText(byId('all-calls'), `Show all ${count} calls`);
}

/** Shows how to send a call. */
function showExample() {
  const field = byId('base-url');
  if (field instanceof HTMLInputElement && field.value !== baseUrl()) field.value = baseUrl();
  const body = { model: 'auto', messages: [{ role: 'user', content: 'Hello' }] };
  const lines = [
    `curl ${new URL('v1/chat/completions', location.href).href}`,
    ...(token.value === '' ? [] : ["-H 'authorization: Bearer …'"]),
    "-H 'content-type: application/json'",
    `-d '${JSON.stringify(body)}'`,
  ];
  setText(byId('example'), lines.join(' \\\n  '));
}

function show() {
  showLink();
  if (state.status === undefined || state.link === 'locked') return;
  const now = serverNow(state.status);
  showSummary(state.status, now);
  showKeys(state.status.keys, now);
  showCalls(state.status.calls, now);
  showMoreCalls(state.status.calls.length);
  showWarnings(state.status.warnings);
  showExample();
}

/** @param {Status} status */
function onStatus(status) {
  // The page may not understand the status of another version.
  if (state.status !== undefined && state.status.version !== status.version) {
    location.reload();
    return;
  }
  const news = changesOf(status);
  if (state.link === 'lost') news.unshift('The server answers again');
  state.status = status;
  state.receivedAt = performance.now();
  state.skewMs = Date.now() - status.at;
  state.link = 'live';
  state.failures = 0;
  announce(news);
}

/** @param {string} reason */
function onFailure(reason) {
  if (state.link !== 'lost') {
    state.lostAt = state.status === undefined ? Date.now() : serverNow(state.status);
    announce([reason]);
  }
  state.link = 'lost';
  state.lostReason = reason;
  state.failures += 1;
}

function onUnauthorized() {
  const isRejected = token.value !== '';
  const isNew = state.link !== 'locked';
  token.set('');
  state.link = 'locked';
  state.status = undefined;
  const request = 'Enter the token that the server was started with.';
  setText(byId('gate-note'), isRejected ? 'That token was not accepted.' : request);
  showLink();
  if (isNew || isRejected) byId('token').focus();
}

const RESET_QUESTION =
  'Forget used quotas, pauses and refused keys? The providers still count what was used, so they may refuse the next requests.';

/**
 * Has the server forget what it remembers of keys.
 * @param {{ provider?: string, key?: string }} which - Default: all keys.
 * @param {string} news - What to announce then.
 */
async function reset(which, news) {
  try {
    const response = await post('reset', which, AbortSignal.timeout(TIMEOUT_MS));
    announce([response.ok ? news : `The server answers ${response.status}`]);
  } catch {
    announce(['No answer from the server']);
  }
  void poll();
}

/**
 * Requests the status.
 * @returns {Promise<() => void>} Applies the response.
 */
async function fetchStatus() {
  const headers = authorization();
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch('status', { headers, signal, cache: 'no-store', credentials: 'omit' });
    if (response.status === 401) return onUnauthorized;
    if (!response.ok) return () => onFailure(`The server answers ${response.status}`);
    /** @type {Status} */
    // oxlint-disable-next-line typescript/no-unsafe-assignment -- the page comes from the same server
    const status = await response.json();
    return () => onStatus(status);
  } catch {
    return () => onFailure('No answer from the server');
  }
}

function delayMs() {
  if (state.link === 'lost') return Math.min(MAX_RETRY_MS, POLL_MS * 2 ** (state.failures - 1));
  return document.hidden ? POLL_HIDDEN_MS : POLL_MS;
}

/** Requests the status now, and schedules the next poll. */
async function poll() {
  clearTimeout(state.timer);
  state.poll += 1;
  const current = state.poll;
  const apply = await fetchStatus();
  if (current !== state.poll) return;
  apply();
  if (state.link !== 'locked' && !state.isPaused) {
    state.nextPollAt = performance.now() + delayMs();
    state.timer = window.setTimeout(() => void poll(), delayMs());
  }
  show();
}

byId('pause').addEventListener('click', () => {
  state.isPaused = !state.isPaused;
  setAttribute(byId('pause'), 'aria-pressed', String(state.isPaused));
  clearTimeout(state.timer);
  state.poll += 1;
  if (!state.isPaused) void poll();
  showLink();
});
byId('retry').addEventListener('click', () => void poll());
byId('reset').addEventListener('click', () => {
  if (window.confirm(RESET_QUESTION)) void reset({}, 'The keys are reset');
});
byId('providers').addEventListener('enable', (event) => {
  if (!(event instanceof CustomEvent)) return;
  /** @type {{ provider: string, key: string }} */
  // oxlint-disable-next-line typescript/no-unsafe-assignment -- sent by the view of the key
  const { provider, key } = event.detail;
  void reset({ provider, key }, `${provider} ${key} is enabled again`);
});
byId('copy').addEventListener('click', () => void copyBaseUrl());
byId('all-calls').addEventListener('click', () => {
  byId('call-list').classList.add('whole');
  showMoreCalls(state.status?.calls.length ?? 0);
});
byId('forget').addEventListener('click', () => {
  token.set('');
  void poll();
});
byId('gate').addEventListener('submit', (event) => {
  event.preventDefault();
  const field = byId('token');
  if (!(field instanceof HTMLInputElement) || field.value === '') return;
  token.set(field.value);
  field.value = '';
  void poll();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !state.isPaused && state.link !== 'locked') void poll();
});
// Keeps the countdown running while the server does not answer.
setInterval(() => {
  if (state.link === 'lost' && !document.hidden) show();
}, POLL_MS);

startTrying({ onEnd: () => void poll() });
token.read();
void poll();
