import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { libraryUrl } from '../support/library.ts';

it('a closed world leaves no server, socket or timer, so that the process exits', async () => {
  const script = `
    import { startWorld } from ${JSON.stringify(libraryUrl('testing.js'))};
    const world = await startWorld({ nim: { faults: [{ kind: 'hang' }] }, custom: { latencyMs: 600_000 } });
    const call = (provider) => fetch(provider.baseUrl + '/chat/completions', {
      method: 'POST',
      headers: { Authorization: 'Bearer ' + provider.keys[0] },
      body: JSON.stringify({ model: provider.models[0], messages: [{ role: 'user', content: 'Hello' }] }),
    }).catch(() => {});
    const waiting = [call(world.nim), call(world.custom), call(world.google)];
    while (world.calls.length < 3) await new Promise(setImmediate);
    await world.close();
    await Promise.all(waiting);
    console.log(world.calls.map(({ outcome }) => outcome).toSorted().join(' '));
  `;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout.trim()).toBe('hang served served');
});
