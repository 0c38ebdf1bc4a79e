/** How the status page looks in a real browser: its states, its sizes, and what it offers to do. */

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { endpoint, open as openPool } from '../client/support.ts';
import { bodyOf, completion, hangs, json, says, serve, until } from '../support/server.ts';
import { MODEL, type SimulatedPool, simulatedPool } from '../support/simulated-pool.ts';
import { hasBrowser, textsOf, useBrowser, waitForText } from './page-support.ts';
import { ask, CHAT, gatewayOver } from './support.ts';

const SIZES = {
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1280, height: 860 } },
} as const;

/** The pictures of the manual. `FREELM_PICTURES=1` takes them again. */
const PICTURES = path.join(import.meta.dirname, '../../src/gateway/pictures');
const KEPT: ReadonlySet<string> = new Set(['desktop-light', 'phone-dark']);

/** Takes a screenshot, and checks that nothing is cut off at the side. */
async function shoot(page: Page, name: string): Promise<void> {
  const isKept = process.env['FREELM_PICTURES'] === '1' && KEPT.has(name);
  if (isKept) mkdirSync(PICTURES, { recursive: true });
  const file = isKept ? { path: path.join(PICTURES, `${name}.png`) } : {};
  const picture = await page.screenshot({ animations: 'disabled', ...file });
  // A page without content is a far smaller picture.
  expect(picture.length).toBeGreaterThan(10_000);
  const wider = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
  expect(await page.evaluate(wider)).toBeLessThanOrEqual(0);
}

/** Three providers: one key is dead, one has spent its minute, one model rests, and calls were made and refused. */
async function troubledPool(): Promise<{ readonly pool: SimulatedPool; readonly url: string }> {
  const pool = simulatedPool({
    openrouter: {
      accounts: [['first-key'], ['second-key']],
      faults: [{ kind: 'unauthorized', account: 'account-0', times: 1 }],
    },
    google: {
      models: [MODEL.google, 'gemma-4-31b-it'],
      faults: [{ kind: 'congested', model: MODEL.google }],
    },
    nim: { rpm: 1 },
  });
  const { url } = await gatewayOver(pool.llm);
  for (let call = 0; call < 6; call += 1)
    for (const name of ['openrouter', 'google', 'nim'] as const) {
      const answer = pool.llm.text('Hello', { model: MODEL[name] });
      await pool.run(answer.catch(() => undefined));
    }
  return { pool, url };
}

describe.skipIf(!hasBrowser)('the look of the status page', () => {
  const open = useBrowser();

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    it.each(['phone', 'desktop'] as const)(
      'on a %s: dead, busy, resting, and enabled again',
      async (size) => {
        const { pool, url } = await troubledPool();
        const page = await open(url, {
          ...SIZES[size],
          colorScheme,
          before: (one) => one.clock.setSystemTime(pool.clock.now()),
        });
        await waitForText(page, '.key', 'Disabled');
        const texts = await textsOf(page, '.key');
        expect(texts[0]).toMatch(/Disabled The key was refused as invalid/);
        expect(texts[2]).toMatch(/Ready .*1 model resting: gemini-3\.8-flash, back 12:/);
        expect(texts[3]).toMatch(/Not ready This minute's quota is used up/);
        await shoot(page, `${size}-${colorScheme}`);
        if (size === 'phone') {
          const screens = 'document.documentElement.scrollHeight / innerHeight';
          expect(await page.evaluate(screens)).toBeLessThanOrEqual(3);
          await page.getByRole('button', { name: 'Show all 18 calls' }).click();
          expect(await page.locator('.call >> visible=true').count()).toBe(18);
        }
        expect(await page.getByRole('button', { name: /^Re-enable/ }).count()).toBe(1);
        await page.getByRole('button', { name: 'Re-enable openrouter' }).click();
        await waitForText(page, '#news', /(?:enabled|up) again/);
        await until(() => pool.llm.health().every(({ disabled }) => !disabled));
        await page.getByRole('button', { name: /^Re-enable/ }).waitFor({ state: 'hidden' });
        await shoot(page, `${size}-${colorScheme}-enabled`);
      },
    );
  });

  it('says what each quota is of', async () => {
    const pool = simulatedPool({
      openrouter: { accounts: [['one', 'two']] },
      google: { models: [MODEL.google, 'gemma-4-31b-it'] },
    });
    await pool.run(pool.llm.text('Hello', { model: MODEL.openrouter }));
    await pool.run(pool.llm.text('Hello', { model: 'gemma-4-31b-it' }));
    const page = await open((await gatewayOver(pool.llm)).url);
    await waitForText(page, '.key', 'Ready');
    const [shared, , google] = await textsOf(page, '.key');
    expect(shared).toMatch(/Minute 1 \/ 20 account with 2 keys back/);
    expect(google).toMatch(/Minute 1 \/ \d+ gemma-4-31b-it back/);
  });

  it('shows the model that each call asked for, and refused requests', async () => {
    const server = await serve(says('Hi'));
    const llm = openPool({ providers: [endpoint(server)], modelMap: { 'gpt-4o': 'm' } });
    const gateway = await gatewayOver(llm);
    await ask(gateway, {
      path: CHAT,
      body: '{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}]}',
    });
    await ask(gateway, { path: CHAT, body: '{"messages":"no list"}' });
    const page = await open(gateway.url);
    await waitForText(page, '.call', 'Served');
    const [refused, served] = await textsOf(page, '.call');
    expect(refused).toMatch(/Refused 0 ms HTTP 400/);
    expect(served).toMatch(/Served [\d.]+ m?s gpt-4o \(m\) → mine · m/);
    await page.locator('.call summary').first().click();
    await waitForText(page, '.call', 'messages: must be a list of messages');
    await waitForText(page, '#served-more', '1 refused');
  });

  it('of a new server has the base URL to copy', async () => {
    const { url } = await gatewayOver(openPool({ providers: [endpoint(await serve(says('Hi')))] }));
    const page = await open(url, { permissions: ['clipboard-read', 'clipboard-write'] });
    const field = page.getByLabel('Base URL');
    expect(await field.inputValue()).toBe(`${url}/v1`);
    await page.getByRole('button', { name: 'Copy' }).click();
    await waitForText(page, '#news', 'Copied');
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(`${url}/v1`);
    await shoot(page, 'empty');
  });

  it('has a form that sends a chat with the token, and shows the answer as text', async () => {
    const attack = '<img src=x onerror="window.hacked = 1">';
    const server = await serve((request, response) => {
      const isLong = request.body.includes('long');
      if (isLong) hangs(request, response);
      else json(response, completion(`${attack} ${JSON.stringify(bodyOf(request)['messages'])}`));
    });
    const llm = openPool({ providers: [endpoint(server)] });
    const { url } = await gatewayOver(llm, { token: 'open-sesame' });
    const page = await open(url, { expectedMessages: /401|400/ });
    await page.getByLabel('Token').fill('open-sesame');
    await page.keyboard.press('Enter');
    await page.locator('#try-box summary').click();
    await page.getByLabel('Prompt').fill('Why?');
    await page.getByRole('button', { name: 'Send' }).click();
    await waitForText(page, '#answer', attack);
    await waitForText(page, '#answer-title', 'mine · m');
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    await waitForText(page, '.call', 'auto → mine');

    await page.getByLabel('Prompt').fill('a long one');
    await page.getByRole('button', { name: 'Send' }).click();
    await until(() => server.requests.length === 2);
    await page.getByRole('button', { name: 'Stop' }).click();
    await waitForText(page, '#answer-title', 'Stopped');
    await until(() => server.open === 0);

    await page.getByLabel('Model').fill('m'.repeat(501));
    await page.getByRole('button', { name: 'Send' }).click();
    await waitForText(page, '#answer-title', 'Refused: HTTP 400');
  });

  it('says that the server is gone, and stops when it is back', async () => {
    const llm = openPool({ providers: [endpoint(await serve(says('Hi')))] });
    const gateway = await gatewayOver(llm);
    const page = await open(gateway.url, { ...SIZES.phone, expectedMessages: /^Failed to load resource/ });
    await waitForText(page, '.key', 'Ready');
    const { port } = gateway;
    await gateway.close();
    await waitForText(
      page,
      '#gone',
      /^The server is gone: No answer from the server since .*The page shows what it was before/,
    );
    expect(await page.title()).toBe('server gone · freelm');
    await shoot(page, 'gone');
    await gatewayOver(llm, { port });
    await page.locator('#gone').waitFor({ state: 'hidden' });
    expect(await page.locator('.stale').count()).toBe(0);
  });
});
