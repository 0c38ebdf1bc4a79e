import { getEventListeners } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { OpenAI } from '../../src/compat.ts';
import { rejection } from '../support/rejection.ts';
import { hangs, says, serve, until } from '../support/server.ts';
import { endpoint, open } from './support.ts';

const CALLS = 12;
const messages = [{ role: 'user' as const, content: 'Hi' }];

/** The warnings of Node during a test. */
function warnings(): readonly Error[] {
  const seen: Error[] = [];
  const listener = (warning: Error): void => void seen.push(warning);
  process.on('warning', listener);
  onTestFinished(() => void process.off('warning', listener));
  return seen;
}

it('many calls on one signal cause no warning and leave no listener', async () => {
  const seen = warnings();
  const server = await serve(says('fine'));
  const llm = open({ providers: [endpoint(server)] });
  const client = new OpenAI({ freelm: llm });
  const { signal } = new AbortController();
  const options = { signal };
  const each = Array.from({ length: CALLS }, () => [
    llm.text('Hi', options),
    llm.checkKeys(options),
    rejection(llm.stream('Hi', { ...options, maxAttempts: 1, timeoutMs: 5000 }).response()).catch(() => ''),
    client.chat.completions.create({ model: 'auto', messages }, options),
  ]);
  await Promise.all(each.flat());
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(seen).toEqual([]);
});

it('an abort reaches every call on the signal', async () => {
  const seen = warnings();
  const server = await serve(hangs);
  const llm = open({ providers: [endpoint(server)] });
  const controller = new AbortController();
  const ended = Array.from({ length: CALLS }, () => rejection(llm.text('Hi', { signal: controller.signal })));
  await until(() => server.requests.length === CALLS);
  const reason = new Error('enough');
  controller.abort(reason);
  expect(new Set(await Promise.all(ended))).toEqual(new Set([reason]));
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  expect(seen).toEqual([]);
});
