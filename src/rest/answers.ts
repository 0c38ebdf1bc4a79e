/** Responses that carry an answer, with the route that served it in their headers. */

import { remember, httpErrorOf } from './error-response.ts';
import { partsOf, type StreamPart } from '../wire/response/stream-part.ts';
import type { ToolCall } from '../wire/response/chat-response.ts';
import type { Answer, ChatCall, ServingRoute } from './chat-backend.ts';
import { eventStream } from './event-stream.ts';
import { type IndexedPart, MergedStream } from './merged-stream.ts';
import type { EventWriter, RestContext, RestPorts } from './protocol.ts';

/** Clients refuse longer headers. */
const MAX_HEADER_LENGTH = 200;

type TextHeaders = Readonly<Record<string, string>>;

/** Replaces the characters that a header cannot carry. Names of providers and models may contain any. */
function headerText(text: string): string {
  return text.slice(0, MAX_HEADER_LENGTH).replaceAll(/[^\u0020-\u007E]/gu, '?');
}

/** Which route served an answer, for the headers of its response. */
export function routeHeaders({ provider, model, attempts }: ServingRoute): TextHeaders {
  return {
    'x-freelm-provider': headerText(provider),
    'x-freelm-model': headerText(model),
    'x-freelm-attempts': String(attempts),
  };
}

/** By the pool: the lists that its listeners were told of. Agents send the same tools with every request. */
const told = new WeakMap<RestPorts, Set<string>>();
const MOST_TOLD = 100;

/** Says what of a request no model here has, in a header and, once, to the pool's listeners. */
export function leftOutHeaders({ ports }: RestContext, names: readonly string[]): TextHeaders {
  if (names.length === 0) return {};
  const list = headerText(ports.redact(names.join(', ')));
  const known = told.get(ports) ?? new Set();
  told.set(ports, known);
  if (!known.has(list) && known.size < MOST_TOLD) {
    known.add(list);
    ports.warn(`left out of a request, because no model here has it: ${list}`);
  }
  return { 'x-freelm-left-out': list };
}

/** A call as OpenAI's protocol has it: its arguments are a text. */
export function sentCall({ arguments: _value, ...call }: ToolCall): ToolCall {
  return call;
}

/** The parts of a whole answer, for protocols that write both kinds of answers in one way. */
export function partsOfAnswer(answer: Answer): readonly StreamPart[] {
  const { finishReason = 'stop' } = answer;
  return partsOf({ ...answer, finishReason, toolCalls: answer.toolCalls.map(sentCall) });
}

export function jsonResponse(value: unknown, headers: TextHeaders = {}): Response {
  return new Response(JSON.stringify(value), { headers: { 'content-type': 'application/json', ...headers } });
}

export interface StreamedAnswer {
  readonly writer: EventWriter;
  readonly headers: TextHeaders;
  /** The calls of further answers to the same request. */
  readonly others?: readonly ChatCall[];
}

/**
 * Streams the answer to a call as the events that `writer` makes of it. The response starts with the first part, so that an
 * error before it still gets a status of its own.
 */
export async function streamedResponse(
  { backend, ports }: RestContext,
  call: ChatCall,
  { writer, headers, others = [] }: StreamedAnswer,
): Promise<Response> {
  const stream =
    others.length === 0
      ? backend.stream(call)
      : new MergedStream([call, ...others].map((one) => backend.stream(one)));
  const parts: AsyncGenerator<IndexedPart, void, undefined> = stream.parts();
  const first = await parts.next();
  const failureOf = (error: unknown): string => {
    remember(response, error);
    return writer.fail(httpErrorOf(error, ports));
  };
  const body = eventStream({ stream, parts, first, writer, signal: call.signal, failureOf });
  const response = new Response(body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      ...headers,
      ...(stream.route === undefined ? {} : routeHeaders(stream.route)),
    },
  });
  return response;
}
