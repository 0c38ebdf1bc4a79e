/** REST routes over a backend. `llm.fetch`, the compat client and the gateway all use this handler. */

import { isModelName } from '../core/model.ts';
import { errorResponse, errorWordsFor, HttpError, isForMessages } from '../http-error.ts';
import { jsonResponse, routeHeaders } from './answers.ts';
import type { ChatBackend } from './chat-backend.ts';
import { CHAT_ROUTES } from './chat/routes.ts';
import { COMPLETIONS_ROUTES } from './completions/routes.ts';
import { httpErrorOf, remember } from './error-response.ts';
import { embeddingList, readEmbedCall } from './embeddings.ts';
import { MESSAGES_ROUTES } from './messages/routes.ts';
import { messagesModel, messagesModelList } from './messages/models.ts';
import { modelList, modelNamed, modelObject } from './model-list.ts';
import { OLLAMA_ROUTES } from './ollama/routes.ts';
import type { RestContext, RestPorts, RestRequest, RestRoute } from './protocol.ts';
import { ResponsesRoutes } from './responses/routes.ts';

/** Answers a request. Rejects only if the request's signal is aborted, with the signal's reason. */
export type RestHandler = (request: RestRequest) => Promise<Response>;

async function embeddings({ backend, ports }: RestContext, request: RestRequest): Promise<Response> {
  const call = readEmbedCall(await request.text(), request.signal);
  const answer = await backend.embed(call);
  const { providers, model, attempts } = answer;
  const headers = routeHeaders({ provider: providers.join(', '), model, attempts: attempts.length });
  return jsonResponse(embeddingList(answer, call.format), {
    'x-request-id': ports.newId('embd-'),
    ...headers,
  });
}

async function models({ backend }: RestContext, { path, headers, signal }: RestRequest): Promise<Response> {
  const listOf = isForMessages(path, headers) ? messagesModelList : modelList;
  return jsonResponse(listOf(await backend.models(signal), backend));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function oneModel({ backend }: RestContext, request: RestRequest, tail: string): Promise<Response> {
  const { path, headers, signal } = request;
  const name = decoded(tail);
  const model = modelNamed(name, await backend.models(signal), backend);
  if (model !== undefined)
    return jsonResponse(isForMessages(path, headers) ? messagesModel(model) : modelObject(model));
  const shown = isModelName(name) ? ` "${name}"` : ' of that name';
  const message = `There is no model${shown} here. GET …/models lists the models on offer.`;
  throw new HttpError({ status: 404, message, param: 'model', code: 'model_not_found' });
}

const OWN_ROUTES: readonly RestRoute[] = [
  ...CHAT_ROUTES,
  ...COMPLETIONS_ROUTES,
  ...MESSAGES_ROUTES,
  ...OLLAMA_ROUTES,
  { path: /\/embeddings\/?$/, method: 'POST', shown: '…/embeddings', answer: embeddings },
  { path: /\/models\/?$/, method: 'GET', shown: '…/models', answer: models },
  { path: /\/models\/(.+)$/, method: 'GET', shown: '…/models/{id}', answer: oneModel },
];

function unknownPath(path: string, routes: readonly RestRoute[]): HttpError {
  const known = [...new Set(routes.map(({ shown }) => shown))].join(', ');
  const message = `There is no route ${path} here. The routes are ${known}.`;
  return new HttpError({ status: 404, message, code: 'unknown_url' });
}

function methodOf({ method }: RestRequest): string {
  return method === 'HEAD' ? 'GET' : method;
}

function wrongMethod({ path, method }: RestRequest, routes: readonly RestRoute[]): HttpError {
  const taken = routes.map((route) => route.method);
  return new HttpError({
    status: 405,
    message: `${path} takes ${taken.join(' or ')}, not ${method}.`,
    code: 'method_not_allowed',
    headers: { allow: taken.join(', ') },
  });
}

/** Serves the routes from `backend`. */
export function restHandler(backend: ChatBackend, ports: RestPorts): RestHandler {
  const context: RestContext = { backend, ports };
  const routes = [...new ResponsesRoutes(ports).routes, ...OWN_ROUTES];
  return async (request) => {
    request.signal?.throwIfAborted();
    const { path } = request;
    const found = routes.filter((route) => route.path.test(path));
    const route = found.find(({ method }) => method === methodOf(request)) ?? found[0];
    let response: Response;
    try {
      if (route === undefined) throw unknownPath(path, routes);
      if (route.method !== methodOf(request)) throw wrongMethod(request, found);
      response = await route.answer(context, request, route.path.exec(path)?.[1] ?? '');
    } catch (error) {
      request.signal?.throwIfAborted();
      const words = errorWordsFor(request.path, request.headers);
      response = remember(errorResponse(httpErrorOf(error, ports), words), error);
    }
    return request.method === 'HEAD' ? new Response(null, response) : response;
  };
}
