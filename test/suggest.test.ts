import { expect, it } from 'vitest';
import { suggestion, suggestions } from '../src/suggest.ts';

const KNOWN = [
  'timeoutMs',
  'maxWaitMs',
  'maxAttempts',
  'max_tokens',
  'top_p',
  'temperature',
  'signal',
  'stop',
  'n',
  'wait',
];

it.each([
  ['timeout', 'timeoutMs'],
  ['timeoutMS', 'timeoutMs'],
  ['maxTokens', 'max_tokens'],
  ['topP', 'top_p'],
  ['max_wait', 'maxWaitMs'],
  ['max_attempts', 'maxAttempts'],
  ['maxRetries', 'maxAttempts'],
  ['abortSignal', 'signal'],
  ['tempreature', 'temperature'],
  ['temprature', 'temperature'],
  ['wiat', 'wait'],
  ['stopSequences', 'stop'],
])('%s is taken for %s', (name, meant) => {
  expect(suggestion(name, KNOWN)).toBe(meant);
});

it.each([['messages'], ['x'], ['m'], ['__proto__'], ['a'.repeat(100_000)], ['colour']])(
  '%s is nothing similar',
  (name) => {
    expect(suggestion(name, KNOWN)).toBeUndefined();
  },
);

it('names each suggestion once, and the unit of times', () => {
  expect(suggestions(['timeout', 'timeoutMS', 'what'], KNOWN)).toBe(
    ' Did you mean "timeoutMs"? Times are in milliseconds.',
  );
  expect(suggestions(['maxTokens', 'topP'], KNOWN)).toBe(' Did you mean "max_tokens", "top_p"?');
  expect(suggestions(['what'], KNOWN)).toBe('');
});
