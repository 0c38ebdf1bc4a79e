/** Anthropic's Messages API. */

import { jsonResponse, leftOutHeaders, routeHeaders, streamedResponse } from '../answers.ts';
import type { RestContext, RestRequest, RestRoute } from '../protocol.ts';
import { MessageWriter } from './events.ts';
import { wholeMessage } from './message.ts';
import { type MessagesCall, readMessagesCall } from './request.ts';

async function callOf({ ports }: RestContext, request: RestRequest): Promise<MessagesCall> {
  const text = await request.text();
  await ports.yieldIfBusy?.();
  const call = readMessagesCall(text, request.headers, request.signal);
  await ports.yieldIfBusy?.();
  return call;
}

async function messages(context: RestContext, request: RestRequest): Promise<Response> {
  const { backend, ports } = context;
  const call = await callOf(context, request);
  const id = ports.newId('msg_');
  const headers = {
    'x-request-id': id,
    'request-id': id,
    ...leftOutHeaders(context, call.leftOut),
  };
  if (call.stream) return streamedResponse(context, call, { writer: new MessageWriter(id), headers });
  const answer = await backend.chat(call);
  const served = routeHeaders({ ...answer, attempts: answer.attempts.length });
  return jsonResponse(wholeMessage(id, answer), { ...headers, ...served });
}

async function countTokens(context: RestContext, request: RestRequest): Promise<Response> {
  const tokens = context.backend.countTokens(await callOf(context, request));
  return jsonResponse({ input_tokens: tokens });
}

export const MESSAGES_ROUTES: readonly RestRoute[] = [
  { path: /\/messages\/?$/, method: 'POST', shown: '…/messages', answer: messages },
  {
    path: /\/messages\/count_tokens\/?$/,
    method: 'POST',
    shown: '…/messages/count_tokens',
    answer: countTokens,
  },
];
