/** One table of conversations for every client of a pool: over each provider alone and over all of them under faults. */

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Fault, RequirementName, ReplyDetails, ReplyFunction, ReplyRequest } from '../../src/testing.ts';
import { DAY, MODEL, type ProviderSetup, simulatedPool, type SimulatedPool } from './simulated-pool.ts';

const CITIES = ['Paris', 'Rome'];
const QUESTION = 'Is it warmer in Paris or in Rome?';
const LOOK = 'How many images are there?';
export const TASK = 'Describe a colour.';

/** What {@link TASK} asks for. */
export const COLOUR = z.object({ name: z.string(), shades: z.array(z.string()).max(5) });

/** The tool of the conversations. */
export const WEATHER = {
  name: 'weather',
  description: 'The weather of a city.',
  parameters: z.object({ city: z.string(), unit: z.enum(['C', 'F']).optional() }),
  execute: ({ city }: { city: string }) => ({ city, degrees: city.length * 5 }),
};

/** The parameters of {@link WEATHER} as a JSON Schema. */
export const WEATHER_SCHEMA = {
  type: 'object' as const,
  properties: {
    city: { type: 'string' as const },
    unit: { type: 'string' as const, enum: ['C', 'F'] },
  },
  required: ['city'],
};

/** The images of a request, as the model gets them. */
function imagesOf(messages: ReplyRequest['messages']): readonly unknown[] {
  const parts = messages.flatMap(({ content }): readonly unknown[] =>
    Array.isArray(content) ? content : [],
  );
  return parts.filter((part) => typeof part === 'object' && part !== null && 'image_url' in part);
}

/** What a model answers, whichever it is. It calls the tool for both cities, and then compares what it got. */
function reply({ messages, lastUserText }: ReplyRequest): string | ReplyDetails {
  if (JSON.stringify(messages).includes(TASK)) return '{"name": "red", "shades": ["crimson", "scarlet"]}';
  if (lastUserText === LOOK) return `There are ${imagesOf(messages).length}.`;
  const asked = messages.findLastIndex(({ role, content }) => role === 'user' && content === lastUserText);
  const results = messages.slice(asked + 1);
  const reports = results.flatMap(({ role, content }) => (role === 'tool' ? [String(content)] : []));
  if (reports.length > 0) return `${lastUserText} ${reports.join(' and ')}`;
  const toolCalls = CITIES.map((city) => ({ name: 'weather', arguments: { city } }));
  return { reasoning: 'I need both.', toolCalls };
}

/** What the model says once it has both results. */
function comparison(question: string): string {
  return `${question} {"city":"Paris","degrees":25} and {"city":"Rome","degrees":20}`;
}

export const PROVIDERS = ['openrouter', 'google', 'nim', 'custom'] as const;
type Name = (typeof PROVIDERS)[number];
/** In which each next turn has another provider. */
export const ORDERS: readonly (readonly Name[])[] = [
  PROVIDERS,
  PROVIDERS.toReversed(),
  ['nim', 'google', 'custom', 'openrouter'],
];

/** What the models of each provider insist on. */
const REQUIREMENTS: Readonly<Record<Name, readonly RequirementName[]>> = {
  openrouter: ['unique-tool-ids', 'images-as-data'],
  google: ['thought-signatures', 'plain-schemas', 'images-as-data'],
  nim: ['short-tool-ids', 'one-system-message', 'alternating-roles', 'no-reasoning-fields', 'images-as-data'],
  custom: ['reasoning-content-back', 'lawful-tool-ids', 'plain-schemas'],
};

const FAULTS: readonly Fault[] = [
  { kind: 'reset', share: 0.1 },
  { kind: 'server-error', share: 0.1 },
  { kind: 'cut', share: 0.2 },
  { kind: 'malformed', share: 0.1 },
];

function setupOf(name: Name, faults: readonly Fault[] = []): ProviderSetup {
  const model = { id: MODEL[name], lacks: [], requirements: REQUIREMENTS[name] };
  return { models: [model], rpm: 1000, rpd: 100_000, limits: { rpm: 1000, rpd: 100_000 }, faults };
}

/** A pool of providers whose models insist on what those of the real ones do, and give the answers of `answer`. */
export function poolOf(
  names: readonly Name[],
  {
    faults = [],
    answer = reply,
  }: { readonly faults?: readonly Fault[]; readonly answer?: ReplyFunction } = {},
): SimulatedPool {
  const setups = Object.fromEntries(names.map((name) => [name, setupOf(name, faults)]));
  const more = faults.length === 0 ? {} : ({ strategy: 'round_robin', maxAttempts: 30 } as const);
  return simulatedPool({ ...setups, ...more, reply: answer, timeoutMs: DAY });
}

type Pools = readonly (readonly [name: string, make: () => SimulatedPool])[];

/** A pool of all providers, each of which fails now and then. */
export const UNDER_FAULTS: Pools = [
  ['all of them under faults', () => poolOf(PROVIDERS, { faults: FAULTS })],
];
const ALL_POOLS: Pools = [
  ...PROVIDERS.map((name) => [`${name} alone`, () => poolOf([name])] as const),
  ...UNDER_FAULTS,
];

/** A call of {@link WEATHER}, as the client shows it. */
interface SeenCall {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

/** The answer to one question, after the client has carried out all calls. */
export interface SeenAnswer {
  readonly text: string;
  readonly calls: readonly SeenCall[];
}

/** How a dialogue is had. */
export interface DialogueSettings {
  readonly stream: boolean;
  /** Whether {@link WEATHER} is offered. */
  readonly tools: boolean;
}

/** Asks the next question of one dialogue. With `images`, {@link PNG} and the image at {@link IMAGE_URL} go with it. */
export type Ask = (question: string, images: boolean) => Promise<SeenAnswer>;

export const IMAGE_URL = 'https://images.example/two.png';

/** What the table asks of a client, each in the client's own way. */
export interface Talker {
  dialogue(settings: DialogueSettings): Ask;
  /** The value of {@link COLOUR} that answers {@link TASK}. */
  object(stream: boolean): Promise<unknown>;
  /** Runs to the end, whatever clock the client and the pool live by. */
  run<Value>(promise: Promise<Value>): Promise<Value>;
}

/** Makes a client of a pool. It asks for the models that `nextModel` names, request by request; default: `auto`. */
export type MakeTalker = (pool: SimulatedPool, nextModel?: () => string) => Talker | Promise<Talker>;

const CALLS = CITIES.map((city) => ['weather', { city }]);
const STREAMED = [false, true];
const TURNS = 8;

function expectStreamed({ transport }: SimulatedPool, stream: boolean): void {
  for (const { body } of transport.sent) expect(body['stream'] ?? false).toBe(stream);
}

function expectCalls({ calls }: SeenAnswer): void {
  expect(calls.map(({ name, input }) => [name, input])).toEqual(CALLS);
}

/** Runs the table with one client. */
export function describeConversations(client: string, make: MakeTalker, pools: Pools = ALL_POOLS): void {
  describe.each(pools)(`${client} over %s`, (_name, makePool) => {
    it.each(STREAMED)('two tool calls at once, then the answer; streamed: %s', async (stream) => {
      const pool = makePool();
      const talker = await make(pool);
      const answer = await talker.run(talker.dialogue({ stream, tools: true })(QUESTION, false));
      expect(answer.text).toBe(comparison(QUESTION));
      expectCalls(answer);
      expect(new Set(answer.calls.map(({ id }) => id)).size).toBe(CITIES.length);
      expectStreamed(pool, stream);
    });

    it.each(STREAMED)(
      'an image as bytes and one by URL, and more talk about them; streamed: %s',
      async (stream) => {
        const pool = makePool();
        const talker = await make(pool);
        const ask = talker.dialogue({ stream, tools: false });
        expect((await talker.run(ask(LOOK, true))).text).toBe('There are 2.');
        expect((await talker.run(ask(LOOK, false))).text).toBe('There are 2.');
        expectStreamed(pool, stream);
      },
    );

    it.each(STREAMED)('a value of a schema; streamed: %s', async (stream) => {
      const pool = makePool();
      const talker = await make(pool);
      const value = await talker.run(talker.object(stream));
      expect(value).toEqual({ name: 'red', shades: ['crimson', 'scarlet'] });
      expectStreamed(pool, stream);
    });
  });

  describe(`a dialogue of ${client} of which each turn is forced onto another provider`, () => {
    const cases = STREAMED.flatMap((stream) => ORDERS.map((_, order) => [stream, order] as const));
    it.each(cases)('keeps every call and its results; streamed: %s, order %i', async (stream, order) => {
      const pool = poolOf(PROVIDERS);
      const models = Array.from(
        { length: TURNS },
        (_, turn) => MODEL[ORDERS[order]?.[turn % PROVIDERS.length] ?? 'nim'],
      );
      const asked: string[] = [];
      const talker = await make(pool, () => {
        const model = models[asked.length] ?? 'more turns than expected';
        asked.push(model);
        return model;
      });
      const ask = talker.dialogue({ stream, tools: true });
      for (let turn = 0; turn < TURNS; turn += 2) {
        const question = `${QUESTION} (${turn})`;
        const answer = await talker.run(ask(question, false));
        expect(answer.text).toBe(comparison(question));
        expectCalls(answer);
      }
      expect(asked).toEqual(models);
      expectStreamed(pool, stream);
      const { sent } = pool.transport;
      expect(sent.filter(({ noted }) => noted?.outcome === 'served').map(({ model }) => model)).toEqual(
        models,
      );
      // What a provider gave for itself goes to it, and to the endpoint that nothing is known of.
      for (const { model, body } of sent) {
        if (model !== MODEL.google && model !== MODEL.custom)
          expect(JSON.stringify(body)).not.toContain('thought_signature');
      }
      const refused = sent.length - TURNS;
      expect(refused).toBeLessThanOrEqual(PROVIDERS.flatMap((name) => REQUIREMENTS[name]).length);
    });
  });
}
