/** Answers that fit a request, and the check that a caller got them. */

import type { ChatResponse } from '../../src/index.ts';
import type { ReplyDetails, ReplyRequest } from '../../src/testing.ts';
import type { OffendingRequest } from './offending-requests.ts';

/** The arguments of two calls. */
const CALLED = [{ q: 'a question that is long enough' }, { q: 'another one, which is longer' }];

/** "Yes.", or two calls of the first tool unless the request ends with a result of one. */
export function replyTo({ body, messages }: ReplyRequest): ReplyDetails {
  const tools: unknown[] = Array.isArray(body['tools']) ? body['tools'] : [];
  const name = nameOf(tools[0]);
  if (name === undefined || messages.at(-1)?.['role'] === 'tool') return { text: 'Yes.' };
  return { toolCalls: CALLED.map((called) => ({ name, arguments: called })) };
}

function nameOf(tool: unknown): string | undefined {
  if (typeof tool !== 'object' || tool === null || !('function' in tool)) return undefined;
  const { function: called } = tool;
  if (typeof called !== 'object' || called === null || !('name' in called)) return undefined;
  return typeof called.name === 'string' ? called.name : undefined;
}

/** Whether an answer is the one that its request gets. */
export function isRight(
  { messages, fields = {} }: OffendingRequest,
  { text, toolCalls }: ChatResponse,
): boolean {
  const tools: unknown[] = Array.isArray(fields['tools']) ? fields['tools'] : [];
  const name = nameOf(tools[0]);
  if (name === undefined || messages.at(-1)?.['role'] === 'tool')
    return text === 'Yes.' && toolCalls.length === 0;
  const calls = toolCalls.map((call) => `${call.function.name} ${call.function.arguments}`);
  const ids = new Set(toolCalls.map(({ id }) => id));
  const expected = CALLED.map((called) => `${name} ${JSON.stringify(called)}`);
  return ids.size === 2 && calls.join('\n') === expected.join('\n');
}
