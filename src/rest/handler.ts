/** OpenAI's REST routes over a backend. `llm.fetch`, the compat client and the gateway all use this handler. */

import { isModelName } from '../core/model.ts';
import type { Clock } from '../ports.ts';
import { errorObject, errorResponse, HttpError } from '../http-error.ts';
import type { ChatBackend, ServingRoute } from './chat-backend.ts';
import { ChunkWriter } from './chunks.ts';
import { completionObject, type Stamp } from './completion.ts';
import { type ErrorPorts, httpErrorOf, remember } from './error-response.ts';
import { embeddingList, readEmbedCall } from './embeddings.ts';
import { eventStream } from './event-stream.ts';
import { modelList, modelNamed } from './model-list.ts';
import { readChatCall, type RestChatCall } from './request.ts';

/** The parts of a `Request` that the routes use. */
export interface RestRequest {
  readonly method: string;
  /** The path of the URL, still percent-encoded. */
  readonly path: string;
  readonly signal: AbortSignal | undefined;
  text(): Promise<string>;
}

export interface RestPorts extends ErrorPorts, Pick<Clock, 'yieldIfBusy'> {
  /** A unique id for an answer. */
  newId(prefix: 'chatcmpl' | 'embd'): string;
}

/** Answers a request. Rejects only if the request's signal is aborted, with the signal's reason. */
export type RestHandler = (request: RestRequest) => Promise<Response>;

interface Context {
  readonly backend: ChatBackend;
  readonly ports: RestPorts;
}

/** `tail` is the part of the path that the route's pattern captures. */
type RouteHandler = (context: Context, request: RestRequest, tail: string) => Promise<Response>;

const ROUTES: readonly { path: RegExp; method: 'GET' | 'POST'; answer: RouteHandler }[] = [
  { path: /\/chat\/completions\/?$/, method: 'POST', answer: chat },
  { path: /\/embeddings\/?$/, method: 'POST', answer: embeddings },
  { path: /\/models\/?$/, method: 'GET', answer: models },
  { path: /\/models\/(.+)$/, method: 'GET', answer: oneModel },
];

/** Clients refuse longer headers. */
const MAX_HEADER_LENGTH = 200;

/** Replaces the characters that a header cannot carry. Names of providers and models may contain any. */
function headerText(text: string): string {
  return text.slice(0, MAX_HEADER_LENGTH).replaceAll(/[^\u0020-\u007E]/gu, '?');
}

function routeHeaders({ provider, model, attempts }: ServingRoute): Record<string, string> {
  return {
    'x-freelm-provider': headerText(provider),
    'x-freelm-model': headerText(model),
    'x-freelm-attempts': String(attempts),
  };
}

function json(value: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), { headers: { 'content-type': 'application/json', ...headers } });
}

async function chat(context: Context, request: RestRequest): Promise<Response> {
  const { ports } = context;
  const text = await request.text();
  await ports.yieldIfBusy?.();
  const call = readChatCall(text, request.signal);
  await ports.yieldIfBusy?.();
  const stamp: Stamp = { id: ports.newId('chatcmpl'), created: Math.floor(ports.now() / 1000) };
  if (call.stream) return streamed(context, call, stamp);
  const answer = await context.backend.chat(call);
  const headers = routeHeaders({ ...answer, attempts: answer.attempts.length });
  return json(completionObject(answer, stamp), { 'x-request-id': stamp.id, ...headers });
}

/** The response starts with the first part, so that an error before it still gets a status of its own. */
async function streamed({ backend, ports }: Context, call: RestChatCall, stamp: Stamp): Promise<Response> {
  const stream = backend.stream(call);
  const parts = stream.parts();
  const first = await parts.next();
  const writer = new ChunkWriter(stamp, call.includeUsage);
  const errorOf = (error: unknown): object => {
    remember(response, error);
    return { error: errorObject(httpErrorOf(error, ports)) };
  };
  const body = eventStream({ stream, parts, first, writer, signal: call.signal, errorOf });
  const response = new Response(body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-request-id': stamp.id,
      ...(stream.route === undefined ? {} : routeHeaders(stream.route)),
    },
  });
  return response;
}

async function embeddings({ backend, ports }: Context, request: RestRequest): Promise<Response> {
  const call = readEmbedCall(await request.text(), request.signal);
  const answer = await backend.embed(call);
  const { providers, model, attempts } = answer;
  const headers = routeHeaders({ provider: providers.join(', '), model, attempts: attempts.length });
  return json(embeddingList(answer, call.format), { 'x-request-id': ports.newId('embd'), ...headers });
}

async function models({ backend }: Context, { signal }: RestRequest): Promise<Response> {
  return json(modelList(await backend.models(signal), backend.ownNames));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function oneModel({ backend }: Context, { signal }: RestRequest, tail: string): Promise<Response> {
  const name = decoded(tail);
  const model = modelNamed(name, await backend.models(signal), backend);
  if (model !== undefined) return json(model);
  const shown = isModelName(name) ? ` "${name}"` : ' of that name';
  const message = `There is no model${shown} here. GET …/models lists the models on offer.`;
  throw new HttpError({ status: 404, message, param: 'model', code: 'model_not_found' });
}

async function route(context: Context, request: RestRequest): Promise<Response> {
  const { path } = request;
  const known = ROUTES.find((candidate) => candidate.path.test(path));
  if (known === undefined) {
    throw new HttpError({
      status: 404,
      message: `There is no route ${path} here: only …/chat/completions, …/models, …/models/{id} and …/embeddings.`,
      code: 'unknown_url',
    });
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method !== known.method) {
    throw new HttpError({
      status: 405,
      message: `${path} takes ${known.method}, not ${request.method}.`,
      code: 'method_not_allowed',
      headers: { allow: known.method },
    });
  }
  return known.answer(context, request, known.path.exec(path)?.[1] ?? '');
}

/** Serves the routes from `backend`. */
export function restHandler(backend: ChatBackend, ports: RestPorts): RestHandler {
  const context: Context = { backend, ports };
  return async (request) => {
    request.signal?.throwIfAborted();
    let response: Response;
    try {
      response = await route(context, request);
    } catch (error) {
      request.signal?.throwIfAborted();
      response = remember(errorResponse(httpErrorOf(error, ports)), error);
    }
    return request.method === 'HEAD' ? new Response(null, response) : response;
  };
}
