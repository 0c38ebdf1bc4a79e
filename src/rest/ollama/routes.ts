/** Ollama's API, for tools that support no other local server. */

import * as z from 'zod/mini';
import { problemIn } from '../../check.ts';
import { isModelName } from '../../core/model.ts';
import { HttpError } from '../../http-error.ts';
import { jsonResponse, leftOutHeaders, routeHeaders, streamedResponse } from '../answers.ts';
import { badBody, parseBody } from '../body.ts';
import type { RestContext, RestRequest, RestRoute } from '../protocol.ts';
import { sessionOf } from '../session.ts';
import { type AnswerForm, idleAnswer, LineWriter, wholeAnswer } from './answer.ts';
import { knownName, shownModel, tagList } from './models.ts';
import { type OllamaCall, readChat, readGenerate } from './request.ts';

/** The version of Ollama whose API this is. Clients refuse servers that are too old for them. */
const VERSION = '0.32.9';

const showSchema = z.looseObject({
  model: z.optional(z.string('must be the name of a model')),
  name: z.optional(z.string('must be the name of a model')),
});

async function answerTo(
  context: RestContext,
  request: RestRequest,
  asked: OllamaCall & Pick<AnswerForm, 'isChat' | 'startedAt'>,
): Promise<Response> {
  const { backend, ports } = context;
  const { isChat, startedAt, showsThoughts, leftOut } = asked;
  const form: AnswerForm = { isChat, startedAt, showsThoughts, now: () => ports.now() };
  const headers = { 'x-request-id': ports.newId('chat-'), ...leftOutHeaders(context, leftOut) };
  if (asked.idle !== undefined) return jsonResponse(idleAnswer(asked.model, asked.idle, form), headers);
  const session = sessionOf(request.headers, undefined);
  const call = { ...asked, model: await knownName(asked.model, backend, request.signal), session };
  if (asked.stream) {
    const writer = new LineWriter(form);
    return streamedResponse(context, call, {
      writer,
      headers: { ...headers, 'content-type': 'application/x-ndjson' },
    });
  }
  const answer = await backend.chat(call);
  const served = routeHeaders({ ...answer, attempts: answer.attempts.length });
  return jsonResponse(wholeAnswer(answer, form), { ...headers, ...served });
}

/** @param read - Reads the body of a request. */
function answering(
  isChat: boolean,
  read: (json: string, signal: AbortSignal | undefined) => OllamaCall,
): RestRoute['answer'] {
  return async (context, request) => {
    const { ports } = context;
    const startedAt = ports.now();
    const json = await request.text();
    await ports.yieldIfBusy?.();
    const call = read(json, request.signal);
    await ports.yieldIfBusy?.();
    return answerTo(context, request, { ...call, isChat, startedAt });
  };
}

async function tags({ backend }: RestContext, { signal }: RestRequest): Promise<Response> {
  return jsonResponse(tagList(await backend.models(signal), backend));
}

async function show({ backend }: RestContext, request: RestRequest): Promise<Response> {
  const { data, error } = showSchema.safeParse(parseBody(await request.text(), 'model'));
  if (error !== undefined) throw badBody(problemIn(error, '').slice(1));
  const { model, name = model } = data;
  if (name === undefined || name === '') throw badBody('model: must be the name of a model.');
  const offered = await backend.models(request.signal);
  const shown = shownModel(await knownName(name, backend, request.signal), offered, backend);
  if (shown !== undefined) return jsonResponse(shown);
  const what = isModelName(name) ? `model '${name}'` : 'model';
  throw new HttpError({ status: 404, message: `${what} not found`, code: 'model_not_found' });
}

export const OLLAMA_ROUTES: readonly RestRoute[] = [
  { path: /\/api\/chat\/?$/, method: 'POST', shown: '…/api/chat', answer: answering(true, readChat) },
  {
    path: /\/api\/generate\/?$/,
    method: 'POST',
    shown: '…/api/generate',
    answer: answering(false, readGenerate),
  },
  { path: /\/api\/tags\/?$/, method: 'GET', shown: '…/api/tags', answer: tags },
  { path: /\/api\/show\/?$/, method: 'POST', shown: '…/api/show', answer: show },
  {
    path: /\/api\/version\/?$/,
    method: 'GET',
    shown: '…/api/version',
    answer: () => Promise.resolve(jsonResponse({ version: VERSION })),
  },
];
