/** Builds and updates elements. Strings are always set as text, never as markup: providers are not trusted. */

/** @typedef {'good' | 'wait' | 'bad' | 'calm'} Tone */

/**
 * An element of the page that shows an item.
 * @template Item
 * @typedef {{ readonly root: HTMLElement, show(item: Item, now: number): void }} View
 */

/** The marks repeat the colours for people who cannot tell those apart. */
const MARKS = { good: '●', wait: '◐', bad: '▲', calm: '○' };

/** @param {string} id */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

/**
 * Creates an element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {readonly (Node | string)[]} [children]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, className, children) {
  const element = document.createElement(tag);
  if (className !== undefined) element.className = className;
  if (children !== undefined) element.append(...children);
  return element;
}

/**
 * Sets a text only if it has changed. Otherwise the page would flicker, and a screen reader would repeat itself.
 * @param {Node | undefined} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node !== undefined && node.textContent !== text) node.textContent = text;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * Shows a state as a word with its colour and mark.
 * @param {Element} element
 * @param {Tone} tone
 * @param {string} text
 */
export function setState(element, tone, text) {
  setAttribute(element, 'data-tone', tone);
  setAttribute(element, 'data-mark', MARKS[tone]);
  setText(element, text);
}

/**
 * Shows one line of text per child of a list.
 * @param {Element} list
 * @param {() => HTMLElement} makeLine
 * @param {readonly string[]} lines
 */
export function showLines(list, makeLine, lines) {
  while (list.children.length > lines.length) list.lastChild?.remove();
  while (list.children.length < lines.length) list.append(makeLine());
  for (const [index, line] of lines.entries()) setText(list.children[index], line);
}

/** @param {HTMLElement} root */
function isInUse(root) {
  return root.contains(document.activeElement) || root.querySelector('details[open]') !== null;
}

/**
 * Makes the children of a list match the items, in their order. An item keeps its element, and with it the focus and
 * whether its details are open. An element whose item is gone stays for as long as it is open or has the focus.
 * @template Item
 * @param {Element} list
 * @param {Map<string, View<Item>>} views - The views by key, kept between calls.
 * @param {readonly (readonly [key: string, item: Item])[]} items
 * @param {{ readonly make: (item: Item) => View<Item>, readonly now: number }} options
 */
export function reconcile(list, views, items, { make: makeView, now }) {
  const keys = new Set(items.map(([key]) => key));
  /** @type {Set<Element | null>} */
  const retained = new Set();
  for (const [key, { root }] of views) {
    if (keys.has(key)) continue;
    if (isInUse(root)) {
      retained.add(root);
      continue;
    }
    root.remove();
    views.delete(key);
  }
  let next = list.firstElementChild;
  for (const [key, item] of items) {
    const view = views.get(key) ?? makeView(item);
    views.set(key, view);
    view.show(item, now);
    // New elements go before retained ones. Existing elements are not moved past them.
    while (view.root.parentNode === list && next !== null && retained.has(next))
      next = next.nextElementSibling;
    if (view.root === next) next = next.nextElementSibling;
    else list.insertBefore(view.root, next);
  }
}
