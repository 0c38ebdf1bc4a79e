/** OpenAI's REST routes over whatever answers calls: the one handler behind every face that speaks OpenAI's protocol. */

import type { ChatBackend, ServingRoute } from './chat-backend.ts';
import { ChunkWriter } from './chunks.ts';
import { completionObject, type Stamp } from './completion.ts';
import { errorAnswer, type ErrorPorts, remember } from './error-answer.ts';
import { modelList, modelNamed } from './model-list.ts';
import { Refusal, type ChatQuestion, readQuestion } from './request.ts';
import { eventStream } from './event-stream.ts';

/** A request: the part of a `Request` that is looked at. */
export interface RestRequest {
  readonly method: string;
  /** The path of the URL, still encoded. */
  readonly path: string;
  readonly signal: AbortSignal | undefined;
  text(): Promise<string>;
}

/** What the routes take from outside. */
export interface RestPorts extends ErrorPorts {
  /** A name for an answer that no other has. */
  newId(): string;
}

/** Answers a request; rejects with the signal's reason where that is aborted, and never otherwise. */
export type RestHandler = (request: RestRequest) => Promise<Response>;

interface Context {
  readonly answerer: ChatBackend;
  readonly ports: RestPorts;
}

type Route = (context: Context, request: RestRequest, rest: string) => Promise<Response>;

const ROUTES: readonly { path: RegExp; method: 'GET' | 'POST'; answer: Route }[] = [
  { path: /\/chat\/completions\/?$/, method: 'POST', answer: chat },
  { path: /\/embeddings\/?$/, method: 'POST', answer: embeddings },
  { path: /\/models\/?$/, method: 'GET', answer: models },
  { path: /\/models\/(.+)$/, method: 'GET', answer: oneModel },
];

/** Header values are plain ASCII; names need not be. */
function headerText(text: string): string {
  return text.replaceAll(/[^\u0020-\u007E]/gu, '?');
}

function servedBy({ provider, model, attempts }: ServingRoute): Record<string, string> {
  return {
    'x-freelm-provider': headerText(provider),
    'x-freelm-model': headerText(model),
    'x-freelm-attempts': String(attempts),
  };
}

function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

async function chat(context: Context, request: RestRequest): Promise<Response> {
  const question = readQuestion(await request.text(), request.signal);
  const { ports } = context;
  const stamp: Stamp = { id: ports.newId(), created: Math.floor(ports.now() / 1000) };
  if (question.stream) return streamed(context, question, stamp);
  const answer = await context.answerer.chat(question);
  const headers = { 'x-request-id': stamp.id, ...servedBy({ ...answer, attempts: answer.attempts.length }) };
  return json(completionObject(answer, stamp), 200, headers);
}

/** The answer begins with its first part: what goes wrong before that has a status of its own. */
async function streamed(context: Context, question: ChatQuestion, stamp: Stamp): Promise<Response> {
  const stream = context.answerer.stream(question);
  const parts = stream.parts();
  const first = await parts.next();
  const writer = new ChunkWriter(stamp, question.includeUsage);
  const errorOf = (error: unknown): object => {
    remember(response, error);
    return { error: errorAnswer(error, context.ports).error };
  };
  const body = eventStream({ stream, parts, first, writer, signal: question.signal, errorOf });
  const response = new Response(body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-request-id': stamp.id,
      ...(stream.route === undefined ? {} : servedBy(stream.route)),
    },
  });
  return response;
}

function embeddings(): Promise<Response> {
  const message = 'freelm does not make embeddings yet. Ask a provider for them.';
  return Promise.reject(new Refusal({ status: 501, message, code: 'not_implemented' }));
}

async function models({ answerer }: Context, { signal }: RestRequest): Promise<Response> {
  return json(modelList(await answerer.models(signal)));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function oneModel({ answerer }: Context, { signal }: RestRequest, rest: string): Promise<Response> {
  const name = decoded(rest);
  const model = modelNamed(name, await answerer.models(signal), answerer.takesAnyModel);
  if (model !== undefined) return json(model);
  const message = `There is no model "${name}" here. GET …/models lists what there is.`;
  throw new Refusal({ status: 404, message, param: 'model', code: 'model_not_found' });
}

async function route(context: Context, request: RestRequest): Promise<Response> {
  const { path } = request;
  const known = ROUTES.find((candidate) => candidate.path.test(path));
  if (known === undefined) {
    throw new Refusal({
      status: 404,
      message: `There is no ${path} here: only …/chat/completions, …/models, …/models/{id} and …/embeddings.`,
      code: 'unknown_url',
    });
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method !== known.method) {
    throw new Refusal({
      status: 405,
      message: `${path} takes ${known.method}, not ${request.method}.`,
      code: 'method_not_allowed',
      headers: { allow: known.method },
    });
  }
  return known.answer(context, request, known.path.exec(path)?.[1] ?? '');
}

/** Lays the routes over `answerer`. */
export function restHandler(answerer: ChatBackend, ports: RestPorts): RestHandler {
  const context: Context = { answerer, ports };
  return async (request) => {
    request.signal?.throwIfAborted();
    let response: Response;
    try {
      response = await route(context, request);
    } catch (error) {
      request.signal?.throwIfAborted();
      const { status, headers, error: object } = errorAnswer(error, ports);
      response = remember(json({ error: object }, status, headers), error);
    }
    return request.method === 'HEAD' ? new Response(null, response) : response;
  };
}
