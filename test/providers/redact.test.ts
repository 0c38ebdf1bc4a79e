import { describe, expect, it } from 'vitest';
import { maskKey, redactor } from '../../src/providers/key.ts';
import { SPECS } from '../../src/providers/spec.ts';

const patterns = [SPECS.openrouter, SPECS.google, SPECS.nim].map(({ keyPattern }) => keyPattern);

describe("the pool's own keys", () => {
  const keys = {
    'a usual key': 'sk-or-v1-0123456789abcdef0123',
    'with characters that are special in patterns': 'k.y+[a]*(b)\\d^$|?{2}-/end/',
    short: 'hunter22',
    'very short': 'pw1',
    'without any letter': '!"#$%&()*+-./:;<=>?@[]^_`{|}~',
  };
  it.each(Object.entries(keys))('%s is masked everywhere', (_shape, key) => {
    const redact = redactor([key], []);
    for (const text of [key, `Bearer ${key}`, `"${key}"`, `<b>${key}</b>`, `key=${key}&x`, `${key} ${key}`]) {
      expect(redact(text)).not.toContain(key);
      expect(redact(text)).toContain(maskKey(key));
    }
  });

  it('is masked completely if it begins with another key', () => {
    const redact = redactor(['secret-key', 'secret-key-longer'], []);
    expect(redact('secret-key-longer')).toBe(maskKey('secret-key-longer'));
  });

  it('is not masked inside words if it is very short', () => {
    expect(redactor(['pw1'], [])('the pw10 and pw1, not xpw1')).toBe(
      `the pw10 and ${maskKey('pw1')}, not xpw1`,
    );
  });

  it('may hold half a character, which no URL can', () => {
    const key = 'secret-\ud83d-key';
    expect(redactor([key], [])(`the key ${key}`)).toBe(`the key ${maskKey(key)}`);
  });

  it('leaves other text unchanged', () => {
    const text = 'Rate limit exceeded: free-models-per-day. Add 10 credits.';
    expect(redactor(['sk-or-v1-0123456789abcdef0123'], patterns)(text)).toBe(text);
    expect(redactor([], [])(text)).toBe(text);
  });
});

describe('a key outside the pool', () => {
  it.each([
    'sk-or-v1-0123456789abcdef',
    'AIzaSyA-0123456789_abcdefghijklmnopq',
    'AQ.Ab0123456789cdef',
    'nvapi-0123456789-abcdef_ghij',
  ])('is recognised by its shape: %s', (key) => {
    expect(redactor([], patterns)(`Incorrect key: ${key}.`)).not.toContain(key.slice(0, 12));
  });
});
