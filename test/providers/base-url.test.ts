import { describe, expect, it } from 'vitest';
import { fillTemplate, localBaseUrl, readBaseUrl, withoutEndpoint } from '../../src/providers/base-url.ts';
import { ConfigError } from '../../src/errors.ts';

describe('the base URL of a local server from a variable', () => {
  it.each([
    ['0.0.0.0', 'http://127.0.0.1:11434/v1'],
    ['127.0.0.1:11435', 'http://127.0.0.1:11435/v1'],
    [':8080', 'http://127.0.0.1:8080/v1'],
    ['[::]:11434', 'http://127.0.0.1:11434/v1'],
    ['[::1]', 'http://[::1]:11434/v1'],
    ['gpu', 'http://gpu:11434/v1'],
    ['gpu:80', 'http://gpu/v1'],
    ['http://gpu.lan:11434', 'http://gpu.lan:11434/v1'],
    ['http://gpu.lan:11434/', 'http://gpu.lan:11434/v1'],
    ['http://gpu.lan', 'http://gpu.lan/v1'],
    ['https://models.example', 'https://models.example/v1'],
    ['http://127.0.0.1:11434/v1', 'http://127.0.0.1:11434/v1'],
    ['https://models.example/behind/v1', 'https://models.example/behind/v1'],
  ])('%s is %s', (value, url) => {
    expect(localBaseUrl('OLLAMA_HOST', value, 'http://127.0.0.1:11434/v1')).toBe(url);
  });

  it.each(['::', 'http://', 'a b'])('throws a ConfigError that names the variable for %s', (value) => {
    const read = (): string => localBaseUrl('OLLAMA_HOST', value, 'http://127.0.0.1:11434/v1');
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/^OLLAMA_HOST is not an address\. Set it to 127\.0\.0\.1:11434 or http:/);
  });
});

describe('a base URL with the path of an endpoint', () => {
  it.each([
    ['https://a.example/v1/chat/completions', 'https://a.example/v1'],
    ['https://a.example/v1/chat/completions/', 'https://a.example/v1'],
    ['https://a.example/v1/Completions', 'https://a.example/v1'],
    ['https://a.example/v1/models', 'https://a.example/v1'],
    ['https://a.example/v1/responses', 'https://a.example/v1'],
    ['https://a.example/models/mine/v1', 'https://a.example/models/mine/v1'],
    ['https://a.example/supermodels', 'https://a.example/supermodels'],
    ['"https://a.example/v1"', 'https://a.example/v1'],
  ])('%s is %s', (given, base) => {
    expect(withoutEndpoint(readBaseUrl('Mine', given, false))).toBe(base);
  });
});

describe('the placeholders of a base URL', () => {
  const variables = { place: { env: ['PLACE', 'MY_PLACE'], pattern: '[a-f]{4}', title: 'the place' } };
  const template = 'https://models.example/{place}/v1';
  const filled = (given: Record<string, string>, env: Record<string, string> = {}): string =>
    fillTemplate('Mine', template, { variables, given, env });

  it('are filled from the options, else from the environment', () => {
    expect(filled({ place: ' abcd ' }, { PLACE: 'ffff' })).toBe('https://models.example/abcd/v1');
    expect(filled({}, { PLACE: ' ', MY_PLACE: 'ffff' })).toBe('https://models.example/ffff/v1');
  });

  it.each([
    [{}, {}, 'Mine needs the place. Set PLACE or MY_PLACE, or pass vars: { place: \u2018\u2026\u2019 }.'],
    [{ place: 'abc' }, {}, 'Mine: "abc" is not the place. Correct PLACE or MY_PLACE'],
    [{ place: 'abcd/../e' }, {}, 'is not the place'],
    [{}, { PLACE: 'xabcd' }, 'is not the place'],
    [{ place: 'abcd', time: 'x' }, {}, 'Mine options.vars has no member "time".'],
  ])('%j with %j is a ConfigError', (given, env, message) => {
    expect(() => filled(given, env)).toThrow(ConfigError);
    expect(() => filled(given, env)).toThrow(message.replaceAll(/[\u2018\u2019]/g, "'"));
  });

  it('are ignored in a base URL without them', () => {
    const values = { variables, given: {}, env: {} };
    expect(fillTemplate('Mine', 'https://proxy.example/v1', values)).toBe('https://proxy.example/v1');
  });
});
