/** A real browser for the tests of the status page. */

import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, onTestFinished } from 'vitest';
import type { Status, StatusKey } from '../../src/gateway/status.ts';

const CHROMIUM = '/usr/bin/chromium';

export const hasBrowser: boolean = existsSync(CHROMIUM);
if (!hasBrowser) console.warn(`The tests of the status page are skipped: there is no ${CHROMIUM}.`);

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

export interface PageOptions extends BrowserContextOptions {
  /** Console messages that the test expects, e.g. about an unreachable server. */
  readonly expectedMessages?: RegExp | undefined;
  /** Runs before the page is loaded. */
  readonly before?: ((page: Page) => Promise<unknown>) | undefined;
}

/** Opens a page in a browser context of its own. */
export type OpenPage = (url: string, options?: PageOptions) => Promise<Page>;

/** A browser for the tests of a block. A test fails if its page logs an error or sends a request to another origin. */
export function useBrowser(): OpenPage {
  let browser: Browser | undefined;
  let trouble: string[] = [];
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(() => browser?.close());
  afterEach(() => {
    const found = trouble;
    trouble = [];
    expect(found).toEqual([]);
  });
  return async (url, { expectedMessages, before, ...options } = {}) => {
    if (browser === undefined) throw new Error('there is no browser');
    const context = await browser.newContext({ timezoneId: 'UTC', ...options });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => trouble.push(error.message));
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      if (expectedMessages?.test(message.text()) !== true) trouble.push(message.text());
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

/** Makes the page request the status now, and waits for the response. */
export async function refresh(page: Page): Promise<void> {
  await Promise.all([
    page.waitForResponse('**/status'),
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))"),
  ]);
}

/** Waits until all earlier requests of the page have been sent, by sending one more. */
export async function requestsSent(page: Page): Promise<void> {
  await page.evaluate("fetch('health').then((response) => response.text())");
}

/** A text with its white space normalised. */
export function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

export async function textsOf(page: Page, selector: string): Promise<readonly string[]> {
  return (await page.locator(selector).allInnerTexts()).map(plain);
}

/** Waits until an element contains a text. */
export async function waitForText(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor({ state: 'attached' });
}

/** A key in a status, with long texts. */
export function someKey(number: number, more: Partial<StatusKey> = {}): StatusKey {
  const model = 'an-organisation-with-a-long-name/and-a-model-whose-name-does-not-end-2026-11-preview:free';
  const limit = {
    unit: 'requests',
    window: 'day',
    used: 12_345,
    limit: 14_400,
    model,
    returnsAt: 9e12,
  } as const;
  return {
    provider: number < 20 ? 'openrouter' : 'a-provider-with-a-rather-long-name',
    key: `sk-or-…${1000 + number}`,
    account: 'f'.repeat(16),
    tier: 'free',
    ready: false,
    readyAt: 9e12,
    reason: 'the provider refuses the account, the region or the network',
    breaker: 'open',
    disabled: number % 2 === 0,
    rpmUsed: 0,
    rpm: 20,
    rpdUsed: 12_345,
    rpd: 14_400,
    lastError: { kind: 'forbidden', message: 'W'.repeat(300), at: 0, model },
    latencyMs: 1,
    billed: undefined,
    minute: { ...limit, window: 'minute', used: 0, limit: 20, returnsAt: undefined },
    day: limit,
    spent: [limit, { ...limit, window: 'hour' }],
    resting: [{ model, reason: 'W'.repeat(100), readyAt: 9e12 }],
    sharedBy: 3,
    ...more,
  };
}

/** A status as the endpoint sends it. */
export function someStatus(more: Partial<Status> = {}): Status {
  return {
    version: '1.2.3',
    at: Date.now(),
    keys: [],
    capacity: { requestsNow: 1_234_567, requestsToday: 1_234_567, nextAt: 0 },
    calls: [],
    totals: {
      success: 123_456_789,
      failure: 123_456,
      aborted: 123_456,
      attempts: 123_456_789,
      refused: 123_456,
    },
    warnings: [],
    ...more,
  };
}

/** The share of an element's width that a screenshot shows in a colour of the style. */
export async function paintedShare(page: Page, element: Locator, colour: string): Promise<number> {
  const png = (await element.screenshot({ animations: 'disabled' })).toString('base64');
  return page.evaluate<number>(`(async () => {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = 'var(${colour})';
    const wanted = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
    probe.remove();
    const image = new Image();
    image.src = 'data:image/png;base64,${png}';
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    const pen = canvas.getContext('2d');
    pen.drawImage(image, 0, 0);
    const row = pen.getImageData(0, Math.floor(image.height / 2), image.width, 1).data;
    let painted = 0;
    for (let x = 0; x < image.width; x += 1)
      if (wanted.every((part, index) => Math.abs(row[4 * x + index] - part) < 8)) painted += 1;
    return painted / image.width;
  })()`);
}
