import { describe, expect, it } from 'vitest';
import { ProviderSimulator, startWorld, type Oddity, type ProviderName } from '../../src/testing.ts';
import { ask, at, parsed, read, type Reading } from './support.ts';

const PROVIDERS = ['openrouter', 'google', 'nim', 'custom'] as const;
const CALLS = [
  { name: 'look', arguments: { q: 'a long question' } },
  { name: 'count', arguments: { n: 1 } },
];

function simulate(name: ProviderName, ...oddities: readonly Oddity[]): ProviderSimulator {
  const faults = oddities.map((as) => ({ kind: 'odd', as }) as const);
  return new ProviderSimulator(name, { faults, reply: () => ({ text: 'one two', toolCalls: CALLS }) });
}

function callsIn({ chunks }: Reading): readonly unknown[] {
  return chunks.flatMap((chunk) => {
    const calls = at(chunk, 'choices', '0', 'delta', 'tool_calls');
    const list: unknown[] = Array.isArray(calls) ? calls : [];
    return list;
  });
}

describe.each(PROVIDERS)('an odd answer of %s', (name) => {
  it('has no usage', () => {
    expect(at(ask(simulate(name, 'no-usage')).json, 'usage')).toBeUndefined();
    const { text } = read(simulate(name, 'no-usage'), {
      fields: { stream_options: { include_usage: true } },
    });
    expect(text).not.toContain('completion_tokens');
  });

  it('has null among its choices and calls', () => {
    const { json } = ask(simulate(name, 'null-choice', 'null-tool-call'));
    expect(at(json, 'choices', '0')).toBeNull();
    expect(at(json, 'choices', '1', 'message', 'tool_calls', '0')).toBeNull();
    const { text } = read(simulate(name, 'null-choice', 'null-tool-call'));
    expect(text).toContain('"choices":[null,{');
    expect(text).toContain('"tool_calls":[null,{');
  });

  it('has details of its reasoning', () => {
    const { json } = ask(simulate(name, 'reasoning-details'));
    expect(at(json, 'choices', '0', 'message', 'reasoning_details', '0', 'type')).toBe('reasoning.text');
    expect(read(simulate(name, 'reasoning-details')).text.split('reasoning_details')).toHaveLength(2);
  });

  it('is JSON before [DONE]', () => {
    for (const stream of [false, true]) {
      const { text } = ask(simulate(name, 'json-then-done'), { fields: { stream } });
      expect(parsed(text.replace(/data: \[DONE\]\s*$/, ''))).toBeTypeOf('object');
      expect(text).toMatch(/^\{.*\}\s+data: \[DONE\]/);
    }
  });

  it('is a stream though none was asked for', () => {
    const { body, headers } = ask(simulate(name, 'stream-instead'));
    expect(typeof body).toBe('object');
    expect(headers['Content-Type']).toContain('text/event-stream');
  });

  it('streams without a finish reason', () => {
    const { text, said } = read(simulate(name, 'no-finish-reason'));
    expect(said).toBe('one two');
    expect(text).not.toMatch(/"finish_reason":"/);
    expect(text).toContain('[DONE]');
  });

  it('streams null among its chunks', () => {
    const { chunks, said } = read(simulate(name, 'null-chunks'));
    expect(said).toBe('one two');
    expect(chunks.filter((chunk) => chunk === null).length).toBeGreaterThan(2);
  });

  it('streams the fragments of calls under other indexes', () => {
    const drifting = callsIn(read(simulate(name, 'drifting-indexes'))).map((call) => at(call, 'index'));
    expect(drifting).toEqual([...drifting.keys()]);
    const atOne = callsIn(read(simulate(name, 'one-index')));
    expect(atOne.every((call) => at(call, 'index') === 0 && at(call, 'id') === undefined)).toBe(true);
    expect(atOne.length).toBeGreaterThan(1);
  });

  it('counts as served', () => {
    const provider = simulate(name, 'no-usage', 'null-choice');
    ask(provider);
    read(provider);
    expect(provider.counts).toMatchObject({ total: 2, served: 2 });
  });
});

it('an oddity that an answer cannot have ignores it', () => {
  const faults = [{ kind: 'odd', as: 'null-chunks', times: 1 } as const];
  const provider = new ProviderSimulator('custom', { faults });
  expect(ask(provider).text).not.toContain('null-chunks');
  expect(read(provider).text).toContain('data: null');
  expect(read(provider).text).not.toContain('data: null');
});

it('an answer without text whose tokens were spent', () => {
  const provider = new ProviderSimulator('custom', { faults: [{ kind: 'empty', as: 'length' }] });
  const { json } = ask(provider);
  expect([at(json, 'choices', '0', 'message', 'content'), at(json, 'choices', '0', 'finish_reason')]).toEqual(
    ['', 'length'],
  );
  expect(read(provider).text).toContain('"finish_reason":"length"');
  expect(provider.counts.causes).toEqual({ empty: 2 });
});

it('compresses bodies over HTTP, streams included', async () => {
  const world = await startWorld({ custom: { keys: 1, faults: [{ kind: 'odd', as: 'gzip' }] } });
  try {
    for (const stream of [false, true]) {
      const response = await fetch(`${world.custom.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${world.custom.keys[0]}`, 'accept-encoding': 'identity' },
        body: JSON.stringify({ model: 'custom-large', stream, messages: [{ role: 'user', content: 'Hi' }] }),
      });
      const text = await response.text();
      expect(response.headers.get('content-encoding')).toBe('gzip');
      expect(text).toContain(stream ? 'data: [DONE]' : 'custom-large heard: Hi');
    }
  } finally {
    await world.close();
  }
});
