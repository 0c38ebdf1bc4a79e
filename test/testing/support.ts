/** What all tests of the embedded world share: asking a simulated provider, and reading what it says. */

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
  /** Replaces or adds fields of the body. */
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
  readonly text: string;
  /** The parsed body; `undefined` when it is no JSON. */
  readonly json: unknown;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Asks with the provider's first key for its first model, unless the question says otherwise. */
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
  const text = typeof answer.body === 'string' ? answer.body : answer.body.join('');
  return { ...answer, text, json: parsed(text) };
}

/** `GET` of a path below the base URL. */
export function get(provider: ProviderSimulator, path: string, question: Question = {}): Answer {
  return ask(provider, { ...question, method: 'GET', path, body: '' });
}

/** The statuses of `count` calls at one moment. */
export function statuses(provider: ProviderSimulator, count: number, question: Question = {}): number[] {
  return Array.from({ length: count }, () => ask(provider, question).status);
}

/** Vitest's matchers are of type `any`; these are the same, safely typed. */
export const partly = (shape: object): unknown => expect.objectContaining(shape);
export const textWith = (part: string): unknown => expect.stringContaining(part);
export const textLike = (pattern: RegExp): unknown => expect.stringMatching(pattern);
export const listWith = (...items: readonly unknown[]): unknown => expect.arrayContaining([...items]);
export const anything: unknown = expect.anything();
