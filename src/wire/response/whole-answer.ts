/** Reads the answer to a request without streaming, also one that is a stream all the same. */

import { parseJson } from '../../core/json.ts';
import { ChunkReader } from './chat-chunk.ts';
import {
  type ChatAnswer,
  type ChatCompletion,
  NUMBERED_CALLS,
  readChatResponse,
  type ToolCallIds,
} from './chat-response.ts';
import { withoutDone } from './sse.ts';
import { PartCollector } from './stream-part.ts';

/** The beginning of an event stream or of lines of JSON. */
const STREAM_START = /^[\s\uFEFF]*(?:\{|(?:data|event|id|retry)?:)/;

/** Reads and judges the body of an answer with status 200. Never throws. */
export function readAnswer(body: string, idOf: ToolCallIds = NUMBERED_CALLS): ChatAnswer {
  const steps = readingAnswer(body, idOf);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** As `readAnswer`, in short steps as far as it can be. */
// spec 13.1, 13.7
export function* readingAnswer(body: string, idOf: ToolCallIds): Generator<void, ChatAnswer, undefined> {
  const document = withoutDone(body);
  const answer = readChatResponse(document, idOf);
  if (answer.ok || answer.problem !== 'malformed') return answer;
  return STREAM_START.test(body) && parseJson(document) === undefined
    ? yield* readStream(body, idOf)
    : answer;
}

/** The whole answer of a stream. */
function* readStream(body: string, idOf: ToolCallIds): Generator<void, ChatAnswer, undefined> {
  const reader = new ChunkReader({ idOf });
  const collector = new PartCollector();
  for (const steps of [reader.reading(new TextEncoder().encode(body)), reader.ending()]) {
    for (const parts of steps) {
      for (const part of parts) collector.add(part);
      yield;
    }
  }
  const end = reader.end();
  for (const part of end.parts) collector.add(part);
  const usage = reader.usage === undefined ? {} : { usage: reader.usage };
  if (end.kind === 'refused') return { ...end.refusal, ...usage };
  if (end.kind === 'cut') return { ok: false, problem: 'malformed', message: end.message, ...usage };
  const { finishReason = 'stop', ...answer } = collector.answer();
  const completion: ChatCompletion = { ...answer, finishReason, raw: collector.raw() };
  return { ok: true, completion };
}
