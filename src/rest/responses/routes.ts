/** OpenAI's Responses. */

import { HttpError } from '../../http-error.ts';
import { jsonResponse, leftOutHeaders, partsOfAnswer, routeHeaders, streamedResponse } from '../answers.ts';
import { httpErrorOf } from '../error-response.ts';
import type { RestContext, RestRequest, RestRoute } from '../protocol.ts';
import { readResponsesCall, type ResponsesCall } from './request.ts';
import { ResponseWriter, type WholeResponse } from './response.ts';
import { ResponseStore, type StorePorts } from './store.ts';

const SHOWN = '…/responses';
const SHOWN_ID = '…/responses/{id}';
const ONE = /\/responses\/(resp_[^/]+)\/?$/;
const TOO_LONG = 'context_length_exceeded';

function notFound(id: string): HttpError {
  return new HttpError({ status: 404, message: `Response with id '${id}' not found.` });
}

/** The routes, with a store of their own. */
export class ResponsesRoutes {
  readonly #store: ResponseStore;

  constructor(ports: StorePorts) {
    this.#store = new ResponseStore(ports);
  }

  get routes(): readonly RestRoute[] {
    return [
      {
        path: /\/responses\/?$/,
        method: 'POST',
        shown: SHOWN,
        answer: (context, request) => this.#create(context, request),
      },
      {
        path: ONE,
        method: 'GET',
        shown: SHOWN_ID,
        answer: (_context, _request, id) => Promise.resolve(this.#read(id)),
      },
      {
        path: ONE,
        method: 'DELETE',
        shown: SHOWN_ID,
        answer: (_context, _request, id) => Promise.resolve(this.#delete(id)),
      },
    ];
  }

  async #create(context: RestContext, request: RestRequest): Promise<Response> {
    const { backend, ports } = context;
    const text = await request.text();
    await ports.yieldIfBusy?.();
    const asked = readResponsesCall(text, request, this.#store);
    await ports.yieldIfBusy?.();
    const id = ports.newId('resp_');
    const writer = new ResponseWriter({
      id,
      createdAt: Math.floor(ports.now() / 1000),
      repeated: asked.repeated,
      names: asked.names,
      onEnd: (whole) => this.#keep(asked, id, whole),
    });
    const headers = { 'x-request-id': id, ...leftOutHeaders(context, asked.leftOut) };
    if (asked.stream) return streamed(context, asked, { writer, headers });
    const answer = await backend.chat(asked.call);
    for (const part of partsOfAnswer(answer)) writer.write(part, answer.model);
    const served = routeHeaders({ ...answer, attempts: answer.attempts.length });
    return jsonResponse(writer.whole, { ...headers, ...served });
  }

  #keep(asked: ResponsesCall, id: string, { response, output }: WholeResponse): void {
    if (!asked.store) return;
    const characters = asked.characters + JSON.stringify(output).length;
    this.#store.put(id, { response, input: asked.items, output }, characters);
  }

  #read(id: string): Response {
    const stored = this.#store.get(id);
    if (stored === undefined) throw notFound(id);
    return jsonResponse(stored.response);
  }

  #delete(id: string): Response {
    if (!this.#store.delete(id)) throw notFound(id);
    return jsonResponse({ id, object: 'response', deleted: true });
  }
}

/**
 * Answers with a stream. Agents shorten a conversation that is too long only if the stream reports it, as OpenAI's
 * does.
 */
async function streamed(
  context: RestContext,
  { call }: ResponsesCall,
  answer: Parameters<typeof streamedResponse>[2] & { readonly writer: ResponseWriter },
): Promise<Response> {
  try {
    return await streamedResponse(context, call, answer);
  } catch (error) {
    const init = httpErrorOf(error, context.ports);
    if (call.signal?.aborted === true || init.code !== TOO_LONG) throw error;
    return new Response(answer.writer.fail(init), {
      headers: { 'content-type': 'text/event-stream; charset=utf-8', ...answer.headers },
    });
  }
}
