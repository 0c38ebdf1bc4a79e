/** A part of the status page's script: the last calls, with their attempts. */

export const PAGE_CALLS: string = String.raw`
/** @type {Record<StatusCall['state'], [Tone, string]>} */
const STATES = {
  running: ['calm', 'Running'],
  waiting: ['wait', 'Waiting'],
  served: ['good', 'Served'],
  failed: ['bad', 'Failed'],
  abandoned: ['calm', 'Abandoned'],
};

/** @param {StatusAttempt['outcome']} outcome @returns {Tone} */
function toneOf(outcome) {
  if (outcome === 'success') return 'good';
  return outcome === 'running' || outcome === 'abandoned' ? 'calm' : 'bad';
}

/** One attempt. */
function attemptView() {
  const word = make('span', 'word');
  const facts = make('span', 'quiet small');
  const route = make('p');
  const said = make('p', 'said small');
  const root = make('li', undefined, [make('p', undefined, [word, ' ', facts]), route, said]);
  return {
    root,
    /** @param {StatusAttempt} attempt @param {number} now */
    show(attempt, now) {
      const { outcome, status, latencyMs, startedAt, message, provider, key, model } = attempt;
      tell(word, toneOf(outcome), capital(spoken(outcome)));
      const parts = [status === undefined ? '' : 'HTTP ' + status, moment(startedAt, now), took(latencyMs ?? now - startedAt)];
      write(facts, parts.filter((part) => part !== '').join(' · '));
      write(route, provider + ' ' + key + ' · ' + model);
      said.hidden = message === undefined || message === '';
      write(said, message ?? '');
    },
  };
}

/** What a call came to, or where it is. @param {StatusCall} call @param {number} now */
function whereabouts(call, now) {
  const last = call.attempts.at(-1);
  if (call.state === 'waiting' && call.waitsUntil !== undefined) {
    return call.waitsUntil > now ? 'in line until ' + coming(call.waitsUntil, now) : 'in line';
  }
  if (last === undefined) return call.state === 'running' ? 'looking for a route' : 'no route was ready; nothing was sent';
  const parts = [last.provider, last.model];
  if (call.state === 'failed') parts.push(spoken(last.outcome));
  return parts.join(' · ');
}

/** One call. @param {StatusCall} first */
function callView(first) {
  const time = make('span', 'chevron');
  const word = make('span', 'word');
  const tail = make('span', 'call-tail quiet');
  const route = make('span', 'call-route small');
  const summary = make('summary', undefined, [time, word, tail, route]);
  const said = make('p', 'said small');
  const lost = make('p', 'quiet small');
  const list = make('ol', 'attempts');
  const details = make('details', undefined, [summary, make('div', 'call-panel', [said, lost, list])]);
  const root = make('li', 'call', [details]);
  mark(list, 'role', 'list');
  mark(list, 'aria-label', 'Attempts of call ' + first.call);
  /** @type {Map<string, ReturnType<typeof attemptView>>} */
  const views = new Map();
  return {
    root,
    /** @param {StatusCall} call @param {number} now */
    show(call, now) {
      const [tone, text] = STATES[call.state];
      write(time, moment(call.startedAt, now));
      tell(word, tone, text);
      write(tail, took((call.endedAt ?? now) - call.startedAt));
      write(route, whereabouts(call, now) + (call.attemptCount > 1 ? ' · ' + call.attemptCount + ' attempts' : ''));
      said.hidden = call.message === undefined;
      write(said, call.message ?? '');
      const missing = call.attemptCount - call.attempts.length;
      lost.hidden = missing === 0;
      write(lost, many(missing, 'earlier attempt') + ' not kept');
      const named = call.attempts.map((attempt, index) => /** @type {const} */ ([String(missing + index), attempt]));
      reconcile(list, views, named, { make: attemptView, now });
    },
  };
}

/** @type {Map<string, ReturnType<typeof callView>>} */
const calls = new Map();

/** @param {readonly StatusCall[]} latest @param {number} now */
function showCalls(latest, now) {
  const named = latest.map((call) => /** @type {const} */ ([String(call.call), call]));
  reconcile(byId('call-list'), calls, named, { make: callView, now });
  byId('call-list').hidden = calls.size === 0;
  byId('no-calls').hidden = calls.size > 0;
}
`;
