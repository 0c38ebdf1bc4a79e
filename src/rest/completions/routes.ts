/** OpenAI's older Completions: the prompt becomes one user message. */

import { jsonResponse, streamedResponse } from '../answers.ts';
import type { Stamp } from '../chat/completion.ts';
import type { RestContext, RestRequest, RestRoute } from '../protocol.ts';
import { answersTo } from '../several.ts';
import { textCompletion, TextWriter } from './completion.ts';
import { readCompletionsCall } from './request.ts';

async function complete(context: RestContext, request: RestRequest): Promise<Response> {
  const { backend, ports } = context;
  const { calls, stream, includeUsage } = readCompletionsCall(await request.text(), request.signal);
  const stamp: Stamp = { id: ports.newId('cmpl-'), created: Math.floor(ports.now() / 1000) };
  const headers = { 'x-request-id': stamp.id };
  if (stream) {
    const [first, ...others] = calls;
    const writer = new TextWriter(stamp, { includeUsage, n: calls.length });
    return streamedResponse(context, first, { writer, headers, others });
  }
  const answers = await answersTo(backend, calls);
  return jsonResponse(textCompletion(answers, stamp), { ...headers, ...answers.headers });
}

export const COMPLETIONS_ROUTES: readonly RestRoute[] = [
  { path: /(?<!\/chat)\/completions\/?$/, method: 'POST', shown: '…/completions', answer: complete },
];
