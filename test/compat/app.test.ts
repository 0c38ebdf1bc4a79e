import RealOpenAI from 'openai';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import * as ours from './app-compat.ts';
import * as theirs from './app-openai.ts';
import type { ReplyFunction } from '../../src/testing.ts';
import { compatClient, type CompatSetup } from './support.ts';

const source = (name: string): Promise<string> => readFile(new URL(name, import.meta.url), 'utf8');

/** Calls the weather tool twice before it answers. */
const meteorologist: ReplyFunction = ({ messages, lastUserText }) => {
  const reports = messages.flatMap(({ role, content }) => (role === 'tool' ? [content] : []));
  if (lastUserText !== 'How is the weather?') return `You said: ${lastUserText}`;
  if (reports.length === 2) return `It is ${reports.join(' and ')}.`;
  return {
    toolCalls: [
      {
        id: `call_${reports.length}`,
        name: 'weather',
        arguments: { city: ['Oslo', 'Rome'][reports.length] ?? '' },
      },
    ],
  };
};

const answer: ReplyFunction = () => '{"answer":"42"}';
const outage = ({ world }: CompatSetup): void => world.custom.script({ kind: 'outage' });
const report = (name: string, input: unknown): string => `${name} ${JSON.stringify(input)}`;
const aborted = AbortSignal.abort();

describe("a program written for OpenAI's SDK", () => {
  it('changes only its import', async () => {
    const [first, second] = [await source('app-openai.ts'), await source('app-compat.ts')];
    expect(second).toBe(first.replace("from 'openai'", "from '../../src/compat.ts'"));
  });

  /** Each job runs with the real client over freelm, and with this client. */
  const jobs: readonly {
    readonly job: string;
    readonly reply?: ReplyFunction;
    readonly before?: (setup: CompatSetup) => void;
    readonly real: (client: RealOpenAI) => Promise<unknown>;
    readonly compat: (client: CompatSetup['client']) => Promise<unknown>;
    readonly result: unknown;
  }[] = [
    {
      job: 'asks a question',
      real: (c) => theirs.plain(c, 'Hi'),
      compat: (c) => ours.plain(c, 'Hi'),
      result: 'You said: Hi',
    },
    {
      job: 'reads a stream',
      real: (c) => theirs.streamed(c, 'Hi'),
      compat: (c) => ours.streamed(c, 'Hi'),
      result: [['You', ' said:', ' Hi'], 'stop'],
    },
    {
      job: 'leaves a stream early',
      real: (c) => theirs.firstWord(c, 'Hi'),
      compat: (c) => ours.firstWord(c, 'Hi'),
      result: ['You', true],
    },
    {
      job: 'calls tools',
      reply: meteorologist,
      real: (c) => theirs.agent(c, 'How is the weather?', report),
      compat: (c) => ours.agent(c, 'How is the weather?', report),
      result: [
        { role: 'user', content: 'How is the weather?' },
        { role: 'assistant', content: null, refusal: null, tool_calls: [call('call_0', '{"city":"Oslo"}')] },
        { role: 'tool', tool_call_id: 'call_0', content: 'weather {"city":"Oslo"}' },
        { role: 'assistant', content: null, refusal: null, tool_calls: [call('call_1', '{"city":"Rome"}')] },
        { role: 'tool', tool_call_id: 'call_1', content: 'weather {"city":"Rome"}' },
        {
          role: 'assistant',
          content: 'It is weather {"city":"Oslo"} and weather {"city":"Rome"}.',
          refusal: null,
        },
      ],
    },
    {
      job: 'asks for JSON',
      reply: answer,
      real: (c) => theirs.structured(c, 'Why?'),
      compat: (c) => ours.structured(c, 'Why?'),
      result: { answer: '42' },
    },
    {
      job: 'lists models',
      real: (c) => theirs.models(c, 'custom-large'),
      compat: (c) => ours.models(c, 'custom-large'),
      result: [['auto', 'chat', 'chat:large', 'large', 'tools', 'vision', 'custom-large'], 'mine'],
    },
    {
      job: 'asks for an unknown model',
      real: (c) => theirs.failure(c, 'no-such-model'),
      compat: (c) => ours.failure(c, 'no-such-model'),
      result: '404 model_not_found model',
    },
    {
      job: 'meets an outage',
      before: outage,
      real: (c) => theirs.failure(c, 'auto'),
      compat: (c) => ours.failure(c, 'auto'),
      result: '503 server_error no_providers_available',
    },
    {
      job: 'aborts',
      real: (c) => theirs.failure(c, 'auto', aborted),
      compat: (c) => ours.failure(c, 'auto', aborted),
      result: 'aborted',
    },
  ];

  it.each(jobs.map((job) => [job.job, job] as const))(
    '%s',
    async (_job, { reply, before, real, compat, result }) => {
      const first = await compatClient({ reply });
      before?.(first);
      expect(await real(new RealOpenAI({ apiKey: 'none', fetch: first.llm.fetch }))).toEqual(result);
      const second = await compatClient({ reply });
      before?.(second);
      expect(await compat(second.client)).toEqual(result);
    },
  );
});

function call(id: string, input: string): object {
  return { id, type: 'function', function: { name: 'weather', arguments: input } };
}
