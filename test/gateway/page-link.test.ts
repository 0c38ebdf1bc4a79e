/** How the page stays in touch with its server: the token, the clock, how often it asks, and when nobody answers. */

import { describe, expect, it } from 'vitest';
import { simulatedPool, MINUTE, NOON, SECOND } from '../support/simulated-pool.ts';
import { goneOut, hasBrowser, look, says, someStatus, useBrowser } from './page-support.ts';
import { gatewayOver } from './support.ts';

const GONE = /^Failed to load resource/;

describe.skipIf(!hasBrowser)('the status page and its server', { timeout: 30_000 }, () => {
  const open = useBrowser();

  it('goes by the clock of the server, and says so where that of the browser is another', async () => {
    const pool = simulatedPool({ nim: { rpm: 1 } });
    await pool.run(pool.llm.text('Hello'));
    const { url } = await gatewayOver(pool.llm);
    const off = await open(url);
    await says(off, '#skew', /This browser's clock is .* (ahead of|behind) the server's/);
    await says(off, '.key', /ready 12:01:00, in\s6[01]\ss/);
    const right = await open(url, { before: (page) => page.clock.setSystemTime(pool.clock.now()) });
    await says(right, '.key', /ready 12:01:00, in\s6[01]\ss/);
    expect(await right.locator('#skew').isVisible()).toBe(false);
  });

  it('asks for the token, keeps it for the session, sends it as a header, and forgets it', async () => {
    const pool = simulatedPool({ nim: {} });
    const gateway = await gatewayOver(pool.llm, { token: 'open-sesame' });
    const page = await open(gateway.url, { complains: /401/ });
    const field = page.getByLabel('Token');
    await field.waitFor();
    expect(await page.locator('#board').isVisible()).toBe(false);
    await field.fill('wrong');
    await page.keyboard.press('Enter');
    await says(page, '#gate-note', 'That token was not accepted.');
    expect(await field.inputValue()).toBe('');
    await field.fill('open-sesame');
    const [asked] = await Promise.all([page.waitForRequest('**/status'), page.keyboard.press('Enter')]);
    expect(asked.headers()['authorization']).toBe('Bearer open-sesame');
    expect(asked.url()).not.toContain('sesame');
    await says(page, '.key', 'Ready');
    await says(page, '#example', /^curl http\S+ \\\s+-H 'authorization: Bearer …' \\\s/);
    await page.reload();
    await says(page, '.key', 'Ready');
    expect(page.url()).not.toContain('sesame');
    await page.getByRole('button', { name: 'Forget the token' }).click();
    await field.waitFor();
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
  });

  it('says when the server is gone, keeps what it knows, and goes on when it is back', async () => {
    const pool = simulatedPool({ nim: {} });
    const gateway = await gatewayOver(pool.llm);
    const page = await open(gateway.url, { complains: GONE });
    await says(page, '.key', 'Ready');
    const { port } = gateway;
    await gateway.close();
    await says(page, '#link', /^No answer from the server since \d\d:\d\d:\d\d; next try in/);
    await says(page, '#news', 'No answer from the server');
    expect(await page.locator('.key').isVisible()).toBe(true);
    await gatewayOver(pool.llm, { port });
    await page.getByRole('button', { name: 'Try now' }).click();
    await says(page, '#link', 'Live');
    await says(page, '#news', 'The server answers again');
    expect(await page.locator('#pause:focus').count()).toBe(1);
  });

  it('asks every second, seldom where it is not seen or nobody answers, and not at all while it is paused', async () => {
    let asked = 0;
    let fails = false;
    const page = await open((await gatewayOver(simulatedPool({ nim: {} }).llm)).url, {
      complains: GONE,
      before: async (one) => {
        await one.clock.install({ time: NOON });
        await one.clock.pauseAt(NOON + SECOND);
        await one.route('**/status', (route) => {
          asked += 1;
          const totals = { success: asked, failure: 0, aborted: 0, attempts: 0 };
          return fails ? route.fulfill({ status: 503 }) : route.fulfill({ json: someStatus({ totals }) });
        });
      },
    });
    /** Goes on by so much; the page asks at the end of it and not before. */
    const asksAfter = async (ms: number, then: RegExp): Promise<void> => {
      const before = asked;
      await page.clock.runFor(ms - 1);
      await goneOut(page);
      expect(asked).toBe(before);
      await page.clock.runFor(1);
      await says(page, 'body', then);
      expect(asked).toBe(before + 1);
    };
    await says(page, '#served', '1');
    await asksAfter(SECOND, new RegExp(String.raw`Calls served\s*${asked + 1}\b`));
    await page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })");
    await asksAfter(SECOND, new RegExp(String.raw`Calls served\s*${asked + 1}\b`));
    await asksAfter(15 * SECOND, new RegExp(String.raw`Calls served\s*${asked + 1}\b`));
    await page.evaluate("Object.defineProperty(document, 'hidden', { value: false })");
    fails = true;
    await look(page);
    await says(page, '#link', /The server answers 503 since .*; next try in\s1\ss$/);
    await asksAfter(SECOND, /next try in\s2\ss/);
    await asksAfter(2 * SECOND, /next try in\s4\ss/);
    await asksAfter(4 * SECOND, /next try in\s8\ss/);
    await page.clock.runFor(10 * MINUTE);
    fails = false;
    await look(page);
    await says(page, '#link', 'Live');
    await page.getByRole('button', { name: 'Pause' }).click();
    await says(page, '#link', 'Paused');
    const before = asked;
    await page.clock.runFor(MINUTE);
    await goneOut(page);
    expect(asked).toBe(before);
  });
});
