/** The keys, with their quotas. */

import { byId, make, reconcile, setAttribute, setState, setText, showLines } from './dom.js';
import {
  billText,
  capitalised,
  countText,
  futureText,
  latencyText,
  momentText,
  numberText,
  wordsOf,
} from './format.js';

/**
 * @import { StatusKey, StatusLimit } from '../status.ts'
 * @import { Tone, View } from './dom.js'
 */

/**
 * A limit as a bar.
 * @param {string} owner
 */
function limitView(owner) {
  const name = make('span');
  const used = make('span', 'count');
  const bar = make('div', 'bar', [make('div')]);
  const model = make('p', 'limit-model quiet small');
  const returns = make('p', 'quiet small');
  const head = make('div', 'limit-head small', [name, used]);
  setAttribute(bar, 'role', 'meter');
  setAttribute(bar, 'aria-valuemin', '0');
  return {
    root: make('div', 'limit', [head, bar, model, returns]),
    /**
     * @param {StatusLimit | undefined} limit
     * @param {string} title
     * @param {number} now
     * @param {string} [whole] - What a limit of no single model is of.
     */
    show(limit, title, now, whole) {
      setText(name, title);
      bar.hidden = limit === undefined;
      model.hidden = limit === undefined || (limit.model ?? whole) === undefined;
      setText(model, limit?.model ?? whole ?? '');
      setText(used, limit === undefined ? '' : `${numberText(limit.used)} / ${numberText(limit.limit)}`);
      setText(returns, returnText(limit, now));
      if (limit !== undefined) showBar(bar, limit, { title, owner, now });
    },
  };
}

/**
 * When the spent part of a limit is available again. A moment that never comes is null in JSON.
 * @param {StatusLimit | undefined} limit
 * @param {number} now
 */
function returnText(limit, now) {
  if (limit === undefined) return 'no limit known';
  if (limit.used === 0) return 'nothing spent';
  return typeof limit.returnsAt === 'number' ? `back ${futureText(limit.returnsAt, now)}` : 'not by waiting';
}

/**
 * @param {HTMLElement} bar
 * @param {StatusLimit} limit
 * @param {{ readonly title: string, readonly owner: string, readonly now: number }} labels
 */
function showBar(bar, { model, used, limit, unit, returnsAt }, { title, owner, now }) {
  bar.style.setProperty('--share', String(limit > 0 ? used / limit : 1));
  setAttribute(bar, 'data-spent', used >= limit ? 'yes' : 'no');
  setAttribute(bar, 'aria-label', `${title} quota of ${owner}${model === undefined ? '' : `, ${model}`}`);
  setAttribute(bar, 'aria-valuemax', String(limit));
  setAttribute(bar, 'aria-valuenow', String(used));
  const returns = typeof returnsAt === 'number' && used > 0 ? `, back ${momentText(returnsAt, now)}` : '';
  setAttribute(bar, 'aria-valuetext', `${used} of ${limit} ${unit} used${returns}`);
}

/** @param {StatusLimit} limit */
function titleOf({ window, unit }) {
  const title = window === 'at-once' ? 'At once' : capitalised(window);
  return unit === 'tokens' ? `${title}, tokens` : title;
}

/**
 * @param {StatusKey} key
 * @returns {[Tone, string]}
 */
function stateOf(key) {
  if (key.disabled) return ['bad', 'Disabled'];
  if (key.ready) return key.breaker === 'half-open' ? ['wait', 'Ready for a probe'] : ['good', 'Ready'];
  if (key.breaker === 'open') return ['bad', 'Down'];
  return ['wait', key.breaker === 'half-open' ? 'Being probed' : 'Not ready'];
}

/**
 * What a limit of no single model is of.
 * @param {StatusKey} key
 */
function wholeOf({ sharedBy }) {
  return sharedBy > 1 ? `account with ${sharedBy} keys` : 'whole account';
}

/**
 * @param {StatusKey} key
 * @param {number} now
 */
function restingText({ resting }, now) {
  const [soonest] = resting;
  if (soonest === undefined) return '';
  const until = typeof soonest.readyAt === 'number' ? `, back ${futureText(soonest.readyAt, now)}` : '';
  const others = resting.length > 1 ? `; ${resting.length - 1} more in the details` : '';
  return `${countText(resting.length, 'model')} resting: ${soonest.model}${until}${others}`;
}

const BREAKERS = {
  closed: 'breaker closed',
  open: 'breaker open',
  'half-open': 'breaker half-open: one call at a time probes the key',
};

/**
 * @param {StatusKey} key
 * @param {number} now
 */
function readyText({ ready, readyAt, disabled }, now) {
  if (ready) return '';
  if (typeof readyAt !== 'number') return 'not by waiting';
  const verb = disabled ? 'retried' : 'ready';
  return `${verb} ${readyAt <= now ? 'any moment' : futureText(readyAt, now)}`;
}

/**
 * @param {StatusKey} key
 * @param {number} now
 */
function detailLines({ account, sharedBy, lastError, latencyMs, billed, resting }, now) {
  const shared = sharedBy > 1 ? `, shared by ${sharedBy} keys: they have one quota together` : '';
  const lines = [`Account ${account}${shared}`];
  if (latencyMs !== undefined) lines.push(`Answers take about ${latencyText(latencyMs)}`);
  if (billed !== undefined) lines.push(`Billed: ${billText(billed)}`);
  for (const { model, reason = '', readyAt } of resting) {
    const until = typeof readyAt === 'number' ? `, back ${futureText(readyAt, now)}` : '';
    lines.push(`Resting: ${model}, ${reason}${until}`);
  }
  if (lastError === undefined) return [...lines, 'No failure yet'];
  const { at, model, kind, message } = lastError;
  return [...lines, `Last failure: ${momentText(at, now)}, ${model}, ${wordsOf(kind)}: ${message}`];
}

/**
 * The limits for the details, by model. The row shows two limits already: they are left out, unless other limits of the
 * same key are shown.
 * @param {StatusKey} key
 */
function limitsByModel({ minute, day, spent }) {
  const shown = new Set([minute, day].map((limit) => JSON.stringify(limit)));
  const others = spent.filter((limit) => !shown.has(JSON.stringify(limit)));
  /** @type {Map<string, StatusLimit[]>} */
  const groups = new Map();
  for (const limit of spent) {
    if (limit.model === undefined ? !others.includes(limit) : others.length === 0) continue;
    const model = limit.model ?? 'All models';
    groups.set(model, [...(groups.get(model) ?? []), limit]);
  }
  return groups;
}

/**
 * The details of a key, below its row.
 * @param {string} owner
 */
function detailsView(owner) {
  const list = make('ul');
  const facts = make('div', 'small quiet');
  const root = make('div', 'key-panel', [facts, list]);
  root.hidden = true;
  /** @type {Map<string, View<readonly StatusLimit[]>>} */
  const views = new Map();
  return {
    root,
    /**
     * @param {StatusKey} key
     * @param {number} now
     */
    show(key, now) {
      showLines(facts, () => make('p', 'message'), detailLines(key, now));
      const groups = limitsByModel(key);
      list.hidden = groups.size === 0;
      reconcile(list, views, [...groups], { now, make: (limits) => modelView(limits, owner) });
    },
  };
}

/**
 * The limits of one model.
 * @param {readonly StatusLimit[]} first
 * @param {string} owner
 * @returns {View<readonly StatusLimit[]>}
 */
function modelView(first, owner) {
  const list = make('div');
  /** @type {Map<string, View<StatusLimit>>} */
  const views = new Map();
  const makeView = () => {
    const view = limitView(owner);
    return {
      root: view.root,
      /**
       * @param {StatusLimit} limit
       * @param {number} now
       */
      show: (limit, now) => view.show(limit, titleOf(limit), now),
    };
  };
  return {
    root: make('li', undefined, [make('p', 'id', [first[0]?.model ?? 'All models']), list]),
    show(limits, now) {
      const items = limits.map((limit) => /** @type {const} */ ([titleOf(limit), limit]));
      reconcile(list, views, items, { now, make: makeView });
    },
  };
}

let panelCount = 0;

/**
 * A button that opens and closes a panel.
 * @param {HTMLElement} panel
 * @param {string} owner
 * @param {() => void} onOpen
 */
function detailsButton(panel, owner, onOpen) {
  const button = make('button', 'link', ['Details', make('span', 'unseen', [` of ${owner}`])]);
  panelCount += 1;
  panel.id = `panel-${panelCount}`;
  button.type = 'button';
  setAttribute(button, 'aria-controls', panel.id);
  setAttribute(button, 'aria-expanded', 'false');
  button.addEventListener('click', () => {
    panel.hidden = !panel.hidden;
    setAttribute(button, 'aria-expanded', String(!panel.hidden));
    if (!panel.hidden) onOpen();
  });
  return button;
}

/**
 * @param {StatusKey} first
 * @returns {View<StatusKey>}
 */
function keyView(first) {
  const name = first.key === '' ? 'no key' : first.key;
  const owner = `${first.provider} ${name}`;
  const tier = make('span');
  const word = make('p', 'word');
  const reason = make('p', 'small');
  const breaker = make('p', 'quiet small');
  const when = make('p', 'quiet small');
  const resting = make('p', 'resting small');
  const enable = make('button', 'link', ['Re-enable', make('span', 'unseen', [` ${owner}`])]);
  enable.type = 'button';
  enable.addEventListener('click', () => {
    const detail = { provider: first.provider, key: first.key };
    enable.dispatchEvent(new CustomEvent('enable', { bubbles: true, detail }));
  });
  const minute = limitView(owner);
  const day = limitView(owner);
  const details = detailsView(owner);
  let latest = { key: first, now: 0 };
  const button = detailsButton(details.root, owner, () => details.show(latest.key, latest.now));
  const title = make('div', 'key-name', [
    make('h4', 'id', [name]),
    make('p', 'quiet small', [tier, button, enable]),
  ]);
  const state = make('div', 'state', [word, reason, breaker, when, resting]);
  return {
    root: make('li', 'key', [title, state, minute.root, day.root, details.root]),
    show(key, now) {
      latest = { key, now };
      setState(word, ...stateOf(key));
      setText(tier, key.tier + (key.sharedBy > 1 ? ', shared' : ''));
      reason.hidden = key.reason === undefined;
      setText(reason, capitalised(key.reason ?? ''));
      setText(breaker, BREAKERS[key.breaker]);
      when.hidden = key.ready;
      setText(when, readyText(key, now));
      enable.hidden = !key.disabled && key.breaker !== 'open';
      resting.hidden = key.resting.length === 0;
      setText(resting, restingText(key, now));
      minute.show(key.minute, key.minute === undefined ? 'Minute' : titleOf(key.minute), now, wholeOf(key));
      day.show(key.day, key.day === undefined ? 'Day' : titleOf(key.day), now, wholeOf(key));
      if (!details.root.hidden) details.show(key, now);
    },
  };
}

/**
 * Gives each key an id that stays the same between updates. Masked keys alone would not do, because two may look alike.
 * @param {readonly StatusKey[]} keys
 */
export function withIds(keys) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  return keys.map((key) => {
    const count = (counts.get(key.key) ?? 0) + 1;
    counts.set(key.key, count);
    return /** @type {const} */ ([`${key.key} ${count}`, key]);
  });
}

/**
 * A provider with its keys.
 * @param {readonly StatusKey[]} first
 * @returns {View<readonly StatusKey[]>}
 */
function providerView(first) {
  const ready = make('span', 'quiet small');
  const list = make('ul', 'card');
  const title = make('h3', undefined, [first[0]?.provider ?? '']);
  setAttribute(list, 'role', 'list');
  /** @type {Map<string, View<StatusKey>>} */
  const views = new Map();
  return {
    root: make('div', 'provider', [make('div', 'provider-head', [title, ready]), list]),
    show(keys, now) {
      setText(ready, `${keys.filter((key) => key.ready).length} of ${keys.length} ready`);
      reconcile(list, views, withIds(keys), { make: keyView, now });
    },
  };
}

/** @type {Map<string, View<readonly StatusKey[]>>} */
const providerViews = new Map();

/**
 * @param {readonly StatusKey[]} keys
 * @param {number} now
 */
export function showKeys(keys, now) {
  /** @type {Map<string, StatusKey[]>} */
  const groups = new Map();
  for (const key of keys) groups.set(key.provider, [...(groups.get(key.provider) ?? []), key]);
  reconcile(byId('providers'), providerViews, [...groups], { make: providerView, now });
  byId('no-keys').hidden = keys.length > 0;
}
