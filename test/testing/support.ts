import { expect } from 'vitest';
import type { ProviderSimulator, SimulatedAnswer } from '../../src/testing.ts';

/** Noon UTC on a Saturday: early morning in Los Angeles, the same day. */
export const NOON: number = Date.UTC(2026, 9, 10, 12);
export const SECOND = 1000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;
export const DAY: number = 24 * HOUR;

export interface Question {
  readonly key?: string | undefined;
  readonly model?: string;
  /** Fields to add to the body or to replace. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Replaces the whole body. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  /** Below the base URL. */
  readonly path?: string;
  readonly now?: number;
}

export interface Answer extends SimulatedAnswer {
  /** The body. Empty if it is a stream. */
  readonly text: string;
  /** The parsed body. `undefined` if it is not JSON. */
  readonly json: unknown;
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Sends a request, by default with the first key and the first model. */
export function ask(provider: ProviderSimulator, question: Question = {}): Answer {
  const { key = provider.keys[0], model = provider.models[0], fields, now = NOON } = question;
  const messages = [{ role: 'user', content: 'Hello' }];
  const { method = 'POST', path = '/chat/completions' } = question;
  const answer = provider.answer(
    {
      method,
      path: new URL(provider.baseUrl).pathname + path,
      headers: question.headers ?? { authorization: `Bearer ${key}` },
      body: question.body ?? JSON.stringify({ model, messages, ...fields }),
    },
    now,
  );
  const text = typeof answer.body === 'string' ? answer.body : '';
  return { ...answer, text, json: parsed(text) };
}

/** A streamed answer after reading it. */
export interface Reading extends Pick<Answer, 'status' | 'headers' | 'delayMs'> {
  readonly ends: string;
  readonly pieces: readonly { readonly bytes: Uint8Array; readonly delayMs: number }[];
  /** All bytes as text. */
  readonly text: string;
  /** The events without the empty lines at their ends. */
  readonly events: readonly string[];
  /** The JSON of the events that have JSON data. */
  readonly chunks: readonly unknown[];
  /** The joined text of the deltas. */
  readonly said: string;
}

/** The value at a path in a JSON value. `undefined` if there is none. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  return at(Object.entries(value).find(([key]) => key === name)?.[1], ...rest);
}

function contentOf(chunk: unknown): string {
  const content = at(chunk, 'choices', '0', 'delta', 'content');
  return typeof content === 'string' ? content : '';
}

/** Requests a stream and reads at most `most` pieces. */
export function read(provider: ProviderSimulator, question: Question = {}, most = Infinity): Reading {
  const { fields } = question;
  const { status, headers, delayMs, body } = ask(provider, {
    ...question,
    fields: { stream: true, ...fields },
  });
  if (typeof body === 'string') throw new Error(`no stream: ${status} ${body}`);
  const pieces: Reading['pieces'][number][] = [];
  for (const piece of body.pieces) {
    if (pieces.push(piece) >= most) break;
  }
  const text = Buffer.concat(pieces.map(({ bytes }) => bytes)).toString();
  const events = text
    .replaceAll(/\r\n?/g, '\n')
    .split('\n\n')
    .filter((event) => event !== '');
  const chunks = events.flatMap((event) => {
    const json = parsed(/^data:? ?(.*)$/m.exec(event)?.[1] ?? '');
    return json === undefined ? [] : [json];
  });
  const said = chunks.map(contentOf).join('');
  return { status, headers, delayMs, ends: body.ends, pieces, text, events, chunks, said };
}

/** `GET` of a path below the base URL. */
export function get(provider: ProviderSimulator, path: string, question: Question = {}): Answer {
  return ask(provider, { ...question, method: 'GET', path, body: '' });
}

/** The statuses of `count` calls at one moment. */
export function statuses(provider: ProviderSimulator, count: number, question: Question = {}): number[] {
  return Array.from({ length: count }, () => ask(provider, question).status);
}

/** Vitest's matchers without the type `any`. */
export const partly = (shape: object): unknown => expect.objectContaining(shape);
export const textWith = (part: string): unknown => expect.stringContaining(part);
export const textLike = (pattern: RegExp): unknown => expect.stringMatching(pattern);
export const listWith = (...items: readonly unknown[]): unknown => expect.arrayContaining([...items]);
export const anything: unknown = expect.anything();
