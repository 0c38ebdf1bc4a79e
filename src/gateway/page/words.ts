/** A part of the status page's script: numbers and moments in words, and what the other parts share. */

export const PAGE_WORDS: string = String.raw`
/** @typedef {import('../status.ts').Status} Status */
/** @typedef {import('../status.ts').StatusKey} StatusKey */
/** @typedef {import('../status.ts').StatusLimit} StatusLimit */
/** @typedef {import('../status-calls.ts').StatusCall} StatusCall */
/** @typedef {import('../status-calls.ts').StatusAttempt} StatusAttempt */
/** @typedef {'good' | 'wait' | 'bad' | 'calm'} Tone */

const count = new Intl.NumberFormat('en');
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' });
const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
const DAY_MS = 86400000;

/** A span that is not broken over lines. @param {number} ms */
function span(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const minutes = Math.round(seconds / 60);
  if (seconds < 120) return seconds + '\u00a0s';
  if (minutes < 120) return minutes + '\u00a0min';
  if (minutes >= 2880) return Math.round(minutes / 1440) + '\u00a0days';
  if (minutes >= 600) return Math.round(minutes / 60) + '\u00a0h';
  return Math.floor(minutes / 60) + '\u00a0h' + (minutes % 60 === 0 ? '' : '\u00a0' + (minutes % 60) + '\u00a0min');
}

/** How long something took. @param {number} ms */
function took(ms) {
  if (ms < 1000) return Math.max(0, Math.round(ms)) + '\u00a0ms';
  return ms < 60000 ? (ms / 1000).toFixed(1) + '\u00a0s' : span(ms);
}

/** A moment by the wall clock. @param {number} at @param {number} now */
function moment(at, now) {
  if (new Date(at).toDateString() === new Date(now).toDateString()) return clock.format(at);
  return Math.abs(at - now) < 6 * DAY_MS ? weekday.format(at) : date.format(at);
}

/** A moment to come, both ways. @param {number} at @param {number} now */
function coming(at, now) {
  return moment(at, now) + ', in\u00a0' + span(at - now);
}

/** How many of something. @param {number} number @param {string} one */
function many(number, one) {
  return count.format(number) + ' ' + one + (number === 1 ? '' : 's');
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {string} code e.g. rate_limited */
function spoken(code) {
  return code.replaceAll('_', ' ').replaceAll('-', ' ');
}

/** @param {string} id */
function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error('the page has no ' + id);
  return found;
}

/**
 * A new element. Texts are set as texts and never read as markup: what providers say is not to be trusted.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {readonly (Node | string)[]} [children]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function make(tag, className, children) {
  const element = document.createElement(tag);
  if (className !== undefined) element.className = className;
  if (children !== undefined) element.append(...children);
  return element;
}

/** Changes a text only if it is another: nothing flickers, and nothing is read out anew. @param {Node} node @param {string} text */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Element} element @param {string} name @param {string} value */
function mark(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** A word in its tone, with a mark for those who see no colours. @param {Element} element @param {Tone} tone @param {string} text */
function tell(element, tone, text) {
  mark(element, 'data-tone', tone);
  mark(element, 'data-mark', { good: '●', wait: '◐', bad: '▲', calm: '○' }[tone]);
  write(element, text);
}

/**
 * Makes the children of a list those of the items, in their order. What is there stays the same element, so that focus
 * and what was opened stay, too; what has gone stays as long as somebody reads in it.
 * @template Item
 * @param {Element} list
 * @param {Map<string, { root: HTMLElement, show(item: Item, now: number): void }>} views
 * @param {readonly (readonly [string, Item])[]} items
 * @param {{ make(item: Item): { root: HTMLElement, show(item: Item, now: number): void }, now: number }} how
 */
function reconcile(list, views, items, how) {
  const named = new Set(items.map(([name]) => name));
  /** @type {Set<Element | null>} */
  const kept = new Set();
  for (const [name, view] of views) {
    if (named.has(name)) continue;
    if (view.root.contains(document.activeElement) || view.root.querySelector('details[open]')) {
      kept.add(view.root);
      continue;
    }
    view.root.remove();
    views.delete(name);
  }
  let next = list.firstElementChild;
  for (const [name, item] of items) {
    const view = views.get(name) ?? how.make(item);
    views.set(name, view);
    view.show(item, how.now);
    // What is new comes before what is kept; what was there already is not moved past it.
    while (view.root.parentNode === list && next !== null && kept.has(next)) next = next.nextElementSibling;
    if (view.root === next) next = next.nextElementSibling;
    else list.insertBefore(view.root, next);
  }
}
`;
