/** The page and its server: the token, the clocks, polling, and an unreachable server. */

import { describe, expect, it } from 'vitest';
import { simulatedPool, MINUTE, NOON, SECOND } from '../support/simulated-pool.ts';
import { requestsSent, hasBrowser, refresh, waitForText, someStatus, useBrowser } from './page-support.ts';
import { gatewayOver } from './support.ts';

const UNREACHABLE = /^Failed to load resource/;

describe.skipIf(!hasBrowser)('the status page and its server', () => {
  const open = useBrowser();

  it('shows the time of the server, with a note if the clock of the browser differs', async () => {
    const pool = simulatedPool({ nim: { rpm: 1 } });
    await pool.run(pool.llm.text('Hello'));
    const { url } = await gatewayOver(pool.llm);
    const off = await open(url);
    await waitForText(off, '#skew', /This browser's clock is .* (ahead of|behind) the server's/);
    await waitForText(off, '.key', /ready 12:01:00, in\s6[01]\ss/);
    const right = await open(url, { before: (page) => page.clock.setSystemTime(pool.clock.now()) });
    await waitForText(right, '.key', /ready 12:01:00, in\s6[01]\ss/);
    expect(await right.locator('#skew').isVisible()).toBe(false);
  });

  it('requests the token, keeps it for the session, sends it as a header, and forgets it', async () => {
    const pool = simulatedPool({ nim: {} });
    const gateway = await gatewayOver(pool.llm, { token: 'open-sesame' });
    const page = await open(gateway.url, { expectedMessages: /401/ });
    const field = page.getByLabel('Token');
    await field.waitFor();
    expect(await page.locator('#board').isVisible()).toBe(false);
    await field.fill('wrong');
    await page.keyboard.press('Enter');
    await waitForText(page, '#gate-note', 'That token was not accepted.');
    expect(await field.inputValue()).toBe('');
    await field.fill('open-sesame');
    const [asked] = await Promise.all([page.waitForRequest('**/status'), page.keyboard.press('Enter')]);
    expect(asked.headers()['authorization']).toBe('Bearer open-sesame');
    expect(asked.url()).not.toContain('sesame');
    await waitForText(page, '.key', 'Ready');
    await waitForText(page, '#example', /^curl http\S+ \\\s+-H 'authorization: Bearer …' \\\s/);
    await page.reload();
    await waitForText(page, '.key', 'Ready');
    expect(page.url()).not.toContain('sesame');
    await page.getByRole('button', { name: 'Forget the token' }).click();
    await field.waitFor();
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
  });

  it('reports an unreachable server, keeps the last status, and resumes when the server is back', async () => {
    const pool = simulatedPool({ nim: {} });
    const gateway = await gatewayOver(pool.llm);
    const page = await open(gateway.url, { expectedMessages: UNREACHABLE });
    await waitForText(page, '.key', 'Ready');
    const { port } = gateway;
    await gateway.close();
    await waitForText(page, '#link', /^No answer from the server since \d\d:\d\d:\d\d; next try in/);
    await waitForText(page, '#news', 'No answer from the server');
    expect(await page.locator('.key').isVisible()).toBe(true);
    await gatewayOver(pool.llm, { port });
    await page.getByRole('button', { name: 'Try now' }).click();
    await waitForText(page, '#link', 'Live');
    await waitForText(page, '#news', 'The server answers again');
    expect(await page.locator('#pause:focus').count()).toBe(1);
  });

  it('polls every second, more rarely if hidden or without an answer, and not at all while paused', async () => {
    let asked = 0;
    let fails = false;
    const page = await open((await gatewayOver(simulatedPool({ nim: {} }).llm)).url, {
      expectedMessages: UNREACHABLE,
      before: async (one) => {
        await one.clock.install({ time: NOON });
        await one.clock.pauseAt(NOON + SECOND);
        await one.route('**/status', (route) => {
          asked += 1;
          const totals = { success: asked, failure: 0, aborted: 0, attempts: 0, refused: 0 };
          return fails ? route.fulfill({ status: 503 }) : route.fulfill({ json: someStatus({ totals }) });
        });
      },
    });
    /** Advances the clock: the page must send a request at the end, and none before. */
    const pollsAfter = async (ms: number, then: RegExp): Promise<void> => {
      const before = asked;
      await page.clock.runFor(ms - 1);
      await requestsSent(page);
      expect(asked).toBe(before);
      await page.clock.runFor(1);
      await waitForText(page, 'body', then);
      expect(asked).toBe(before + 1);
    };
    await waitForText(page, '#served', '1');
    await pollsAfter(SECOND, new RegExp(String.raw`Calls served\s*${asked + 1}\b`));
    await page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })");
    await pollsAfter(SECOND, new RegExp(String.raw`Calls served\s*${asked + 1}\b`));
    await pollsAfter(15 * SECOND, new RegExp(String.raw`Calls served\s*${asked + 1}\b`));
    await page.evaluate("Object.defineProperty(document, 'hidden', { value: false })");
    fails = true;
    await refresh(page);
    await waitForText(page, '#link', /The server answers 503 since .*; next try in\s1\ss$/);
    await pollsAfter(SECOND, /next try in\s2\ss/);
    await pollsAfter(2 * SECOND, /next try in\s4\ss/);
    await pollsAfter(4 * SECOND, /next try in\s8\ss/);
    await page.clock.runFor(10 * MINUTE);
    fails = false;
    await refresh(page);
    await waitForText(page, '#link', 'Live');
    await page.getByRole('button', { name: 'Pause' }).click();
    await waitForText(page, '#link', 'Paused');
    const before = asked;
    await page.clock.runFor(MINUTE);
    await requestsSent(page);
    expect(asked).toBe(before);
  });
});
