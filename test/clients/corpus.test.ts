/**
 * Sessions of coding agents over the simulated providers: each alone, and each turn at another one; whole and streamed. Every
 * call of a tool arrives as it was, and a provider gets everything that was ever said, once. Thoughts go back only to the model
 * that had them, if it insists on them, which the simulated providers check.
 *
 * Each way is met by one session of each protocol. `npm run test:corpus` replays every session in every way.
 */

import { describe, expect, it } from 'vitest';
import { elementsOf, type JsonObject, member } from '../../src/core/json.ts';
import type { ReplyDetails } from '../../src/testing.ts';
import { chatAgent } from '../support/agents/chat.ts';
import { claudeCode } from '../support/agents/claude-code.ts';
import { type AgentClient, type Heard, parsed } from '../support/agents/client.ts';
import { codex } from '../support/agents/codex.ts';
import {
  type AgentCall,
  type AgentName,
  MARK,
  type Session,
  sessionOf,
  type Step,
} from '../support/agents/sessions.ts';
import { ORDERS, poolOf, PROVIDERS } from '../support/conversations.ts';
import { MINUTE, MODEL, type SimulatedPool } from '../support/simulated-pool.ts';
import type { Sent } from '../support/world-transport.ts';

/** The sessions of each protocol have the numbers 0 to 13. */
const NUMBERS: Readonly<Record<AgentName, readonly [first: number, last: number]>> = {
  codex: [0, 13],
  'claude-code': [0, 13],
  opencode: [0, 5],
  cline: [6, 9],
  aider: [10, 13],
};
const MAKE: Readonly<Record<AgentName, (session: Session) => AgentClient>> = {
  codex,
  'claude-code': claudeCode,
  opencode: chatAgent,
  cline: chatAgent,
  aider: chatAgent,
};
const AGENTS = ['codex', 'claude-code', 'opencode', 'cline', 'aider'] as const satisfies readonly AgentName[];

/** By which providers a session is served, and how. */
interface Way {
  readonly providers: readonly (typeof PROVIDERS)[number][];
  readonly stream: boolean;
}

/** Each provider alone, and orders in which each turn has another one. */
const WAYS: readonly Way[] = [...PROVIDERS.map((name) => [name]), ...ORDERS].flatMap((providers) =>
  [false, true].map((stream) => ({ providers, stream })),
);

function waysOf(number: number): readonly Way[] {
  const own = WAYS[number];
  if (own === undefined) throw new Error(`There are more sessions than ways: ${number}`);
  return process.env['FREELM_CORPUS'] === 'every way' ? WAYS : [own];
}

/** The function that stands for a tool. */
function functionNameOf({ name, namespace }: Pick<AgentCall, 'name' | 'namespace'>): string {
  if (namespace === undefined) return name;
  return namespace.endsWith('__') ? `${namespace}${name}` : `${namespace}__${name}`;
}

function argumentsOf({ input }: AgentCall): JsonObject {
  return typeof input === 'string' ? { input } : input;
}

function replyOf({ reply: { thoughts, text, calls } }: Step): ReplyDetails {
  return {
    ...(thoughts === '' ? {} : { reasoning: thoughts }),
    ...(text === '' ? {} : { text }),
    toolCalls: calls.map((call) => ({ name: functionNameOf(call), arguments: argumentsOf(call) })),
  };
}

function marksIn(text: string): string {
  return (text.match(MARK) ?? []).toSorted().join(' ');
}

/** Text as it stands within JSON. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** What the conversation has so far, as a provider must get it. */
class Told {
  readonly #texts: string[];
  readonly #images: string[] = [];
  readonly #calls: (readonly [name: string, input: JsonObject])[] = [];
  readonly #tools: string;
  #called: readonly AgentCall[] = [];

  constructor({ instructions, tools }: Session) {
    this.#texts = [...instructions];
    this.#tools = JSON.stringify(tools);
  }

  note({ outputs, said }: Step): void {
    this.#calls.push(...this.#called.map((call) => [functionNameOf(call), argumentsOf(call)] as const));
    this.#texts.push(...outputs.map(({ text }) => text));
    this.#images.push(...outputs.flatMap(({ image }) => image ?? []));
    for (const one of said) {
      if (one.type === 'document') this.#texts.push(one.title);
      if (one.type === 'image') this.#images.push(one.url);
      else this.#texts.push(one.text);
    }
  }

  noteReply({ text, calls }: Heard): void {
    this.#called = calls;
    this.#texts.push(text);
  }

  /** What a request has of it, and what it must have. */
  compared({ body }: Sent): { readonly sent: object; readonly told: object } {
    const messages = JSON.stringify(body['messages']);
    const inputs = this.#calls.map(([, input]) => JSON.stringify(input));
    const isChanged = (text: string): boolean => !messages.includes(escaped(text));
    const isNotThereOnce = (image: string): boolean => messages.split(image).length !== 2;
    return {
      sent: {
        marks: marksIn(messages),
        tools: marksIn(JSON.stringify(body['tools'] ?? [])),
        calls: callsIn(body),
        changed: [...this.#texts.filter(isChanged), ...this.#images.filter(isNotThereOnce)],
      },
      told: {
        marks: marksIn([...this.#texts, ...inputs].join('')),
        tools: marksIn(this.#tools),
        calls: JSON.stringify(this.#calls),
        changed: [],
      },
    };
  }
}

function callsIn({ messages }: Sent['body']): string {
  const calls = elementsOf(messages).flatMap((message) => elementsOf(member(message, 'tool_calls')));
  const called = calls.map((call) => member(call, 'function'));
  return JSON.stringify(called.map((one) => [member(one, 'name'), parsed(member(one, 'arguments'))]));
}

/** The objects of server-sent events. */
function eventsIn(text: string): readonly JsonObject[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]')
    .map((line) => parsed(line.slice('data: '.length)));
}

async function heardBy(agent: AgentClient, response: Response, stream: boolean): Promise<Heard> {
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  expect(response.headers.get('x-freelm-left-out')).toBe(
    agent.leftOut.length === 0 ? null : agent.leftOut.join(', '),
  );
  return agent.hear(stream ? agent.assemble(eventsIn(text)) : parsed(text));
}

function servedIn({ transport }: SimulatedPool): Sent | undefined {
  return transport.sent.findLast(({ noted }) => noted?.outcome === 'served');
}

async function replay(session: Session, { providers, stream }: Way): Promise<void> {
  let reply: ReplyDetails = {};
  const pool = poolOf(providers, { answer: () => reply });
  const agent = MAKE[session.agent](session);
  const told = new Told(session);
  for (const [turn, step] of session.steps.entries()) {
    reply = replyOf(step);
    told.note(step);
    const provider = providers[turn % providers.length] ?? 'nim';
    const model = providers.length === 1 ? {} : { model: MODEL[provider] };
    const { path, headers } = agent;
    const body = JSON.stringify({ ...agent.ask(step), ...model, stream });
    const answering = pool.llm.fetch(path, { method: 'POST', headers, body });
    const heard = await pool.run(answering.then((response) => heardBy(agent, response, stream)));
    // Google's endpoint for this protocol shows no thoughts.
    const expected = provider === 'google' ? { ...step.reply, thoughts: '' } : step.reply;
    expect(JSON.stringify(heard)).toBe(JSON.stringify(expected));
    const sent = servedIn(pool);
    if (sent === undefined) throw new Error('nothing was served');
    expect(sent.model).toBe(MODEL[provider]);
    const compared = told.compared(sent);
    expect(compared.sent).toEqual(compared.told);
    told.noteReply(heard);
    // What a user takes to think, and what a minute's quota needs.
    await pool.clock.advance(MINUTE);
  }
}

describe.each(AGENTS)('the sessions of %s', (agent) => {
  const [first, last] = NUMBERS[agent];
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  // oxlint-disable-next-line vitest/expect-expect -- replay() does
  it.each(numbers)('%i', async (number) => {
    const session = sessionOf(agent, 1000 * AGENTS.indexOf(agent) + number);
    for (const way of waysOf(number)) await replay(session, way);
  });
});
