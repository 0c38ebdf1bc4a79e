/** The streaming operation: an answer in parts, continued by another route if it breaks. */

import { continuationMessages, continuationOf, type ContinuationStyle } from '../wire/resume.ts';
import type { Failure } from '../core/failure.ts';
import { OPERATIONS } from '../core/operations.ts';
import type { Clock, HttpRequest, HttpResponse } from '../ports.ts';
import type { ProviderSpec } from '../providers/spec.ts';
import { toolIdsOf } from '../wire/request/tool-ids.ts';
import { MOST } from '../wire/response/answer-bounds.ts';
import { ChunkReader } from '../wire/response/chat-chunk.ts';
import type { StreamEnd } from '../wire/response/stream-end.ts';
import { chatBody, type ChatBody } from '../wire/request/chat-body.ts';
import { isOptionalField } from '../wire/request/chat-request.ts';
import { addUsage, type StreamPart } from '../wire/response/stream-part.ts';
import { CallGuard } from '../wire/repair/call-guard.ts';
import { refusedCall, UnsoundCall } from '../wire/repair/sound-calls.ts';
import { callableTools, type ChatOperationPorts, refusedAnswer } from './chat.ts';
import { Endpoint, streamHeadersOf } from './endpoint.ts';
import { Resumer, type Transcript } from './resumer.ts';
import {
  type AttemptPlan,
  BadAnswer,
  type DecodeContext,
  type Operation,
  type StreamOperation,
} from './operation.ts';
import type { AttemptTimer } from './attempt-timer.ts';

/** How long the end of a body may take once its stream is complete. */
const DRAIN_MS = 250;

/** A request for a stream, and the part of the answer that was delivered. */
export interface StreamRequest {
  readonly body: ChatBody;
  readonly onCut: 'continue' | 'fail';
  readonly transcript: Transcript;
}

interface Reading {
  readonly clock: Clock;
  readonly reader: ChunkReader;
  readonly guard: CallGuard;
  readonly resumer: Resumer;
  readonly timer: AttemptTimer;
}

/** Parts that arrived together. They are passed on together, because each asynchronous iteration step is costly. */
export type StreamBatch = readonly StreamPart[];

/** The parts that the consumer gets. After them, {@link Resumer.throwIfDiverged} must be asked. */
function passedOn(parts: StreamBatch, { guard, resumer }: Reading): StreamBatch {
  return resumer.append(guard.pass(parts));
}

/** Yields the parts of a body as they arrive. Returns how the stream ended, or undefined if it did not say. */
async function* readParts(
  body: HttpResponse['body'],
  reading: Reading,
): AsyncGenerator<StreamBatch, StreamEnd | undefined> {
  const { clock, reader, resumer, timer } = reading;
  let end: StreamEnd | undefined;
  for await (const bytes of body) {
    // The loop reads the rest, too: a body that is not read to its end costs its connection.
    if (end !== undefined) continue;
    for (const parts of reader.reading(bytes)) {
      if (parts.length > 0) timer.progress();
      else timer.alive();
      const batch = passedOn(parts, reading);
      if (batch.length > 0) yield batch;
      resumer.throwIfDiverged();
      const pause = clock.yieldIfBusy?.();
      if (pause !== undefined) await pause;
      if (timer.aborted) throw timer.reason;
    }
    if (!reader.isOver) continue;
    end = reader.end();
    if (end.kind !== 'finished') return end;
    timer.expectEnd(DRAIN_MS);
  }
  return end;
}

/** Whether an error is about the content, and not about the connection. */
function isVerdict(error: unknown): boolean {
  return error instanceof BadAnswer || error instanceof UnsoundCall;
}

/** Reads the rest of a stream whose body has broken. Returns none of it before it proves to be complete. */
async function endOf({ clock, reader }: Reading): Promise<StreamEnd> {
  const parts: (readonly StreamPart[])[] = [];
  for (const more of reader.ending()) {
    parts.push(more);
    await clock.yieldIfBusy?.();
  }
  const end = reader.end();
  return { ...end, parts: [...parts.flat(), ...end.parts] };
}

/** Yields the parts of a stream, including those held back to its end. Returns how it ended. */
async function* readStream(
  body: HttpResponse['body'],
  reading: Reading,
): AsyncGenerator<StreamBatch, StreamEnd> {
  const { clock, reader, resumer, timer } = reading;
  let end: StreamEnd | undefined;
  try {
    end = yield* readParts(body, reading);
  } catch (error) {
    if (isVerdict(error) || timer.callerLeft) throw error;
    end = await endOf(reading);
    // If the stream was complete before the connection broke, the answer is whole.
    if (end.kind !== 'finished') throw error;
  }
  if (end === undefined) {
    for (const parts of reader.ending()) {
      const batch = passedOn(parts, reading);
      if (batch.length > 0) yield batch;
      resumer.throwIfDiverged();
      await clock.yieldIfBusy?.();
    }
    end = reader.end();
  }
  const batch = passedOn(end.parts, reading);
  if (batch.length > 0) yield batch;
  resumer.throwIfDiverged();
  return end;
}

/** How to ask the model for the rest of the answer. Undefined if there is nothing to continue. */
function styleOf(
  { transcript }: StreamRequest,
  { streams }: ProviderSpec,
  { known }: Pick<AttemptPlan, 'known'>,
): ContinuationStyle | undefined {
  if (transcript.text === '') return undefined;
  const prefills = streams?.continues === 'prefill' && known.lacks?.includes('prefill') !== true;
  return prefills ? 'prefill' : 'instruction';
}

function bodyOf(request: StreamRequest, spec: ProviderSpec, plan: AttemptPlan): ChatBody {
  const { body, transcript } = request;
  const style = styleOf(request, spec, plan);
  if (style === undefined) return body;
  const messages = [...body.request.messages, ...continuationMessages(transcript.text, style)];
  return chatBody({ ...body.request, messages }, body.images);
}

/** Whether a route may continue the delivered parts, or there is nothing to continue. */
function isResumable({ body, transcript, onCut }: StreamRequest): boolean {
  if (!transcript.any) return true;
  const format = body.request.fields['response_format'];
  const json = format !== undefined && !isOptionalField('response_format', format);
  const { text, toolCalls } = transcript;
  const continuation = continuationOf({ text: text !== '', toolCalls, json });
  return continuation !== 'no' && onCut === 'continue' && !transcript.tooLong;
}

function failureOf(
  end: Exclude<StreamEnd, { kind: 'finished' }>,
  response: HttpResponse,
  { plan: { target }, request }: DecodeContext<StreamRequest>,
  endpoint: Endpoint,
): Failure {
  const { status } = response;
  if (end.kind === 'cut') return { kind: 'broken_stream', scope: 'provider', message: end.message, status };
  return refusedAnswer(end.refusal, response, end.body, { target, request: request.body }, endpoint);
}

/** The end of a stream whose tool call proved to be invalid. */
function unsoundEnd(error: unknown, { finishReason }: ChunkReader): Extract<StreamEnd, { kind: 'refused' }> {
  if (!(error instanceof UnsoundCall)) throw error;
  return { kind: 'refused', refusal: refusedCall(error.message, finishReason), body: '', parts: [] };
}

/** Builds the streaming operation of a pool from its chat operation. */
export function chatStreamOperation(
  ports: ChatOperationPorts,
  chat: Operation<ChatBody>,
): StreamOperation<StreamRequest, StreamBatch> {
  const endpoint = new Endpoint(ports, OPERATIONS.stream.path);
  return {
    name: 'stream',
    needs: ({ body }) => chat.needs(body),
    prepare: ({ body }, plan, context) => chat.prepare?.(body, plan, context),
    encode(request: StreamRequest, plan: AttemptPlan): HttpRequest {
      const { spec } = ports.providerOf(plan.target);
      const { refuses = [] } = plan.known;
      const { asksForUsage = false } = spec.streams ?? {};
      const known = { ...plan.known, refuses: asksForUsage ? refuses : [...refuses, 'stream_options'] };
      const encoded = chat.encode(bodyOf(request, spec, plan), { ...plan, known });
      return { ...encoded, headers: streamHeadersOf(encoded.headers) };
    },
    async *decode(
      response: HttpResponse,
      context: DecodeContext<StreamRequest>,
    ): AsyncGenerator<StreamBatch> {
      const { request, timer, onUsage } = context;
      const { transcript } = request;
      // One empty continuation may be a fault. A second one proves that the text was complete.
      const idOf = ports.toolCallIds(() => toolIdsOf(request.body.request.messages));
      const reader = new ChunkReader({
        maxLength: MOST.eventCharacters,
        mayBeEmpty: transcript.sawEmptyContinuation,
        idOf,
      });
      const guard = new CallGuard(callableTools(request.body, ports), idOf, transcript.text !== '');
      let end: StreamEnd | undefined;
      try {
        const resumer = new Resumer(request, context.plan.target.route);
        end = yield* readStream(response.body, { clock: ports.clock, reader, guard, resumer, timer });
      } catch (error) {
        end = unsoundEnd(error, reader);
      } finally {
        if (reader.usage !== undefined) {
          onUsage(reader.usage);
          if (end?.kind !== 'finished') transcript.usage = addUsage(transcript.usage, reader.usage);
        }
      }
      transcript.note(end);
      if (end.kind !== 'finished') throw new BadAnswer(failureOf(end, response, context, endpoint));
    },
    observe: (response, target) => chat.observe(response, target),
    classify: (response, target) => chat.classify(response, target),
    canDoWithout(request: StreamRequest, refused: Failure, plan: AttemptPlan): boolean {
      const style = styleOf(request, ports.providerOf(plan.target).spec, plan);
      const instructsInstead = style === 'prefill' && refused.capabilities?.includes('prefill') === true;
      return instructsInstead || chat.canDoWithout(request.body, refused, plan);
    },
    resumable: isResumable,
    isAnswer: (batch) => batch.some(({ type }) => type === 'text' || type === 'tool-call'),
  };
}
