/** One table of cases for every client of OpenAI's protocol, against both faces of a pool. */

import { describe, expect, it } from 'vitest';
import { rejection } from '../support/rejection.ts';
import { until } from '../support/server.ts';
import {
  servedPool,
  type ServedPool,
  type ServedPoolOptions,
  FACES,
  type Place,
  SAYINGS,
  STRANGE,
} from './served-pool.ts';
import type { Call, Client, Failure } from './client.ts';

/** What there is to know of a client. */
export interface Traits {
  make(place: Place, pool: ServedPool): Client;
  /** What it does not have, and why. Every case runs that needs none of it. */
  readonly lacks: Readonly<Partial<Record<Ability, string>>>;
  /** It sends a request again where that is in vain: `x-should-retry` means nothing to it. */
  readonly retriesInVain?: boolean | undefined;
  /** It sends no temperature that the provider would refuse. */
  readonly clampsTemperature?: boolean | undefined;
  /** The status of an error that says that all providers are down. Default 503. */
  readonly downStatus?: number | undefined;
  /**
   * The statuses of the errors for a request that is too long, whole and streamed. Default 400. Some clients have errors of
   * their own for that, and a stream of Responses begins before it says so.
   */
  readonly tooLong?: readonly [whole: number | undefined, streamed: number | undefined] | undefined;
}

/**
 * What only some clients have: lists of models, retries of their own that go by `retry-after`, and a way to say which tool must be
 * called.
 */
type Ability = 'models' | 'retries' | 'force';

interface Situation extends ServedPool {
  readonly client: Client;
  readonly traits: Traits;
}

interface Case {
  readonly name: string;
  readonly pool?: ServedPoolOptions;
  readonly needs?: Ability;
  readonly run: (situation: Situation) => Promise<void>;
}

const OUTAGE = { kind: 'outage' } as const;
const report = (city: string): string => `sunny in ${city}`;
const REPORTED = 'It is sunny in Oslo and sunny in Rome.';

async function read(pieces: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const piece of pieces) if (piece !== '') all.push(piece);
  return all;
}

async function failureOf({ client }: Situation, work: () => Promise<unknown>): Promise<Failure> {
  try {
    await work();
  } catch (error) {
    return client.failure(error);
  }
  throw new Error('it did not fail');
}

/** More tokens than the models take. */
const TOO_LONG = 'Hello there, '.repeat(60_000);

/** Both ways to ask, where they shall fail alike. */
async function failures(situation: Situation, call: Call): Promise<readonly [Failure, Failure]> {
  const { client } = situation;
  return [
    await failureOf(situation, () => client.whole(call)),
    await failureOf(situation, () => read(client.pieces(call))),
  ];
}

const ANSWERS: readonly Case[] = [
  {
    name: 'a whole answer',
    async run({ client, asked }) {
      const answer = await client.whole({ text: 'Hello' });
      expect(answer).toMatchObject({ text: 'You said: Hello', finishReason: 'stop' });
      expect(answer.tokens).toBeGreaterThan(0);
      expect(asked()).toBe(1);
    },
  },
  {
    name: 'an answer in pieces, as they come',
    async run({ client, asked }) {
      expect(await read(client.pieces({ text: 'Hello' }))).toEqual(['You', ' said:', ' Hello']);
      expect(asked()).toBe(1);
    },
  },
  {
    name: 'any text at all, whole and in pieces',
    async run({ client, world }) {
      world.custom.script({ kind: 'split', sizes: [1, 2, 3, 5] });
      expect((await client.whole({ text: STRANGE })).text).toBe(`You said: ${STRANGE}`);
      expect((await read(client.pieces({ text: STRANGE }))).join('')).toBe(`You said: ${STRANGE}`);
    },
  },
  {
    name: 'what a model thinks, apart from what it says',
    async run({ client }) {
      const { text, reasoning } = await client.whole({ text: SAYINGS.thinking });
      expect([text, reasoning]).toEqual(['Seen.', 'Hm, let me see.']);
      expect((await read(client.pieces({ text: SAYINGS.thinking }))).join('')).toBe('Seen.');
    },
  },
  {
    name: 'an object of a schema',
    async run({ client, heard }) {
      expect(await client.object({ text: SAYINGS.json })).toEqual({ answer: 'forty-two' });
      expect(heard[0]?.['response_format']).toMatchObject({
        type: 'json_schema',
        json_schema: { name: 'answer' },
      });
    },
  },
  {
    name: 'calls of tools, and the answer that follows from them',
    async run({ client, heard }) {
      expect((await client.whole({ text: SAYINGS.weather, report })).text).toBe(REPORTED);
      expect(heard).toHaveLength(2);
      expect(heard[1]?.['messages']).toMatchObject([
        { role: 'user' },
        { role: 'assistant', tool_calls: [{ id: 'call_0' }, { id: 'call_1' }] },
        { role: 'tool', tool_call_id: 'call_0', content: 'sunny in Oslo' },
        { role: 'tool', tool_call_id: 'call_1', content: 'sunny in Rome' },
      ]);
    },
  },
  {
    name: 'calls of tools in pieces, and the answer that follows from them',
    async run({ client, heard }) {
      const pieces = await read(client.pieces({ text: SAYINGS.weather, report }));
      expect(pieces.join('')).toBe(`Let me look.${REPORTED}`);
      expect(heard).toHaveLength(2);
    },
  },
  {
    name: 'a tool that must be called',
    needs: 'force',
    async run({ client, heard }) {
      await client.whole({ text: SAYINGS.weather, report, force: true });
      expect(heard[0]?.['tool_choice']).toEqual({ type: 'function', function: { name: 'weather' } });
    },
  },
  {
    name: 'the models of the pool, virtual ones first',
    needs: 'models',
    async run({ client }) {
      const ids = ['auto', 'chat', 'tools', 'reasoning', 'custom-large', 'z-ai/glm-5.3'];
      expect(await client.models()).toEqual(ids);
    },
  },
];

const FAILOVER: readonly Case[] = [
  {
    name: 'an answer although a provider is down',
    async run({ client, world, asked }) {
      world.custom.script(OUTAGE);
      expect((await client.whole({ text: 'Hello' })).text).toBe('You said: Hello');
      // Another conversation: one that has been served stays on its route.
      expect((await read(client.pieces({ text: 'Good day' }))).join('')).toBe('You said: Good day');
      expect(world.counts.causes).toEqual({ outage: 2 });
      expect(asked()).toBe(2);
    },
  },
  {
    name: 'an answer although a key is dead',
    async run({ client, world, asked }) {
      world.custom.script({ kind: 'unauthorized' });
      expect((await client.whole({ text: 'Hello' })).text).toBe('You said: Hello');
      expect((await read(client.pieces({ text: 'Hello' }))).join('')).toBe('You said: Hello');
      expect(asked()).toBe(2);
      expect(world.counts.total).toBe(3);
    },
  },
  {
    name: 'one text although a provider breaks off in its middle',
    async run({ client, world, asked }) {
      world.custom.script({ kind: 'cut', afterTokens: 2, as: 'reset', times: 1 });
      expect((await read(client.pieces({ text: 'Hello there' }))).join('')).toBe('You said: Hello there');
      expect(world.counts).toMatchObject({ total: 2, causes: { cut: 1 } });
      expect(asked()).toBe(1);
    },
  },
];

const ENDINGS: readonly Case[] = [
  {
    name: 'a call that is aborted before it begins: no provider is asked',
    async run({ client, world }) {
      const call = { text: 'Hello', signal: AbortSignal.abort() };
      await rejection(client.whole(call));
      // Some end such a stream without an error.
      expect(await read(client.pieces(call)).catch(() => [])).toEqual([]);
      expect(world.counts.total).toBe(0);
    },
  },
  {
    name: 'a stream that is aborted: the provider is asked no more',
    async run({ client, world }) {
      world.custom.script({ kind: 'slow-drip', betweenMs: 5 });
      const controller = new AbortController();
      let pieces = 0;
      const reading = async (): Promise<void> => {
        for await (const piece of client.pieces({ text: SAYINGS.long, signal: controller.signal })) {
          if (piece !== '') pieces += 1;
          controller.abort();
        }
      };
      await reading().catch(() => undefined);
      await until(() => world.counts.causes.abandoned === 1);
      expect(pieces).toBeLessThan(20);
      expect(world.counts.total).toBe(1);
    },
  },
  {
    name: 'a call that is aborted while it waits: nobody else is asked',
    async run({ client, world, asked }) {
      world.custom.script({ kind: 'hang' });
      const controller = new AbortController();
      const ended = client.whole({ text: 'Hello', signal: controller.signal }).then(
        () => 'answered',
        () => 'aborted',
      );
      await until(() => world.counts.total === 1);
      controller.abort();
      expect(await ended).toBe('aborted');
      expect(world.counts.total).toBe(1);
      expect(asked()).toBe(1);
    },
  },
];

const ERRORS: readonly Case[] = [
  {
    name: 'a mistake of the caller: 400, said once',
    async run(situation) {
      const { asked, world, traits } = situation;
      const clamps = traits.clampsTemperature === true;
      const mistake = clamps ? { freelm: { maxAttempts: 0 } } : { temperature: -1 };
      for (const { status, message } of await failures(situation, { text: 'Hello', ...mistake })) {
        expect(status).toBe(400);
        const expected = clamps
          ? 'freelm.maxAttempts: must be at least 1'
          : 'temperature: must not be negative';
        expect(message).toContain(expected);
      }
      expect(world.counts.total).toBe(0);
      expect(asked()).toBe(2);
    },
  },
  {
    name: 'a request that is too long for all models: said once',
    async run(situation) {
      const errors = await failures(situation, { text: TOO_LONG });
      expect(errors.map(({ status }) => status)).toEqual(situation.traits.tooLong ?? [400, 400]);
      for (const { message } of errors) expect(message).toMatch(/too long|shorten/i);
      expect(situation.asked()).toBe(2);
    },
  },
  {
    name: 'a model that nobody has: 404, said once',
    async run(situation) {
      const { asked } = situation;
      const said = await failures(situation, { text: 'Hello', model: 'nobody/has-this' });
      for (const { status, message } of said) {
        expect(status).toBe(404);
        expect(message).toContain('nobody/has-this');
      }
      expect(asked()).toBe(2);
    },
  },
  {
    name: 'a day whose quotas are spent: 429, and no retry where the client listens',
    pool: { rpd: 1 },
    async run(situation) {
      const { client, traits, asked, world } = situation;
      for (const text of ['Hello', 'Hello again']) await client.whole({ text });
      const maxRetries = traits.retriesInVain === true ? 0 : undefined;
      for (const { status, message } of await failures(situation, { text: 'Hello', maxRetries })) {
        expect(status).toBe(429);
        expect(message).toContain('The next route is ready in');
      }
      expect(world.counts.total).toBe(2);
      expect(asked()).toBe(4);
    },
  },
  {
    name: 'all providers down: 503, or as the protocol says it',
    async run(situation) {
      const { world, traits } = situation;
      for (const provider of [world.custom, world.nim]) provider.script(OUTAGE);
      const call = { text: 'Hello', maxRetries: 0, freelm: { maxAttempts: 2 } };
      for (const { status, message } of await failures(situation, call)) {
        expect(status).toBe(traits.downStatus ?? 503);
        expect(message).toContain('server_error, HTTP 502');
      }
    },
  },
  {
    name: 'all providers down for a moment: the call comes back to them',
    async run({ client, world, asked }) {
      for (const provider of [world.custom, world.nim]) provider.script({ ...OUTAGE, times: 1 });
      expect((await client.whole({ text: 'Hello', maxRetries: 0 })).text).toBe('You said: Hello');
      expect(asked()).toBe(1);
    },
  },
  {
    name: 'all providers down for a moment: else the retry of the client brings the answer',
    needs: 'retries',
    async run({ client, world, asked }) {
      for (const provider of [world.custom, world.nim]) provider.script({ ...OUTAGE, times: 1 });
      const call = { text: 'Hello', freelm: { maxAttempts: 2 } };
      expect((await client.whole(call)).text).toBe('You said: Hello');
      expect(asked()).toBe(2);
    },
  },
  {
    name: 'options of freelm in the body',
    async run(situation) {
      const { world, heard, traits } = situation;
      world.custom.script(OUTAGE);
      const call = { text: 'Hello', freelm: { maxAttempts: 1 }, maxRetries: 0 };
      const { status } = await failureOf(situation, () => situation.client.whole(call));
      expect(status).toBe(traits.downStatus ?? 503);
      expect(world.counts.total).toBe(1);
      await situation.client.whole({ text: 'Hello', freelm: { maxAttempts: 2 } });
      expect(heard[0]).not.toHaveProperty('freelm');
    },
  },
];

const CASES = [...ANSWERS, ...FAILOVER, ...ENDINGS, ...ERRORS];

/** Runs the table with one client. */
export function describeClient(name: string, traits: Traits): void {
  describe.each(FACES)(`${name} over %s`, (face) => {
    const cases = CASES.filter(({ needs }) => needs === undefined || traits.lacks[needs] === undefined);
    const named = cases.map(({ name: said, ...rest }) => [said, rest] as const);
    // oxlint-disable-next-line vitest/expect-expect -- the cases do
    it.each(named)('%s', async (_case, { pool, run }) => {
      const base = await servedPool(face, pool);
      await run({ ...base, client: traits.make(base.place, base), traits });
    });
  });
}
