/** The streaming operation: one answer in parts, gone on with by another route where it breaks. */

import {
  continuationMessages,
  continuationOf,
  type ContinuationStyle,
  OverlapTrimmer,
} from '../wire/resume.ts';
import type { Failure } from '../core/failure.ts';
import type { Target } from '../core/routing/question.ts';
import type { ModelRecord } from '../core/records/provider.ts';
import type { HttpRequest, HttpResponse } from '../ports.ts';
import { classifyAnswer } from '../providers/refusals/classify.ts';
import type { ProviderSpec } from '../providers/spec.ts';
import { ChunkReader, type StreamEnd } from '../wire/response/chat-chunk.ts';
import { chatBody, type ChatBody } from '../wire/request/chat-body.ts';
import { isOptionalField } from '../wire/request/chat-request.ts';
import type { ChatCompletion, TokenUsage } from '../wire/response/chat-response.ts';
import { EventTooLongError } from '../wire/response/sse.ts';
import { addUsage, type StreamPart } from '../wire/response/stream-part.ts';
import { type ChatOperationPorts, tokensUsed, withoutKeys } from './chat.ts';
import { type Asked, BadAnswer, type Operation, type Sent } from './operation.ts';
import type { AttemptTimer } from './attempt-timer.ts';

/** No answer is longer; of one that is, no more is kept, and nobody can go on with it. */
const MAX_KEPT = 16 * 1024 * 1024;
const MAX_EVENT_LENGTH = 8 * 1024 * 1024;
/** How long the end of a body is waited for once its stream has said that it is complete. */
const DRAIN_MS = 250;

/** What a call has handed out so far, over all its attempts. */
export class Transcript {
  text = '';
  toolCalls = false;
  /** Of attempts that broke: the last one's comes with its own end. */
  usage: TokenUsage | undefined;
  #parts = 0;
  #metSilence = false;

  get any(): boolean {
    return this.#parts > 0;
  }

  get tooLong(): boolean {
    return this.text.length > MAX_KEPT;
  }

  /** Whether somebody who was to go on with the text said nothing: it was complete already, or his answer is empty. */
  get sawEmptyContinuation(): boolean {
    return this.#metSilence;
  }

  /** Notes how an attempt ended. */
  note(end: StreamEnd): void {
    const isEmpty = end.kind === 'refused' && end.refusal.problem === 'empty';
    this.#metSilence ||= isEmpty && this.text !== '';
  }

  add(part: StreamPart): void {
    this.#parts += 1;
    if (part.type === 'text' && !this.tooLong) this.text += part.text;
    this.toolCalls ||= part.type === 'tool-call';
  }
}

/** A request for a stream, and how far it has come. */
export interface StreamRequest {
  readonly body: ChatBody;
  readonly onCut: 'continue' | 'fail';
  readonly transcript: Transcript;
}

/** Puts the parts of one attempt behind what the attempts before it have handed out. */
class Resumer {
  readonly #transcript: Transcript;
  readonly #seam: OverlapTrimmer | undefined;
  readonly #resumed: boolean;

  constructor(transcript: Transcript) {
    this.#transcript = transcript;
    this.#resumed = transcript.any;
    this.#seam = transcript.text === '' ? undefined : new OverlapTrimmer(transcript.text);
  }

  /** What of the parts is new. Throws {@link BadAnswer} when they turn out to belong to another answer. */
  *join(parts: readonly StreamPart[]): Generator<StreamPart, void, undefined> {
    for (const part of parts) {
      for (const joined of this.#joined(part)) {
        this.#transcript.add(joined);
        yield joined;
      }
    }
  }

  *#joined(part: StreamPart): Generator<StreamPart, void, undefined> {
    if (part.type === 'text') {
      yield* this.#text(this.#seam?.feed(part.text) ?? part.text);
      return;
    }
    if (part.type === 'reasoning') {
      yield this.#resumed ? { ...part, resumed: true } : part;
      return;
    }
    yield* this.#text(this.#seam?.end() ?? '');
    yield part.type === 'usage' ? { ...part, usage: addUsage(this.#transcript.usage, part.usage) } : part;
  }

  *#text(text: string): Generator<StreamPart, void, undefined> {
    if (this.#seam?.diverged === true) {
      const message = 'the model began the answer again and then said something else';
      throw new BadAnswer({ kind: 'broken_stream', scope: 'request', message });
    }
    if (text !== '') yield this.#resumed ? { type: 'text', text, resumed: true } : { type: 'text', text };
  }
}

interface Reading {
  readonly reader: ChunkReader;
  readonly resumer: Resumer;
  readonly timer: AttemptTimer;
}

/** Hands out the parts of a body as they come; returns how it ended where the stream itself said so. */
async function* readParts(
  body: HttpResponse['body'],
  { reader, resumer, timer }: Reading,
): AsyncGenerator<StreamPart, StreamEnd | undefined> {
  let end: StreamEnd | undefined;
  for await (const bytes of body) {
    // What follows the end is read all the same: a body that is left open costs its connection.
    if (end !== undefined) continue;
    const parts = reader.read(bytes);
    if (parts.length > 0) timer.progress();
    else timer.alive();
    yield* resumer.join(parts);
    if (!reader.isOver) continue;
    end = reader.end();
    if (end.kind !== 'finished') return end;
    timer.expectEnd(DRAIN_MS);
  }
  return end;
}

/** Hands out the parts of a stream, the last ones included; returns how it ended. */
async function* readStream(
  body: HttpResponse['body'],
  reading: Reading,
): AsyncGenerator<StreamPart, StreamEnd> {
  const { reader, resumer, timer } = reading;
  let end: StreamEnd | undefined;
  try {
    end = yield* readParts(body, reading);
  } catch (error) {
    if (error instanceof BadAnswer || error instanceof EventTooLongError || timer.callerLeft) throw error;
    end = reader.end();
    // What breaks after all has been said is whole.
    if (end.kind !== 'finished') throw error;
  }
  end ??= reader.end();
  yield* resumer.join(end.parts);
  return end;
}

/** How the model is brought to go on; undefined where there is nothing to go on with. */
function styleOf(
  { transcript }: StreamRequest,
  { streams }: ProviderSpec,
  { lacks }: ModelRecord,
): ContinuationStyle | undefined {
  if (transcript.text === '') return undefined;
  return streams?.continues === 'prefill' && lacks?.includes('prefill') !== true ? 'prefill' : 'instruction';
}

function bodyFor(request: StreamRequest, spec: ProviderSpec, known: ModelRecord): ChatBody {
  const { body, transcript } = request;
  const style = styleOf(request, spec, known);
  if (style === undefined) return body;
  const messages = [...body.request.messages, ...continuationMessages(transcript.text, style)];
  return chatBody({ ...body.request, messages });
}

/** Makes the streaming operation of a pool over its plain one. */
export function chatStreamOperation(
  ports: ChatOperationPorts,
  chat: Operation<ChatBody, ChatCompletion>,
): Operation<StreamRequest, StreamPart> {
  function failureOf(
    end: Exclude<StreamEnd, { kind: 'finished' }>,
    response: HttpResponse,
    target: Target,
  ): Failure {
    const { status, headers } = response;
    if (end.kind === 'cut') return { kind: 'broken_stream', scope: 'provider', message: end.message, status };
    const given = { spec: ports.providerOf(target).spec, now: ports.clock.now() };
    const body = ports.redact(end.body);
    return classifyAnswer(withoutKeys(end.refusal, body, ports), { status, headers, body }, given);
  }

  return {
    needs: ({ body }) => chat.needs(body),
    encode(request: StreamRequest, target: Target, known: ModelRecord, maxTokens): HttpRequest {
      const { spec } = ports.providerOf(target);
      const { asksForUsage = false } = spec.streams ?? {};
      const refuses = asksForUsage ? known.refuses : [...(known.refuses ?? []), 'stream_options'];
      const given = { ...known, refuses: refuses ?? [] };
      const encoded = chat.encode(bodyFor(request, spec, known), target, given, maxTokens);
      return { ...encoded, headers: { ...encoded.headers, accept: 'text/event-stream' } };
    },
    async *decode(
      response: HttpResponse,
      { target, request, timer }: Asked<StreamRequest>,
    ): AsyncGenerator<StreamPart> {
      const { transcript } = request;
      // One silence may be a fault as well as an end: only a second one settles that there is no more to say.
      const reader = new ChunkReader({
        maxLength: MAX_EVENT_LENGTH,
        mayBeEmpty: transcript.sawEmptyContinuation,
      });
      let end: StreamEnd | undefined;
      try {
        end = yield* readStream(response.body, { reader, resumer: new Resumer(transcript), timer });
      } finally {
        if (end?.kind !== 'finished' && reader.usage !== undefined) {
          transcript.usage = addUsage(transcript.usage, reader.usage);
        }
      }
      transcript.note(end);
      if (end.kind !== 'finished') throw new BadAnswer(failureOf(end, response, target));
    },
    // The part tells the sum over all attempts.
    tokensOf: (part, { transcript }) =>
      part.type === 'usage' ? tokensUsed(part.usage, transcript.usage) : undefined,
    observe: (response, target) => chat.observe(response, target),
    classify: (response, target) => chat.classify(response, target),
    canDoWithout(request: StreamRequest, refused: Failure, sent: Sent): boolean {
      const style = styleOf(request, ports.providerOf(sent.target).spec, sent.known);
      const asksInstead = style === 'prefill' && refused.capabilities?.includes('prefill') === true;
      return asksInstead || chat.canDoWithout(request.body, refused, sent);
    },
    resumable({ body, transcript, onCut }: StreamRequest): boolean {
      if (!transcript.any) return true;
      const format = body.request.fields['response_format'];
      const json = format !== undefined && !isOptionalField('response_format', format);
      const way = continuationOf({ text: transcript.text !== '', toolCalls: transcript.toolCalls, json });
      return way !== 'no' && onCut === 'continue' && !transcript.tooLong;
    },
  };
}
