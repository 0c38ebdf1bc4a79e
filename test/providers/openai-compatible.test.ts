import { describe, expect, it } from 'vitest';
import { ConfigError, OpenAICompatible, type OpenAICompatibleOptions } from '../../src/index.ts';

const options: OpenAICompatibleOptions = { name: 'mine', baseUrl: 'http://127.0.0.1:8080/v1' };

/** Id and number of each limit. */
function limits(more: Partial<OpenAICompatibleOptions>): unknown {
  const [account] = new OpenAICompatible('k', { ...options, ...more }).accounts;
  return account?.limits('any/model').map(({ id, max }) => [id, max]);
}

describe('an endpoint of your own', () => {
  it('has the given name, base URL and keys', () => {
    const provider = new OpenAICompatible('a,b', options);
    expect([provider.name, provider.baseUrl, provider.keys.length]).toEqual(['mine', options.baseUrl, 2]);
  });

  it('is not paced by default', () => {
    expect(limits({})).toEqual([['rpm', Number.POSITIVE_INFINITY]]);
    expect(limits({ rpm: 3, rpd: 100 })).toEqual([
      ['rpm', 3],
      ['rpd', 100],
    ]);
  });

  it('fetches its model list if no models are given', () => {
    expect(new OpenAICompatible('k', options).spec.discovery?.default).toBe(true);
    expect(new OpenAICompatible('k', { ...options, models: ['m'] }).spec.discovery?.default).toBe(false);
  });

  it('refuses no model as paid, and accepts any id', () => {
    const provider = new OpenAICompatible('k', options);
    expect([provider.refusesPaid('gpt-6'), provider.mayServe('gpt-6'), provider.mayServe('a/b:c')]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it.each([
    [undefined, 'OpenAICompatible takes two arguments, the keys and the options'],
    [{}, 'OpenAICompatible options.name: must be a string'],
    [{ name: 'mine' }, 'OpenAICompatible options.baseUrl: must be a string'],
    [{ ...options, name: '' }, 'options.name: must be lower case letters'],
    [{ ...options, name: 'My Endpoint' }, 'options.name: must be lower case letters'],
    [{ ...options, name: 'x'.repeat(41) }, 'options.name: must be lower case letters'],
    [{ ...options, baseUrl: 'nowhere' }, 'OpenAICompatible("mine"): baseUrl is not a URL'],
    [{ ...options, models: [] }, 'OpenAICompatible("mine") options.models: must not be an empty list'],
    [{ ...options, model: 'm' }, 'OpenAICompatible("mine") options has no option "model"'],
    [{ ...options, tier: 'gold' }, 'OpenAICompatible("mine") has no tier "gold"'],
  ])('%j is a ConfigError that names the field', (given, message) => {
    // @ts-expect-error -- plain JavaScript can pass this
    const make = (): OpenAICompatible => new OpenAICompatible('k', given);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });

  it('needs a key, even a made-up one', () => {
    expect(() => new OpenAICompatible('', options)).toThrow('OpenAICompatible("mine") was given no key');
  });
});
