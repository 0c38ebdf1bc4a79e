import { BadRequestError, ConfigError } from '../errors.ts';
import { chatBody, type ChatBody } from '../wire/request/chat-body.ts';
import type { ChatMessage } from '../wire/request/chat-request.ts';
import { wireFields } from './option-checks.ts';
import type { ChatOptions } from './options.ts';

/** The longest request that freelm sends: Google takes 20 MB inline, NVIDIA 25 (2026-08). */
export const MAX_REQUEST_CHARACTERS = 20_000_000;

/** Why a value cannot be written as JSON. Undefined if it can. */
function problemOf(value: unknown): string | undefined {
  try {
    JSON.stringify(value);
    return undefined;
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return `cannot be written as JSON: ${line}`;
  }
}

/** The error that names the message or option that cannot be written as JSON. */
function unwritable(messages: readonly ChatMessage[], options: ChatOptions): Error {
  for (const [index, message] of messages.entries()) {
    const problem = problemOf(message);
    if (problem !== undefined) return new BadRequestError({ message: `messages[${index}] ${problem}.` });
  }
  for (const [name, value] of Object.entries(options)) {
    const problem = problemOf(value);
    if (name !== 'signal' && problem !== undefined) return new ConfigError(`options.${name} ${problem}.`);
  }
  return new BadRequestError({ message: 'The request cannot be written as JSON.' });
}

/** The error for a request that is too long. It names the longest message. */
function tooLong(messages: readonly ChatMessage[], size: number): Error {
  const lengths = messages.map(({ content, ...others }) =>
    typeof content === 'string' ? content.length : JSON.stringify({ content, ...others }).length,
  );
  const most = lengths.reduce((a, b) => Math.max(a, b), 0);
  return new BadRequestError({
    message: `messages[${lengths.indexOf(most)}] is ${most} characters long and the request ${size}; at most ${MAX_REQUEST_CHARACTERS} are sent. Shorten it, or split the work.`,
  });
}

/** Some servers stream unless they are told not to. */
const WHOLE_ANSWER = { stream: false };

/**
 * Writes the body of a request, once for all routes.
 * @param own - Fields that freelm sets itself. Default: those of a whole answer.
 * @throws BadRequestError that names the message, or ConfigError that names the option.
 */
export function requestBody(
  messages: readonly ChatMessage[],
  options: ChatOptions,
  own: Readonly<Record<string, unknown>> = WHOLE_ANSWER,
): ChatBody {
  let body: ChatBody;
  try {
    body = chatBody({ messages, fields: wireFields(options, own) });
  } catch {
    throw unwritable(messages, options);
  }
  if (body.size > MAX_REQUEST_CHARACTERS) throw tooLong(messages, body.size);
  return body;
}
