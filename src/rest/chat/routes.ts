/** OpenAI's Chat Completions. */

import { jsonResponse, streamedResponse } from '../answers.ts';
import type { ChatCall } from '../chat-backend.ts';
import type { RestContext, RestRequest, RestRoute } from '../protocol.ts';
import { answersTo } from '../several.ts';
import { sessionOf } from '../session.ts';
import { ChunkWriter } from './chunks.ts';
import { completionObject, type Stamp } from './completion.ts';
import { readChatCall } from './request.ts';

async function chat(context: RestContext, request: RestRequest): Promise<Response> {
  const { backend, ports } = context;
  const text = await request.text();
  await ports.yieldIfBusy?.();
  const read = readChatCall(text, request.signal);
  const call = { ...read, session: sessionOf(request.headers, read.fields['prompt_cache_key']) };
  await ports.yieldIfBusy?.();
  const stamp: Stamp = { id: ports.newId('chatcmpl-'), created: Math.floor(ports.now() / 1000) };
  const headers = { 'x-request-id': stamp.id };
  const others = Array.from({ length: call.n - 1 }, (): ChatCall => call);
  if (call.stream) {
    return streamedResponse(context, call, { writer: new ChunkWriter(stamp, call), headers, others });
  }
  const answers = await answersTo(backend, [call, ...others]);
  return jsonResponse(completionObject(answers, stamp, call.isOlder), { ...headers, ...answers.headers });
}

export const CHAT_ROUTES: readonly RestRoute[] = [
  { path: /\/chat\/completions\/?$/, method: 'POST', shown: '…/chat/completions', answer: chat },
];
