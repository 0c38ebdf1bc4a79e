/** What the tests of the status page share: a real browser, and what it must never do. */

import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, onTestFinished } from 'vitest';

const CHROMIUM = '/usr/bin/chromium';

export const hasBrowser: boolean = existsSync(CHROMIUM);
if (!hasBrowser) console.warn(`The status page is not tested: there is no ${CHROMIUM}.`);

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How a page is opened, besides what Playwright takes. */
export interface PageOptions extends BrowserContextOptions {
  /** Complaints that belong to the test, such as those about a server that is gone. */
  readonly complains?: RegExp | undefined;
  /** What is done before the page is loaded. */
  readonly before?: ((page: Page) => Promise<unknown>) | undefined;
}

/** Opens a page in a context of its own. */
export type OpenPage = (url: string, options?: PageOptions) => Promise<Page>;

/** A browser for the tests of a block; whatever a page complains about, or asks elsewhere, fails its test. */
export function useBrowser(): OpenPage {
  let browser: Browser | undefined;
  let trouble: string[] = [];
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  }, 30_000);
  afterAll(() => browser?.close());
  afterEach(() => {
    const found = trouble;
    trouble = [];
    expect(found).toEqual([]);
  });
  return async (url, { complains, before, ...options } = {}) => {
    if (browser === undefined) throw new Error('there is no browser');
    const context = await browser.newContext({ timezoneId: 'UTC', ...options });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on('pageerror', (error) => trouble.push(error.message));
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      if (complains?.test(message.text()) !== true) trouble.push(message.text());
    });
    page.on('request', (request) => {
      const to = new URL(request.url());
      if (to.protocol !== 'data:' && to.origin !== new URL(url).origin) trouble.push(request.url());
    });
    await before?.(page);
    await page.goto(url);
    return page;
  };
}

/** Has the page ask for the status now, and waits until it did. */
export async function look(page: Page): Promise<void> {
  await Promise.all([
    page.waitForResponse('**/status'),
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))"),
  ]);
}

/** Waits until every request that the page has begun is known: one more comes after them. */
export async function goneOut(page: Page): Promise<void> {
  await page.evaluate("fetch('health').then((response) => response.text())");
}

/** A text as people read it: whatever kind of space is in it. */
export function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** The texts of all elements. */
export async function textsOf(page: Page, selector: string): Promise<readonly string[]> {
  return (await page.locator(selector).allInnerTexts()).map(plain);
}

/** Waits until some element says something. */
export async function says(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor({ state: 'attached' });
}
