/** Ollama's answers, whole and in lines. */

import { isJsonObject, type JsonObject, member, parseJson } from '../../core/json.ts';
import { type HttpErrorInit, ollamaError } from '../../http-error.ts';
import { withOrigin } from '../../wire/origin.ts';
import { PRIVATE_FIELDS } from '../../wire/request/request-shape.ts';
import type { ToolCall } from '../../wire/response/chat-response.ts';
import type { TokenUsage } from '../../wire/response/token-usage.ts';
import { choiceIn, extraFieldsOf, logprobsIn } from '../../wire/response/message.ts';
import { messageOf, PartCollector, type StreamPart } from '../../wire/response/stream-part.ts';
import type { Answer } from '../chat-backend.ts';
import type { EventWriter } from '../protocol.ts';

/** The content of a whole answer, or of a piece of it. */
interface Said {
  readonly text?: string | undefined;
  readonly thinking?: string | undefined;
  readonly calls?: readonly ToolCall[] | undefined;
  /** Fields that only the model's provider understands. */
  readonly own?: JsonObject | undefined;
}

/** How a request wants its answer. */
export interface AnswerForm {
  /** A chat has messages; the older form has texts. */
  readonly isChat: boolean;
  readonly showsThoughts: boolean;
  /** Epoch ms at which the request began. */
  readonly startedAt: number;
  /** Epoch ms. */
  readonly now: () => number;
}

const NS_PER_MS = 1_000_000;

function privateIn(fields: JsonObject | undefined): JsonObject {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([name]) => PRIVATE_FIELDS.has(name)));
}

/** Arguments are an object. Without declared tools, a model may write anything. */
function callObject(call: ToolCall, index: number): JsonObject {
  const input = parseJson(call.function.arguments);
  const called = { index, name: call.function.name, arguments: isJsonObject(input) ? input : {} };
  return { ...privateIn(call), id: call.id, function: called };
}

function saidObject({ text = '', thinking = '', calls = [], own }: Said, isChat: boolean): JsonObject {
  const more = {
    ...(thinking === '' ? {} : { thinking }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(callObject) }),
  };
  return isChat
    ? { message: { ...own, role: 'assistant', content: text, ...more } }
    : { response: text, ...more };
}

/** Clients divide by durations, so a duration is never 0. */
function durationNs(fromMs: number, toMs: number): number {
  return Math.max(1, toMs - fromMs) * NS_PER_MS;
}

/** When an answer was asked for, when it began, and when it ended: epoch ms. */
interface Moments {
  readonly startedAt: number;
  readonly begunAt: number;
  readonly endedAt: number;
}

function endOf(
  reason: string | undefined,
  usage: TokenUsage | undefined,
  { startedAt, begunAt, endedAt }: Moments,
): JsonObject {
  return {
    done: true,
    done_reason: reason === 'length' ? 'length' : 'stop',
    total_duration: durationNs(startedAt, endedAt),
    load_duration: 0,
    prompt_eval_count: usage?.promptTokens ?? 0,
    prompt_eval_duration: durationNs(startedAt, begunAt),
    eval_count: usage?.completionTokens ?? 0,
    eval_duration: durationNs(begunAt, endedAt),
  };
}

function headOf(model: string, now: number): JsonObject {
  return { model, created_at: new Date(now).toISOString() };
}

/** The fields that only the model's provider understands, with a note of that model. */
function ownFieldsOf({ raw, reasoning, provider, model }: Answer): JsonObject {
  const words = reasoning === undefined ? {} : { reasoning_content: reasoning };
  return privateIn(
    withOrigin({ ...privateIn(extraFieldsOf(messageOf(raw))), ...words }, { provider, model }),
  );
}

export function wholeAnswer(
  answer: Answer,
  { isChat, showsThoughts, startedAt, now }: AnswerForm,
): JsonObject {
  const { text, reasoning, toolCalls, usage, finishReason, model, raw } = answer;
  const endedAt = now();
  const thinking = showsThoughts ? reasoning : undefined;
  const logprobs = logprobsIn(choiceIn(member(raw, 'choices')));
  return {
    ...headOf(model, endedAt),
    ...saidObject({ text, thinking, calls: toolCalls, own: ownFieldsOf(answer) }, isChat),
    ...(logprobs === undefined ? {} : { logprobs }),
    // The moment at which the answer began is unknown, so its tokens get the whole time.
    ...endOf(finishReason, usage, { startedAt, begunAt: startedAt, endedAt }),
  };
}

/** The answer to a request without a prompt. */
export function idleAnswer(model: string, reason: string, { isChat, now }: AnswerForm): JsonObject {
  return { ...headOf(model, now()), ...saidObject({}, isChat), done: true, done_reason: reason };
}

/** Writes the parts of one answer as lines of JSON. Each call of a tool is written whole, at the end. */
export class LineWriter implements EventWriter {
  readonly #form: AnswerForm;
  readonly #collector = new PartCollector();
  #begunAt: number | undefined;
  #usage: TokenUsage | undefined;

  constructor(form: AnswerForm) {
    this.#form = form;
  }

  write(part: StreamPart, model: string): string {
    this.#begunAt ??= this.#form.now();
    switch (part.type) {
      case 'text':
        return this.#line(model, { text: part.text });
      case 'reasoning':
        return this.#form.showsThoughts ? this.#line(model, { thinking: part.text }) : '';
      case 'tool-call':
      case 'extra':
        this.#collector.add(part);
        return '';
      case 'logprobs':
        return this.#line(model, {}, { logprobs: part.content, done: false });
      case 'usage':
        this.#usage = part.usage;
        return '';
      case 'finish':
        return this.#collected(model) + this.#end(part.reason, model, this.#begunAt);
    }
  }

  fail(error: HttpErrorInit): string {
    return `${JSON.stringify(ollamaError(error))}\n`;
  }

  #line(model: string, said: Said, more: JsonObject = { done: false }): string {
    const { isChat, now } = this.#form;
    return `${JSON.stringify({ ...headOf(model, now()), ...saidObject(said, isChat), ...more })}\n`;
  }

  /** The calls, and the fields that their provider requires back with them. */
  #collected(model: string): string {
    const { toolCalls: calls } = this.#collector.answer();
    const own = privateIn(extraFieldsOf(messageOf(this.#collector.raw())));
    return calls.length === 0 && Object.keys(own).length === 0 ? '' : this.#line(model, { calls, own });
  }

  #end(reason: string, model: string, begunAt: number): string {
    const { startedAt, now } = this.#form;
    return this.#line(model, {}, endOf(reason, this.#usage, { startedAt, begunAt, endedAt: now() }));
  }
}
