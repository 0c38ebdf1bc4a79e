/** The reset of what is remembered, by a request and by the button of the page. */

import { describe, expect, it } from 'vitest';
import { simulatedPool, type SimulatedPool } from '../support/simulated-pool.ts';
import { hasBrowser, useBrowser, waitForText } from './page-support.ts';
import { ask, gatewayOver } from './support.ts';

async function poolWithRefusedKeys(): Promise<SimulatedPool> {
  const refused = { faults: [{ kind: 'unauthorized' }] } as const;
  const pool = simulatedPool({ nim: refused, custom: refused });
  await pool.trace(1);
  return pool;
}

const disabled = ({ llm }: SimulatedPool): readonly boolean[] => llm.health().map((row) => row.disabled);

describe('POST /reset', () => {
  it.each([
    ['{}', [false, false]],
    ['{"provider":"nim"}', [false, true]],
    ['{"provider":"custom","key":"key-of-custom"}', [true, false]],
  ])('with %s forgets what was asked for', async (body, expected) => {
    const pool = await poolWithRefusedKeys();
    const gateway = await gatewayOver(pool.llm);
    expect(disabled(pool)).toEqual([true, true]);
    const { status, text } = await ask(gateway, { path: '/reset', body });
    expect([status, text]).toEqual([200, '{"ok":true}']);
    expect(disabled(pool)).toEqual(expected);
  });

  it.each([
    '',
    'nim',
    '[',
    'null',
    '7',
    '{"provider":"nowhere"}',
    '{"key":"sk-secret"}',
    '{"provider":7}',
    '{"all":1}',
  ])('with %s is refused and forgets nothing', async (body) => {
    const pool = await poolWithRefusedKeys();
    const gateway = await gatewayOver(pool.llm);
    const { status, text } = await ask(gateway, { path: '/reset', body });
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'invalid_value' } });
    expect(text).not.toContain('secret');
    expect(disabled(pool)).toEqual([true, true]);
  });
});

describe.skipIf(!hasBrowser)('the button of the page', () => {
  const open = useBrowser();

  it('asks first, and then resets the keys', async () => {
    const pool = await poolWithRefusedKeys();
    const { url } = await gatewayOver(pool.llm, { token: 'open-sesame' });
    const page = await open(url, { expectedMessages: /401/ });
    await page.getByLabel('Token').fill('open-sesame');
    await page.keyboard.press('Enter');
    await waitForText(page, '.key', 'Disabled');
    const button = page.getByRole('button', { name: 'Reset the keys' });
    page.once('dialog', (dialog) => void dialog.dismiss());
    await button.click();
    expect(disabled(pool)).toEqual([true, true]);
    page.once('dialog', (dialog) => {
      expect(dialog.message()).toContain('Forget used quotas');
      void dialog.accept();
    });
    await button.click();
    await waitForText(page, '.key', 'Ready');
    expect(disabled(pool)).toEqual([false, false]);
  });
});
