/** A part of the status page's script: asks for the status, shows it, and says how it stands with the server. */

export const PAGE_SCRIPT: string = String.raw`
const EVERY_MS = 1000;
const HIDDEN_MS = 15000;
const LONGEST_MS = 30000;
const PATIENCE_MS = 10000;
const TOKEN = 'freelm.token';

/** What is known. now() is the server's, whatever this machine's clock says. */
const state = {
  /** @type {Status | undefined} */ status: undefined,
  receivedAt: 0,
  /** @type {'first' | 'live' | 'lost' | 'gate'} */ link: 'first',
  why: '',
  failures: 0,
  lostAt: 0,
  nextAt: 0,
  paused: false,
  turn: 0,
  /** @type {number | undefined} */ timer: undefined,
  /** @type {Map<string, string>} */ standings: new Map(),
  skewMs: 0,
};

/** @param {Status} status */
function now(status) {
  return status.at + (performance.now() - state.receivedAt);
}

/** Storage can be switched off: then the token lasts as long as the page. */
const token = {
  value: '',
  read() {
    try {
      this.value = sessionStorage.getItem(TOKEN) ?? '';
    } catch {}
  },
  /** @param {string} value */
  keep(value) {
    this.value = value;
    try {
      if (value === '') sessionStorage.removeItem(TOKEN);
      else sessionStorage.setItem(TOKEN, value);
    } catch {}
  },
};

/** Read out, politely, and only what changes a key's standing or the link. @param {readonly string[]} news */
function announce(news) {
  if (news.length > 0) write(byId('news'), news.slice(0, 4).join('. ') + (news.length > 4 ? '. And more.' : '.'));
}

/** What has changed since the last look. @param {Status} status @returns {string[]} */
function changes(status) {
  const before = state.standings;
  /** @type {Map<string, string>} */
  const after = new Map();
  const news = [];
  for (const [name, key] of namedKeys(status.keys)) {
    const id = key.provider + ' ' + name;
    const is = key.disabled ? 'disabled' : key.breaker === 'open' ? 'down' : 'up again';
    const was = before.get(id) ?? is;
    // A key that is tried again has not come back yet.
    const stays = was === is || (key.breaker === 'half-open' && !key.disabled);
    after.set(id, stays ? was : is);
    if (stays) continue;
    const why = is === 'up again' || key.reason === undefined ? '' : ': ' + key.reason;
    news.push(key.provider + ' ' + key.key + ' is ' + is + why);
  }
  const any = status.keys.some((key) => key.ready) ? 'some' : 'none';
  if (any !== (before.get('any') ?? any)) news.push(any === 'none' ? 'No key is ready' : 'A key is ready again');
  after.set('any', any);
  state.standings = after;
  return news;
}

/** @param {Status} status @param {number} at */
function showSummary(status, at) {
  const { keys, capacity, totals } = status;
  const ready = keys.filter((key) => key.ready).length;
  write(byId('version'), status.version);
  write(byId('ready'), ready + ' of ' + keys.length);
  const down = keys.filter((key) => key.disabled || key.breaker === 'open').length;
  write(byId('ready-more'), down === 0 ? 'none is down' : many(down, 'key') + ' down');
  write(byId('left-now'), count.format(capacity.requestsNow));
  const { nextAt } = capacity;
  const never = nextAt === undefined || nextAt === null;
  write(byId('left-now-more'), never ? 'no route' : nextAt <= at ? 'can go out at once' : 'next ' + coming(nextAt, at));
  write(byId('left-today'), count.format(capacity.requestsToday));
  write(byId('served'), count.format(totals.served));
  const rest = [totals.failed + ' failed'];
  if (totals.abandoned > 0) rest.push(totals.abandoned + ' abandoned');
  write(byId('served-more'), rest.join(', ') + ' · ' + many(totals.attempts, 'attempt'));
  document.title = ready + '/' + keys.length + ' ready · freelm';
}

/** @param {readonly string[]} warnings */
function showWarnings(warnings) {
  const list = byId('warning-list');
  byId('warnings').hidden = warnings.length === 0;
  const newest = warnings.toReversed();
  while (list.children.length > newest.length) list.lastChild?.remove();
  while (list.children.length < newest.length) list.append(make('li'));
  newest.forEach((text, index) => write(list.children[index], text));
}

function showLink() {
  const link = byId('link');
  const next = state.paused ? '' : '; next try in ' + span(state.nextAt - performance.now());
  const text = {
    first: 'Connecting…',
    live: state.paused ? 'Paused' : 'Live',
    lost: state.why + ' since ' + clock.format(state.lostAt) + next,
    gate: 'Locked',
  }[state.link];
  write(link, text);
  mark(link, 'data-tone', state.link === 'lost' ? 'bad' : state.link === 'live' && !state.paused ? 'good' : 'calm');
  byId('pause').hidden = state.link === 'gate';
  const retry = byId('retry');
  const hadFocus = retry === document.activeElement;
  retry.hidden = state.link !== 'lost';
  if (retry.hidden && hadFocus) byId('pause').focus();
  byId('forget').hidden = token.value === '' || state.link === 'gate';
  byId('gate').hidden = state.link !== 'gate';
  byId('board').hidden = state.link === 'gate' || state.status === undefined;
  const skew = byId('skew');
  skew.hidden = byId('board').hidden || Math.abs(state.skewMs) < 5000;
  const way = state.skewMs > 0 ? ' ahead of' : ' behind';
  write(skew, "This browser's clock is " + span(Math.abs(state.skewMs)) + way + " the server's. Times are the server's.");
}

/** How to send a call. */
function showExample() {
  const lines = [
    'curl ' + new URL('v1/chat/completions', location.href).href,
    ...(token.value === '' ? [] : ["-H 'authorization: Bearer …'"]),
    "-H 'content-type: application/json'",
    "-d '" + JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hello' }] }) + "'",
  ];
  write(byId('example'), lines.join(' \\\n  '));
}

/** Shows what is known, as of now. */
function show() {
  showLink();
  if (state.status === undefined || state.link === 'gate') return;
  const at = now(state.status);
  showSummary(state.status, at);
  showKeys(state.status.keys, at);
  showCalls(state.status.calls, at);
  showWarnings(state.status.warnings);
  showExample();
}

/** @param {Status} status */
function take(status) {
  // A page of another version may not understand it.
  if (state.status !== undefined && state.status.version !== status.version) return location.reload();
  const news = changes(status);
  if (state.link === 'lost') news.unshift('The server answers again');
  state.status = status;
  state.receivedAt = performance.now();
  state.skewMs = Date.now() - status.at;
  state.link = 'live';
  state.failures = 0;
  announce(news);
}

/** @param {string} why */
function lose(why) {
  if (state.link !== 'lost') {
    state.lostAt = state.status === undefined ? Date.now() : now(state.status);
    announce([why]);
  }
  state.link = 'lost';
  state.why = why;
  state.failures += 1;
}

function lock() {
  const wasRefused = token.value !== '';
  const isNew = state.link !== 'gate';
  token.keep('');
  state.link = 'gate';
  state.status = undefined;
  write(byId('gate-note'), wasRefused ? 'That token was not accepted.' : 'The status needs the token that the server was started with.');
  showLink();
  if (isNew || wasRefused) byId('token').focus();
}

/** Asks once; what is returned takes the answer in. */
async function ask() {
  const headers = token.value === '' ? undefined : { authorization: 'Bearer ' + token.value };
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch('status', { headers, signal, cache: 'no-store', credentials: 'omit' });
    if (response.status === 401) return lock;
    if (!response.ok) return () => lose('The server answers ' + response.status);
    const status = await response.json();
    return () => take(status);
  } catch {
    return () => lose('No answer from the server');
  }
}

function delay() {
  if (state.link === 'lost') return Math.min(LONGEST_MS, EVERY_MS * 2 ** (state.failures - 1));
  return document.hidden ? HIDDEN_MS : EVERY_MS;
}

/** Asks now, and then again and again. */
async function poll() {
  clearTimeout(state.timer);
  const turn = (state.turn += 1);
  const learn = await ask();
  // Somebody has asked anew meanwhile, or wants to know no more.
  if (turn !== state.turn) return;
  learn();
  if (state.link !== 'gate' && !state.paused) {
    state.nextAt = performance.now() + delay();
    state.timer = window.setTimeout(poll, delay());
  }
  show();
}

byId('pause').addEventListener('click', () => {
  state.paused = !state.paused;
  mark(byId('pause'), 'aria-pressed', String(state.paused));
  clearTimeout(state.timer);
  state.turn += 1;
  if (!state.paused) poll();
  showLink();
});
byId('retry').addEventListener('click', poll);
byId('forget').addEventListener('click', () => {
  token.keep('');
  poll();
});
byId('gate').addEventListener('submit', (event) => {
  event.preventDefault();
  const field = byId('token');
  if (!(field instanceof HTMLInputElement) || field.value === '') return;
  token.keep(field.value);
  field.value = '';
  poll();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !state.paused && state.link !== 'gate') poll();
});
// Between two answers the time goes on.
window.setInterval(() => {
  if (state.link === 'lost' && !document.hidden) show();
}, EVERY_MS);

token.read();
poll();
`;
