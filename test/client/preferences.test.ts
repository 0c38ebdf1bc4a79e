import { expect, it } from 'vitest';
import { type FreeLLMEvent, OpenAICompatible } from '../../src/index.ts';
import { json, serve } from '../support/server.ts';
import { open } from './support.ts';

const KEY = 'key-of-mine-0123';

function warningsIn(events: readonly FreeLLMEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
}

it('an id of prefer that the given models do not have is said', () => {
  const events: FreeLLMEvent[] = [];
  const options = { name: 'mine', baseUrl: 'https://mine.example/v1', models: ['qwen-large', 'qwen-small'] };
  const providers = [new OpenAICompatible(KEY, { ...options, prefer: ['qwen-larg', 'qwen-small'] })];
  open({ providers, onEvent: (event) => events.push(event) });
  expect(warningsIn(events)).toEqual([
    'The option prefer of mine names "qwen-larg", which is not among its models. Did you mean "qwen-large"?',
  ]);
});

it('an id of prefer that the fetched list does not have is said once, when the list has come', async () => {
  const server = await serve((_request, response) => json(response, { data: [{ id: 'a' }, { id: 'b' }] }));
  const events: FreeLLMEvent[] = [];
  const options = { name: 'mine', baseUrl: `${server.url}/v1`, prefer: ['b', 'c'] };
  const llm = open({
    providers: [new OpenAICompatible(KEY, options)],
    onEvent: (event) => events.push(event),
  });
  expect(warningsIn(events)).toEqual([]);
  await llm.refreshModels();
  await llm.refreshModels();
  expect(warningsIn(events)).toEqual(['The option prefer of mine names "c", which is not among its models.']);
});
