/** `freelm models`, `freelm health` and `freelm doctor`. */

import { describe, expect, it } from 'vitest';
import { Interruption } from '../../src/cli/exit.ts';
import { serve, until } from '../support/server.ts';
import { aNumber, listWith, partly, textLike } from '../client/support.ts';
import { command, envOf, interruptible, world } from './support.ts';

describe('freelm models', () => {
  it('lists the models of the providers, the best first', async () => {
    const { code, out, err } = await command(['models'], { env: envOf(await world()) });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^provider +model +context +tags\n─+ +─+ +─+ +─+\n/);
    expect(out).toMatch(/^openrouter +z-ai\/glm-5\.2:free +256000 +chat/m);
    // This model costs money at OpenRouter.
    expect(out).not.toMatch(/^openrouter +openai\/gpt-oss-20b /m);
  });

  it('filters by id, provider and tag', async () => {
    const env = envOf(await world());
    const { out } = await command(['models', 'GEMMA', '--json'], { env });
    const list: unknown = JSON.parse(out);
    expect(list).toEqual(listWith(partly({ provider: 'google', id: 'gemma-4-31b-it' })));
    expect((await command(['models', 'vision'], { env })).out).toMatch(/vision/);
    expect(await command(['models', 'unheard-of'], { env })).toMatchObject({
      code: 0,
      out: '',
      err: textLike(/none of \d+ models matches "unheard-of"/),
    });
  });

  it('requests a list only if the cached one is old, or with --refresh', async () => {
    const simulated = await world({ openrouter: { keys: 1 } });
    const env = envOf(simulated, ['openrouter']);
    const lists = (): number => simulated.calls.filter(({ route }) => route === 'models').length;
    await command(['models', '--refresh'], { env });
    expect(lists()).toBe(1);
    await command(['models'], { env });
    expect(lists()).toBe(1);
    await command(['models', '--refresh'], { env });
    expect(lists()).toBe(2);
  });

  it("lists OpenRouter's free models without a key with --free", async () => {
    const simulated = await world();
    const { FREELM_OPENROUTER_BASE_URL = '', FREELM_CACHE_DIR = '' } = envOf(simulated);
    const { code, out } = await command(['models', '--free', '--json'], {
      env: { FREELM_OPENROUTER_BASE_URL, FREELM_CACHE_DIR },
    });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(
      listWith(partly({ provider: 'openrouter', id: 'z-ai/glm-5.2:free', free: true })),
    );
  });

  it('warns when a list cannot be fetched and shows the built-in models', async () => {
    const simulated = await world({ openrouter: { faults: [{ kind: 'forbidden', route: 'models' }] } });
    const { code, out, err } = await command(['models'], { env: envOf(simulated, ['openrouter']) });
    expect(code).toBe(0);
    expect(err).toMatch(/warning: fetching the model list of openrouter failed/);
    expect(out).toMatch(/^openrouter /m);
  });

  it('exits on a signal while a provider does not answer', async () => {
    const simulated = await world({ openrouter: { faults: [{ kind: 'hang', route: 'models' }] } });
    const { signal, interrupt } = interruptible(new Interruption('SIGINT'));
    const finished = command(['models'], { env: envOf(simulated, ['openrouter']), signal });
    await until(() => simulated.calls.length === 1);
    interrupt();
    expect(await finished).toEqual({ code: 130, out: '', err: '' });
  });
});

describe('freelm health', () => {
  it('has a line for every key and the remaining quota, and sends no requests', async () => {
    const simulated = await world({ openrouter: { keys: 2 }, google: { keys: 1 }, nim: { keys: 1 } });
    const { code, out, err } = await command(['health'], { env: envOf(simulated) });
    expect({ code, err }).toEqual({
      code: 0,
      err: 'To check the keys at their providers, run freelm doctor.\n',
    });
    expect(out.match(/^openrouter +sk-or-….{4} +not tried +closed +0\/20 +0\/50$/gm)).toHaveLength(2);
    expect(out).toMatch(/\d+ requests can be sent at once; \d+ are left/);
    expect(out).toContain('4 of 4 keys have not been tried');
    expect(simulated.calls).toEqual([]);
  });

  it('shows what an earlier process learnt of a key', async () => {
    const simulated = await world({ openrouter: { keys: 1 } });
    const env = envOf(simulated, ['openrouter']);
    await command(['chat', 'hi'], { env });
    const { out, err } = await command(['health'], { env });
    expect(err).toBe('');
    expect(out).toMatch(/^openrouter +sk-or-….{4} +ready +closed +1\/20 +1\/50$/m);
    expect(out).not.toContain('not been tried');
  });

  it('prints JSON with --json', async () => {
    const { out } = await command(['health', '--json'], {
      env: envOf(await world({ nim: { keys: 1 } }), ['nim']),
    });
    expect(JSON.parse(out)).toMatchObject({
      keys: [{ provider: 'nim', ready: true }],
      capacity: { requestsNow: aNumber },
    });
  });
});

describe('freelm doctor', () => {
  it('distinguishes valid keys, invalid keys, keys without credit and unreachable providers, and says what to do', async () => {
    const simulated = await world({
      openrouter: {
        keys: 3,
        faults: [
          { kind: 'unauthorized', account: 'account-2' },
          { kind: 'out-of-credits', account: 'account-3' },
        ],
      },
      nim: { keys: 1 },
      google: { keys: 1, faults: [{ kind: 'reset', route: 'any' }] },
    });
    const env = { ...envOf(simulated), GEMINI_API_KEY: 'shadowed' };
    const { code, out, err } = await command(['doctor', '--chat'], { env });
    expect({ code, err }).toEqual({ code: 1, err: '' });
    const lines = out.split('\n').map((line) => line.replaceAll(/ +\d+ ms /g, ' '));
    const [good, dead = '', creditless = ''] = lines.filter((line) => /openrouter +sk-/.test(line));
    expect(good).toMatch(
      /^✓ openrouter +sk-or-….{4} +works +free: 20 a minute, \d+ of 50 a day left; free: listed at a price of 0$/,
    );
    expect(dead).toMatch(/^✗ openrouter +sk-or-….{4} +refused /);
    expect(creditless).toMatch(/^✗ openrouter +sk-or-….{4} +no credit /);
    expect(out).toMatch(/HTTP 401: User not found\.\n +→ Remove or replace the key/);
    expect(out).toMatch(/HTTP 402: .*\n +→ .*Top it up/);
    expect(out).toMatch(/^\? google .*\n.*\n +→ Check that this machine/m);
    expect(out).toMatch(/^✓ nim /m);
    expect(out).toMatch(/^More free providers[\s\S]*Groq +https:.*\n +GROQ_API_KEY/m);
    expect(out).toMatch(/^2 of 5 keys work\.$/m);
    for (const key of [...simulated.openrouter.keys, ...simulated.nim.keys]) expect(out).not.toContain(key);
  });

  it('exits with 0 if every key works', async () => {
    const simulated = await world({ openrouter: { keys: 1 } });
    const { code, out } = await command(['doctor'], { env: envOf(simulated, ['openrouter']) });
    expect(code).toBe(0);
    expect(out).toMatch(/1 of 1 key works\./);
  });

  it('checks the other providers if the variables of one are invalid', async () => {
    const simulated = await world({ openrouter: { keys: 1 } });
    const env = { ...envOf(simulated, ['openrouter', 'nim']), FREELM_NIM_TIER: 'gold', GEMINI_API_KEY: ',' };
    const { code, out } = await command(['doctor'], { env });
    expect(code).toBe(2);
    expect(out).toMatch(/^✓ openrouter/m);
    expect(out).toMatch(/^✗ FREELM_NIM_TIER is "gold"/m);
    expect(out).toMatch(/^! GEMINI_API_KEY is set, but holds no key/m);
    expect(out).toMatch(
      /No other command works in this environment until you correct the variables marked ✗\.\n$/,
    );
    expect((await command(['chat', 'hi'], { env })).code).toBe(2);
  });

  it('exits with 0 if a variable merely has no effect', async () => {
    const simulated = await world({ openrouter: { keys: 1 } });
    const env = { ...envOf(simulated, ['openrouter']), GEMINI_API_KEY: ',', KILO_API_KEY: 'k'.repeat(40) };
    const { code, out } = await command(['doctor'], { env });
    expect(code).toBe(0);
    expect(out).toMatch(/^! KILO_API_KEY is set, but/m);
  });

  it('prints JSON with --json', async () => {
    const simulated = await world({ openrouter: { keys: [{ tier: 'credit' }] } });
    const { code, out } = await command(['doctor', '--json'], { env: envOf(simulated, ['openrouter']) });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      keys: [
        { provider: 'openrouter', works: true, tier: 'free', reportedTier: 'credit', request: 'account' },
      ],
      providers: listWith(partly({ provider: 'openrouter', isUsed: true, problems: [] })),
    });
  });

  it('waits no longer than --timeout-ms, and exits on a signal', async () => {
    const server = await serve(() => undefined);
    const env = { NVIDIA_API_KEY: `nvapi-${'a'.repeat(64)}`, FREELM_NIM_BASE_URL: `${server.url}/v1` };
    expect(await command(['doctor', '--timeout-ms', '30'], { env })).toMatchObject({
      code: 1,
      out: textLike(/no complete answer within 30 ms/),
    });
    const { signal, interrupt } = interruptible(new Interruption('SIGTERM'));
    const finished = command(['doctor'], { env, signal });
    await until(() => server.requests.length === 2);
    interrupt();
    expect(await finished).toEqual({ code: 143, out: '', err: '' });
  });
});

describe('freelm reset', () => {
  it('forgets what other processes have stored', async () => {
    const simulated = await world({ nim: { keys: 1 } });
    const env = envOf(simulated, ['nim']);
    const health = async (): Promise<unknown> => {
      const { out } = await command(['health', '--json'], { env });
      return JSON.parse(out);
    };
    simulated.nim.script({ kind: 'unauthorized', times: 1 });
    expect(await command(['chat', 'Hello'], { env })).toMatchObject({ code: 1 });
    expect(await health()).toMatchObject({ keys: [{ disabled: true }] });
    const done = { code: 0, out: 'Forgot what was remembered of nim.\n', err: '' };
    expect(await command(['reset', '--provider', 'nim'], { env })).toEqual(done);
    expect(await health()).toMatchObject({ keys: [{ disabled: false }] });
    expect(await command(['chat', 'Hello'], { env })).toMatchObject({ code: 0 });
  });

  it('fails if there is no such provider', async () => {
    const env = envOf(await world({ nim: { keys: 1 } }), ['nim']);
    const { code, err } = await command(['reset', '--provider', 'nowhere'], { env });
    expect(code).toBe(2);
    expect(err).toContain('It has nim.');
  });
});
