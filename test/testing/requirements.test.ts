import { describe, expect, it } from 'vitest';
import { ProviderSimulator, type RequirementName } from '../../src/testing.ts';
import { wordingsOf } from '../../src/testing/requirements/wordings.ts';
import {
  REQUIREMENT_NAMES,
  OFFENDING_REQUESTS,
  type OffendingRequest,
} from '../support/offending-requests.ts';
import { ask, at } from './support.ts';

const PROVIDERS = ['openrouter', 'google', 'nim', 'custom'] as const;
/** Some of the requests have images. */
const SEEING = { id: 'a/model:free', lacks: [] };
const PLAIN: OffendingRequest = { messages: [{ role: 'user', content: 'Hello' }] };

function fieldsOf({ messages, fields, extra }: OffendingRequest): Readonly<Record<string, unknown>> {
  return { messages, ...fields, ...extra };
}

describe.each(REQUIREMENT_NAMES)('a model that requires %s', (name) => {
  it.each(OFFENDING_REQUESTS[name])('refuses offending request %#', (request) => {
    const provider = new ProviderSimulator('custom', { models: [SEEING], requirements: [name] });
    const { status } = ask(provider, { fields: fieldsOf(request), model: SEEING.id });
    expect([400, 422, 500]).toContain(status);
    expect(provider.counts.causes).toEqual({ disliked: 1 });
  });

  it('takes a plain request', () => {
    const provider = new ProviderSimulator('custom', { models: [SEEING], requirements: [name] });
    expect(ask(provider, { fields: fieldsOf(PLAIN), model: SEEING.id }).status).toBe(200);
  });

  it('has several wordings, each in the format of each provider', () => {
    expect(wordingsOf(name)).toBeGreaterThan(1);
    const [request = PLAIN] = OFFENDING_REQUESTS[name];
    for (const provider of PROVIDERS) {
      const models = [SEEING];
      const texts = Array.from({ length: wordingsOf(name) }, (_, wording) => {
        const world = new ProviderSimulator(provider, { models, requirements: [{ name, wording }] });
        return ask(world, { fields: fieldsOf(request), model: SEEING.id }).text;
      });
      expect(new Set(texts).size).toBe(texts.length);
    }
  });
});

it('a model without requirements takes all of these requests', () => {
  const provider = new ProviderSimulator('custom', { models: [SEEING] });
  for (const request of Object.values(OFFENDING_REQUESTS).flat())
    expect(ask(provider, { fields: fieldsOf(request) }).status).toBe(200);
});

it('the requirements of a model replace those of its provider', () => {
  const models = [{ id: 'a' }, { id: 'b', requirements: ['no-empty-tools'] as const }];
  const provider = new ProviderSimulator('custom', { models, requirements: ['no-developer-role'] });
  const statusOf = (model: string, name: RequirementName): number =>
    ask(provider, { model, fields: fieldsOf(OFFENDING_REQUESTS[name][0] ?? PLAIN) }).status;
  expect(statusOf('a', 'no-developer-role')).toBeGreaterThanOrEqual(400);
  expect(statusOf('a', 'no-empty-tools')).toBe(200);
  expect(statusOf('b', 'no-developer-role')).toBe(200);
  expect(statusOf('b', 'no-empty-tools')).toBeGreaterThanOrEqual(400);
});

it('unknown words name nothing', () => {
  const requirements = [{ name: 'no-developer-role', words: 'unknown', wording: 0 }] as const;
  const provider = new ProviderSimulator('custom', { requirements });
  const [request = PLAIN] = OFFENDING_REQUESTS['no-developer-role'];
  const { status, json } = ask(provider, { fields: fieldsOf(request) });
  expect([status, at(json, 'error', 'message')]).toEqual([400, 'Bad request.']);
});
