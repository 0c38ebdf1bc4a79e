/** OpenAI's Chat Completions. */

import { jsonResponse, routeHeaders, streamedResponse } from '../answers.ts';
import type { RestContext, RestRequest, RestRoute } from '../protocol.ts';
import { ChunkWriter } from './chunks.ts';
import { completionObject, type Stamp } from './completion.ts';
import { readChatCall } from './request.ts';

async function chat(context: RestContext, request: RestRequest): Promise<Response> {
  const { backend, ports } = context;
  const text = await request.text();
  await ports.yieldIfBusy?.();
  const call = readChatCall(text, request.signal);
  await ports.yieldIfBusy?.();
  const stamp: Stamp = { id: ports.newId('chatcmpl-'), created: Math.floor(ports.now() / 1000) };
  const headers = { 'x-request-id': stamp.id };
  if (call.stream) {
    return streamedResponse(context, call, { writer: new ChunkWriter(stamp, call.includeUsage), headers });
  }
  const answer = await backend.chat(call);
  const served = routeHeaders({ ...answer, attempts: answer.attempts.length });
  return jsonResponse(completionObject(answer, stamp), { ...headers, ...served });
}

export const CHAT_ROUTES: readonly RestRoute[] = [
  { path: /\/chat\/completions\/?$/, method: 'POST', shown: '…/chat/completions', answer: chat },
];
