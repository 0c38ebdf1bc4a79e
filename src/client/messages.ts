/** The input of a call, and its checks. */

import * as z from 'zod/mini';
import { firstProblem, listOf, quickMatch } from '../check.ts';
import { elementsOf } from '../core/json.ts';
import { BadRequestError } from '../errors.ts';
import type { ChatMessage } from '../wire/request/chat-request.ts';

/** The input of a call: a text, a message, or a list of messages. */
export type ChatInput = string | ChatMessage | readonly ChatMessage[];

const content = z.union(
  [
    z.string(),
    z.null(),
    listOf(z.looseObject({ type: z.string() }), '').check(
      z.refine((parts) => parts.length > 0, 'must have at least one part'),
    ),
  ],
  'must be a string or a list of at least one part with a "type"',
);
const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'] as const;
const roles: ReadonlySet<unknown> = new Set(ROLES);
const messageSchema = z.looseObject(
  {
    role: z.enum(ROLES, 'must be system, developer, user, assistant or tool'),
    content: z.optional(content),
    name: z.optional(z.string('must be a string')),
    tool_calls: z.optional(listOf(z.unknown(), 'must be a list')),
    tool_call_id: z.optional(z.string('must be a string')),
  },
  'must be a message { role, content }',
);
const messagesSchema = listOf(messageSchema, 'must be a text, a message or a list of messages').check(
  z.refine((messages) => messages.length > 0, 'must not be empty'),
);

const matches = quickMatch(messageSchema.shape);

/** Whether a message is certainly valid. Most have only a role and a text, which need no schema. */
function isPlainMessage(message: object): boolean {
  const names = Object.getOwnPropertyNames(message);
  const isText = 'content' in message && typeof message.content === 'string';
  const isShort = names.length === 2 && 'role' in message && roles.has(message.role);
  return (isText && isShort && Object.getPrototypeOf(message) === Object.prototype) || matches(message);
}

function isPlainMessages(messages: unknown): boolean {
  const given = elementsOf(messages);
  if (given.length === 0) return false;
  // Not `every`, which skips holes.
  for (const message of given)
    if (typeof message !== 'object' || message === null || !isPlainMessage(message)) return false;
  return true;
}

/** @throws BadRequestError that names the message and the field. */
export function readMessages(input: ChatInput): readonly ChatMessage[] {
  const messages: readonly ChatMessage[] =
    typeof input === 'string' ? [{ role: 'user', content: input }] : isOneMessage(input) ? [input] : input;
  const problem = isPlainMessages(messages) ? undefined : firstProblem(messagesSchema, messages, 'messages');
  if (problem !== undefined) throw new BadRequestError({ message: problem });
  return messages;
}

function isOneMessage(input: ChatMessage | readonly ChatMessage[]): input is ChatMessage {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}
