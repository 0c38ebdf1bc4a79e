import { describe, expect, it } from 'vitest';
import { ConfigError, type FreeLLM, type FreeLLMOptions, Groq, NIM, OpenRouter } from '../../src/index.ts';
import { meetsPrivacy, strictest } from '../../src/providers/privacy.ts';
import { open } from './support.ts';

describe('a demand for privacy', () => {
  it.each([
    ['no', undefined, 'no-training', true],
    ['no', undefined, 'no-logging', false],
    ['no', 'no', 'no-logging', true],
    ['no', 'possible', 'no-logging', false],
    ['yes', 'no', 'no-logging', false],
    ['yes', 'no', 'no-training', false],
    ['possible', undefined, 'no-training', false],
    ['unknown', undefined, 'no-training', false],
    ['yes', 'yes', undefined, true],
  ] as const)('training: %s, kept: %s; %s is met: %s', (trains, logs, demand, met) => {
    const facts = logs === undefined ? { trains } : { trains, logs };
    expect(meetsPrivacy(facts, undefined, demand)).toBe(met);
  });

  it.each([
    ['no-training', 'no-training', true],
    ['no-training', 'no-logging', false],
    ['no-logging', 'no-training', true],
    ['no-logging', 'no-logging', true],
  ] as const)('its user states %s; %s is met: %s', (stated, demand, met) => {
    expect(meetsPrivacy({ trains: 'unknown' }, stated, demand)).toBe(met);
  });

  it.each([
    [undefined, undefined, undefined],
    ['no-training', undefined, 'no-training'],
    [undefined, 'no-logging', 'no-logging'],
    ['no-logging', 'no-training', 'no-logging'],
    ['no-training', 'no-logging', 'no-logging'],
  ] as const)('the stricter of %s and %s is %s', (one, other, both) => {
    expect(strictest(one, other)).toBe(both);
  });
});

const KEYS = {
  openrouter: 'sk-or-v1-0123456789abcdef',
  nim: 'nvapi-0123456789abcdef0123',
  groq: 'gsk_0123456789abcdef0123',
};

/** A pool of three providers, and the hosts that it has asked. Groq alone is known not to train. */
function poolWith(options: Partial<FreeLLMOptions> = {}): {
  readonly llm: FreeLLM;
  readonly hosts: string[];
} {
  const hosts: string[] = [];
  const providers = [
    new OpenRouter(KEYS.openrouter, { discover: false }),
    new NIM(KEYS.nim, { discover: false }),
    new Groq(KEYS.groq, { discover: false }),
  ];
  const llm = open({
    providers,
    strategy: 'priority',
    fetch: (input) => {
      hosts.push(new URL(input).hostname);
      const message = { role: 'assistant', content: 'Yes.' };
      return Promise.resolve(Response.json({ choices: [{ index: 0, message, finish_reason: 'stop' }] }));
    },
    ...options,
  });
  return { llm, hosts };
}

const GROQ = ['api.groq.com'];

describe('a call', () => {
  it('that demands no training goes only to providers of which that is known', async () => {
    const { llm, hosts } = poolWith();
    await llm.text('Hi', { privacy: 'no-training' });
    expect(hosts).toEqual(GROQ);
  });

  it('takes on the demand of its pool', async () => {
    const { llm, hosts } = poolWith({ privacy: 'no-training' });
    await llm.text('Hi');
    await llm.stream('Hi').response();
    expect(new Set(hosts)).toEqual(new Set(GROQ));
  });

  it('that no provider can serve is a ConfigError, and nothing is sent', async () => {
    const { llm, hosts } = poolWith({ privacy: 'no-training' });
    const refused = llm.text('Hi', { privacy: 'no-logging' });
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(/"no-logging".*OpenRouter, NVIDIA NIM, Groq/);
    expect(hosts).toEqual([]);
  });

  it('trusts what the user states of a provider', async () => {
    const providers = [new OpenRouter(KEYS.openrouter, { discover: false, privacy: 'no-logging' })];
    const { llm, hosts } = poolWith({ providers });
    await llm.text('Hi', { privacy: 'no-training' });
    expect(hosts).toEqual(['openrouter.ai']);
  });

  it('over fetch may demand it, too', async () => {
    const { llm, hosts } = poolWith();
    const body = { messages: [{ role: 'user', content: 'Hi' }], freelm: { privacy: 'no-training' } };
    const init = { method: 'POST', body: JSON.stringify(body) };
    const response = await llm.fetch('http://freelm.invalid/v1/chat/completions', init);
    expect(response.status).toBe(200);
    expect(hosts).toEqual(GROQ);
  });

  it('with an unknown demand is a ConfigError', async () => {
    // @ts-expect-error -- as a user without types writes it
    await expect(poolWith().llm.text('Hi', { privacy: 'secret' })).rejects.toThrow(/privacy: must be one of/);
  });
});

it('explain says of each route whether prompts are kept and trained on', () => {
  const { llm } = poolWith();
  const facts = llm.explain().map(({ provider, trains, logs }) => `${provider} ${trains} ${logs}`);
  expect(new Set(facts)).toEqual(
    new Set(['openrouter possible possible', 'nim possible yes', 'groq no yes']),
  );
  expect(new Set(llm.explain({ privacy: 'no-training' }).map(({ provider }) => provider))).toEqual(
    new Set(['groq']),
  );
});
