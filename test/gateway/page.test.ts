import { describe, expect, it } from 'vitest';
import type { Locator } from 'playwright-core';
import type { HealthRow } from '../../src/index.ts';
import { endpoint, open as openPool, textLike } from '../client/support.ts';
import { simulatedPool, MODEL, SECOND } from '../support/simulated-pool.ts';
import { json, serve } from '../support/server.ts';
import {
  hasBrowser,
  refresh,
  paintedShare,
  plain,
  waitForText,
  someKey,
  someStatus,
  textsOf,
  useBrowser,
} from './page-support.ts';
import { gatewayOver } from './support.ts';

const SCHEMES = ['light', 'dark'] as const;
const BREAKER = { closed: 'breaker closed', open: 'breaker open', 'half-open': 'breaker half-open' };

/** The texts that the page must show for a key. */
function wordsOf(row: HealthRow): readonly string[] {
  const quotas = [
    [row.rpmUsed, row.rpm],
    [row.rpdUsed, row.rpd],
  ];
  return [
    row.key,
    row.tier,
    BREAKER[row.breaker],
    row.disabled ? 'Disabled' : row.ready ? 'Ready' : row.breaker === 'open' ? 'Down' : 'Not ready',
    row.reason === undefined ? '' : row.reason.slice(1),
    ...quotas.map(([used, limit]) => (limit === undefined ? 'no limit known' : `${used} / ${limit}`)),
  ];
}

describe.skipIf(!hasBrowser)('the status page in a browser', () => {
  const open = useBrowser();

  it('shows the rows of health()', async () => {
    const pool = simulatedPool({
      openrouter: { accounts: [['one'], ['two']], faults: [{ kind: 'unauthorized', account: 'account-0' }] },
      google: { rpm: 2, models: [MODEL.google, 'gemma-4-31b-it'] },
      nim: { faults: [{ kind: 'outage' }] },
    });
    for (const name of ['openrouter', 'openrouter', 'google', 'google', 'nim', 'nim', 'nim'] as const)
      await pool.fails(pool.llm.text('Hello', { model: MODEL[name] }));
    const page = await open((await gatewayOver(pool.llm)).url);
    await waitForText(page, '.key', 'Disabled');
    const rows = pool.llm.health();
    const texts = await textsOf(page, '.key');
    expect(texts).toHaveLength(rows.length);
    for (const [index, row] of rows.entries())
      for (const word of wordsOf(row)) expect(texts[index]).toContain(word);
    expect(rows.map(({ ready }) => ready)).toEqual([false, true, true, false]);
    expect(await textsOf(page, 'h3')).toEqual(['openrouter', 'google', 'nim']);
    expect(plain(await page.locator('#ready').innerText())).toBe('2 of 4');
    expect(await page.title()).toBe('2/4 ready · freelm');
  });

  it('shows when every quota resets, by the clock and from now, also to screen readers', async () => {
    const pool = simulatedPool({ openrouter: { rpm: 1 } });
    await pool.run(pool.llm.text('Hello'));
    const page = await open((await gatewayOver(pool.llm)).url);
    await waitForText(page, '.key', 'Not ready');
    const [text] = await textsOf(page, '.key');
    // OpenRouter counts by the clock's minute and by the day in UTC. The pool's clock stands at noon.
    expect(text).toMatch(
      /Minute 1 \/ 1 whole account back 12:01:00, in 6[01] s Day 1 \/ 50 whole account back Sun 00:00, in 12 h/,
    );
    const bar = page.getByRole('meter', { name: 'Minute quota of openrouter' });
    expect(await bar.getAttribute('aria-valuenow')).toBe('1');
    expect(await bar.getAttribute('aria-valuemax')).toBe('1');
    expect(await bar.getAttribute('aria-valuetext')).toBe('1 of 1 requests used, back 12:01:00');
  });

  it.each(SCHEMES)('fills a bar in proportion to its usage: %s', async (colorScheme) => {
    const pool = simulatedPool({ openrouter: { rpm: 4 }, nim: { rpm: 1 } });
    for (const name of ['openrouter', 'nim'] as const)
      await pool.run(pool.llm.text('Hello', { model: MODEL[name] }));
    const page = await open((await gatewayOver(pool.llm)).url, { colorScheme });
    await waitForText(page, '.key', 'Not ready');
    const minuteOf = (name: string): Locator => page.getByRole('meter', { name: `Minute quota of ${name}` });
    expect(await paintedShare(page, minuteOf('openrouter'), '--fill')).toBeCloseTo(0.25, 1);
    expect(await paintedShare(page, minuteOf('nim'), '--spent')).toBeCloseTo(1, 1);
  });

  it('shows what the answers of a key have cost, and only then', async () => {
    const bills = { kind: 'bills', cost: 0.0125, times: 2 } as const;
    const pool = simulatedPool({ openrouter: { faults: [bills] }, nim: {}, spend: 'allow' });
    const page = await open((await gatewayOver(pool.llm)).url);
    const details = (name: string): Locator => page.getByRole('button', { name: `Details of ${name}` });
    await details('openrouter').click();
    await waitForText(page, '.key-panel', 'No failure yet');
    expect(await page.locator('body').innerText()).not.toContain('Billed');

    await pool.run(pool.llm.text('Hello', { model: MODEL.openrouter }));
    await refresh(page);
    await waitForText(page, '.key-panel', 'Billed: 0.0125 over 1 call');
    await pool.run(pool.llm.text('Hello', { model: MODEL.openrouter }));
    await refresh(page);
    await waitForText(page, '.key-panel', 'Billed: 0.025 over 2 calls');
    await details('nim').click();
    expect((await textsOf(page, '.key-panel')).filter((text) => text.includes('Billed'))).toHaveLength(1);
  });

  it('follows a key that goes down and recovers, and announces both to screen readers', async () => {
    const pool = simulatedPool({ nim: {} });
    const page = await open((await gatewayOver(pool.llm)).url);
    await waitForText(page, '.key', 'Ready');
    pool.world.nim.script({ kind: 'outage' });
    for (let call = 0; call < 3; call += 1) await pool.fails(pool.llm.text('Hello', { maxAttempts: 1 }));
    await refresh(page);
    await waitForText(page, '.key', /Down.*The provider had errors.*breaker open.*ready 12:00:08, in\s8\ss/s);
    await waitForText(page, '#news', /^nim \S+ is down: the provider had errors\. No key is ready\.$/);

    await pool.clock.advance(9 * SECOND);
    await refresh(page);
    await waitForText(page, '.key', /Ready for a probe.*breaker half-open/s);
    expect(await page.locator('#news').innerText()).not.toContain('up again');

    pool.world.nim.clear();
    await pool.run(pool.llm.text('Hello'));
    await refresh(page);
    await waitForText(page, '.key', /Ready.*breaker closed/s);
    await waitForText(page, '#news', /^nim \S+ is up again\.$/);
  });

  it('shows the last calls with their attempts', async () => {
    const pool = simulatedPool({
      openrouter: { faults: [{ kind: 'outage', times: 1 }] },
      nim: {},
      strategy: 'priority',
    });
    const page = await open((await gatewayOver(pool.llm)).url);
    await waitForText(page, '#no-calls', 'curl http://127.0.0.1:');
    await pool.run(pool.llm.text('Hello'));
    await refresh(page);
    await waitForText(page, '.call', /12:00:00\s*Served\s*0\sms\s*auto → nim · z-ai\/glm-5\.3 · 2 attempts/);
    expect(await page.locator('#no-calls').isVisible()).toBe(false);
    await page.locator('.call summary').click();
    const attempts = await textsOf(page, '.attempts > li');
    expect(attempts).toEqual([
      textLike(/^Server error HTTP 502 · 12:00:00 · 0 ms openrouter \S+ · cohere\/north/),
      textLike(/^Success 12:00:00 · 0 ms nim \S+ · z-ai\/glm-5\.3$/),
    ]);
  });

  it('works by keyboard alone, and keeps open details and the focus while calls arrive', async () => {
    const pool = simulatedPool({ nim: {} });
    const { url } = await gatewayOver(pool.llm);
    await pool.run(pool.llm.text('Hello'));
    const page = await open(url);
    await waitForText(page, '.call', 'Served');
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').innerText()).toBe('Skip to the calls');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').innerText()).toBe('Try it');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.locator('details[open]').count()).toBe(1);

    await pool.run(Promise.all([1, 2, 3].map(() => pool.llm.text('Hello'))));
    await refresh(page);
    await page.locator('.call').nth(3).waitFor();
    expect(await page.locator('.call').last().locator('details[open] summary:focus').count()).toBe(1);
    expect(await page.locator('details[open]').count()).toBe(1);

    const details = page.getByRole('button', { name: 'Details of nim' });
    await details.focus();
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    await page.keyboard.press('Enter');
    expect(await details.getAttribute('aria-expanded')).toBe('true');
    await waitForText(page, '.key-panel', 'No failure yet');
    await refresh(page);
    expect(await page.locator('.key-panel').isVisible()).toBe(true);
  });

  it('keeps a call with open details after it has left the list', async () => {
    const call = { state: 'success', startedAt: 0, endedAt: 1, attempts: [], attemptCount: 0 } as const;
    let newest = 2;
    const page = await open((await gatewayOver(simulatedPool({ nim: {} }).llm)).url, {
      before: (one) =>
        one.route('**/status', (route) =>
          route.fulfill({
            json: someStatus({
              calls: [newest, newest - 1].map((number) => ({ ...call, id: `call-${number}` })),
            }),
          }),
        ),
    });
    await page.locator('.call summary').last().click();
    newest = 4;
    await refresh(page);
    await page.locator('.call').nth(2).waitFor();
    expect(await page.locator('.call').count()).toBe(3);
    expect(await page.locator('.call').last().locator('details[open]').count()).toBe(1);
    await page.locator('.call summary').last().click();
    await page.locator('#pause').focus();
    await refresh(page);
    await expect.poll(() => page.locator('.call').count()).toBe(2);
  });

  it('shows markup from a provider as text', async () => {
    const attack = `<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>`;
    const upstream = await serve((_request, response) => {
      json(response, { error: { message: attack } }, 400);
    });
    const llm = openPool({ providers: [endpoint(upstream, { models: ['<i>m</i>'] })] });
    const { url } = await gatewayOver(llm);
    await llm.text('Hello').catch(() => undefined);
    const page = await open(url);
    await page.locator('.call summary').click();
    await waitForText(page, '.call', attack);
    await waitForText(page, '.attempts', '<i>m</i>');
    expect(await page.locator('main :is(img, script, i)').count()).toBe(0);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
  });

  it.each(SCHEMES)('has enough contrast: %s', async (colorScheme) => {
    const { url } = await gatewayOver(simulatedPool({ nim: {} }).llm);
    const page = await open(url, { colorScheme });
    const names = [
      'ground',
      'card',
      'text',
      'quiet',
      'good',
      'wait',
      'bad',
      'focus',
      'fill',
      'spent',
      'track',
    ];
    const colours = await page.evaluate<string[]>(
      `${JSON.stringify(names)}.map((name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name))`,
    );
    const luminance = (name: string): number => {
      const hex = colours[names.indexOf(name)] ?? '';
      const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
        const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const contrast = (one: string, other: string): number => {
      const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
      return (light + 0.05) / (dark + 0.05);
    };
    expect(luminance('ground') > 0.5).toBe(colorScheme === 'light');
    for (const ink of ['text', 'quiet', 'good', 'wait', 'bad', 'focus'])
      for (const paper of ['card', 'ground']) expect(contrast(ink, paper)).toBeGreaterThanOrEqual(4.5);
    for (const ink of ['fill', 'spent']) expect(contrast(ink, 'card')).toBeGreaterThanOrEqual(3);
  });

  it.each([320, 1200])('fits forty keys and long names into %i pixels', async (width) => {
    const attempt = { ...someKey(1), outcome: 'forbidden', startedAt: 0, message: 'W'.repeat(500) } as const;
    const { provider, key, outcome, startedAt, message } = attempt;
    const call = {
      id: 'call-1',
      state: 'failure',
      startedAt: 0,
      endedAt: 59_900,
      message: 'W'.repeat(500),
      attemptCount: 99,
    } as const;
    const model = someKey(1).day?.model ?? '';
    const status = someStatus({
      keys: Array.from({ length: 40 }, (_, index) => someKey(index)),
      calls: [{ ...call, attempts: [{ provider, key, outcome, startedAt, message, model }] }],
      warnings: ['W'.repeat(300)],
    });
    const page = await open((await gatewayOver(simulatedPool({ nim: {} }).llm)).url, {
      viewport: { width, height: 800 },
      before: (one) => one.route('**/status', (route) => route.fulfill({ json: status })),
    });
    await page.locator('.key').nth(39).waitFor();
    await page.locator('.call summary').click();
    await page
      .getByRole('button', { name: /^Details/ })
      .first()
      .click();
    await waitForText(page, '.key-panel', 'shared by 3 keys');
    const wider = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect(await page.evaluate(wider)).toBeLessThanOrEqual(0);
    // No element is cut off or overlaps its neighbour.
    const spills = `[...document.querySelectorAll('p:not(.limit-model, .unseen), h4, dd, summary > *')]
      .filter((one) => one.scrollWidth > one.clientWidth && getComputedStyle(one).display !== 'inline')
      .map((one) => one.className + ' ' + one.textContent)`;
    expect(await page.evaluate(spills)).toEqual([]);
  });

  it('has touch targets of 44 pixels, and respects reduced motion', async () => {
    const pool = simulatedPool({ nim: {} });
    const { url } = await gatewayOver(pool.llm);
    await pool.run(pool.llm.text('Hello'));
    const phone = { viewport: { width: 375, height: 812 }, isMobile: true, hasTouch: true } as const;
    const page = await open(url, { ...phone, reducedMotion: 'reduce' });
    await waitForText(page, '.call', 'Served');
    const heights = `[...document.querySelectorAll('button, summary')]
      .map((one) => one.getBoundingClientRect().height).filter((height) => height > 0)`;
    const found = await page.evaluate<number[]>(heights);
    expect(found).toHaveLength(6);
    expect(Math.min(...found)).toBeGreaterThanOrEqual(44);
    const motion = "getComputedStyle(document.querySelector('.bar > div')).transitionDuration";
    expect(await page.evaluate(motion)).toBe('0s');
  });

  it('reports a pool without keys', async () => {
    const page = await open((await gatewayOver(simulatedPool({ nim: {} }).llm)).url, {
      before: (one) => one.route('**/status', (route) => route.fulfill({ json: someStatus() })),
    });
    await waitForText(page, '#no-keys', 'The pool has no keys.');
    expect(await page.locator('#no-keys').isVisible()).toBe(true);
  });
});
