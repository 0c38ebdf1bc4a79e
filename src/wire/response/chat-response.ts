import type { Draft } from '../../core/draft.ts';
import { isJsonObject, type JsonObject, jsonText, member, parseJson } from '../../core/json.ts';
import { argumentsExcess, choicesExcess, messageExcess, textExcess } from './answer-bounds.ts';
import { errorIn, isPage, readErrorBody } from './error-body.ts';
import { splitThoughts } from './thoughts.ts';
import { readUsage, type TokenUsage } from './token-usage.ts';
import { callsIn, choiceIn, contentOf, hasMedia, messageIn, reasoningOf } from './message.ts';

/** A tool call. Fields beyond OpenAI's are kept, e.g. `extra_content`, which Google needs back unchanged. */
export interface ToolCall {
  readonly [extra: string]: unknown;
  /** Made up by a {@link ToolCallIds} if the provider sends none. */
  readonly id: string;
  readonly type: 'function';
  readonly function: {
    readonly [extra: string]: unknown;
    readonly name: string;
    /** JSON text. Default: `{}`. */
    readonly arguments: string;
  };
}

/**
 * The id of the call with this index: the given one, or one that is made up if there is none or another call has it. The ids of
 * two answers must differ, also those of two processes.
 */
export type ToolCallIds = (index: number, given?: string) => string;

export const NUMBERED_CALLS: ToolCallIds = (index, given) => given ?? `call_${index}`;

/** A successful answer. */
export interface ChatCompletion {
  /** The answer, or the refusal if the model declined. */
  readonly text: string;
  /** The reasoning, sent separately or in tags at the beginning of the text. */
  readonly reasoning?: string;
  readonly refusal?: string;
  readonly toolCalls: readonly ToolCall[];
  /** `stop`, `length`, `tool_calls`, `content_filter`, or an unknown reason as the provider sent it. */
  readonly finishReason: string;
  readonly usage?: TokenUsage;
  /** The model that answered, if the provider names it. */
  readonly model?: string;
  readonly id?: string;
  /** The parsed JSON of the answer. */
  readonly raw: JsonObject;
}

/** An answer with status 200 that is a failure. */
export interface RefusedAnswer {
  readonly ok: false;
  /**
   * `error`: it contains an error. `empty`: it has neither text nor a tool call. `out_of_tokens`: it has neither, because
   * its tokens were used up before, by reasoning. `malformed`: it is cut, no JSON or of an unknown shape. `too_large`: it
   * exceeds a bound of `spec/bounds.json`. `html`: it is an HTML page. `content_filter`: the provider's filter stopped it.
   */
  readonly problem:
    | 'error'
    | 'empty'
    | 'out_of_tokens'
    | 'malformed'
    | 'too_large'
    | 'html'
    | 'content_filter';
  /** The HTTP status given by the error inside. */
  readonly status?: number;
  readonly message: string;
  /** The tokens that it took all the same, if the answer says so. */
  readonly usage?: TokenUsage;
}

export type ChatAnswer = { readonly ok: true; readonly completion: ChatCompletion } | RefusedAnswer;

/** Finish reasons by their beginning in lower case: Google adds suffixes, and other providers have their own spellings. */
const FINISH_REASONS: readonly (readonly [beginning: string, reason: string])[] = [
  ['content_filter', 'content_filter'],
  ['safety', 'content_filter'],
  ['recitation', 'content_filter'],
  ['blocklist', 'content_filter'],
  ['prohibited_content', 'content_filter'],
  ['spii', 'content_filter'],
  ['image_safety', 'content_filter'],
  ['sensitive', 'content_filter'],
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['tool_', 'tool_calls'],
  ['stop', 'stop'],
  ['end_turn', 'stop'],
  ['eos', 'stop'],
  ['function_call_filter', 'malformed'],
  ['malformed_function_call', 'malformed'],
  ['unexpected_tool_call', 'malformed'],
  ['function_call', 'tool_calls'],
  ['error', 'error'],
  ['network_error', 'error'],
];

/** Normalises a finish reason. An unknown one stays as it is; a missing one is undefined. */
// spec 13.2
export function readFinishReason(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const given = value.trim().toLowerCase();
  return FINISH_REASONS.find(([beginning]) => given.startsWith(beginning))?.[1] ?? value;
}

/** The JSON object of an answer with status 200, with its text. */
interface AnsweredDocument {
  readonly ok: true;
  readonly json: JsonObject;
  readonly content: string;
}

/** Reads the body of an answer with status 200 as a JSON object that is no error. Never throws. */
// spec 13.1
export function readDocument(body: string): AnsweredDocument | RefusedAnswer {
  const content = body.replace(/^\uFEFF/, '').trim();
  if (content === '') return refused('empty', 'the answer had no body');
  if (isPage(content))
    return refused('html', `a page instead of an answer: ${readErrorBody(content).message}`);
  const excess = mayBeJson(content) ? textExcess(content) : undefined;
  if (excess !== undefined) return refusedAsTooLarge('answer', excess);
  const json = parseJson(content);
  if (errorIn(json) !== undefined) return refusedWithError(content);
  if (!isJsonObject(json)) {
    return isStreamError(content)
      ? refusedWithError(content)
      : refused('malformed', 'the answer was cut or was not a JSON object');
  }
  return { ok: true, json, content };
}

/** Reads and judges the body of an answer with status 200. Never throws. */
// spec 13.1
export function readChatResponse(body: string, idOf: ToolCallIds = NUMBERED_CALLS): ChatAnswer {
  const document = readDocument(body);
  return document.ok ? judge(document.json, document.content, idOf) : document;
}

function judge(json: JsonObject, content: string, idOf: ToolCallIds): ChatAnswer {
  const choices = member(json, 'choices');
  if (!Array.isArray(choices)) return refusedWithout('choices', json, content);
  const excess = choicesExcess(choices);
  if (excess !== undefined) return refusedAsTooLarge('answer', excess);
  const choice = choiceIn(choices);
  if (choice === undefined) return refused('empty', 'the answer had no choices');
  return isJsonObject(choice)
    ? judgeChoice(json, choice, idOf)
    : refused('malformed', 'the answer had a choice that was no object');
}

/** A refused answer of a kind. */
export function refused(problem: RefusedAnswer['problem'], message: string): RefusedAnswer {
  return { ok: false, problem, message };
}

/** The refusal of an answer or a stream that exceeds a bound. */
// spec 13.11
export function refusedAsTooLarge(what: 'answer' | 'stream', excess: string): RefusedAnswer {
  return refused('too_large', `the ${what} had ${excess}, which is not read`);
}

/** Whether a text can be a list or an object. Parsing any other text costs an exception at best. */
export function mayBeJson(content: string): boolean {
  return content.startsWith('{') || content.startsWith('[');
}

/** The refusal for a body or an event that contains an error. */
export function refusedWithError(content: string): RefusedAnswer {
  const { message, status } = readErrorBody(content);
  const text = message === '' ? 'an error without a message' : message;
  return { ...refused('error', text), ...(status === undefined ? {} : { status }) };
}

/** Whether the body is an event stream or lines of JSON with an error inside. */
function isStreamError(content: string): boolean {
  return /^(?:\{|(?:data|event|id|retry)?:)/.test(content) && readErrorBody(content).json !== undefined;
}

/**
 * The refusal of an answer without `choices`, or what else it must have: it may be an error without `error`, or Google's
 * native answer to a blocked prompt.
 */
export function refusedWithout(what: string, json: JsonObject, content: string): RefusedAnswer {
  const candidates = member(json, 'candidates');
  const reason = Array.isArray(candidates)
    ? readFinishReason(member(candidates[0], 'finishReason'))
    : readFinishReason(member(member(json, 'promptFeedback'), 'blockReason')) && 'content_filter';
  if (reason === 'content_filter')
    return refused('content_filter', "the provider's filter stopped the answer");
  const flat = ['message', 'detail', 'title'].some((name) => member(json, name) !== undefined);
  return flat ? refusedWithError(content) : refused('malformed', `the answer had no ${what}`);
}

/**
 * The refusal for a finish reason that is a problem; undefined for other reasons.
 * @param sent - The reason as sent, for the message.
 */
export function refusedByFinish(finish: string | undefined, sent: unknown): RefusedAnswer | undefined {
  if (finish === 'error') return refused('error', 'the answer ended with an error');
  if (finish === 'malformed')
    return refused('malformed', `the model's tool call was malformed (${String(sent)})`);
  if (finish !== 'content_filter') return undefined;
  return refused('content_filter', `the provider's filter stopped the answer (${String(sent)})`);
}

/** The refusal for an answer or a stream without text and tool calls. */
export function emptyAnswer(what: 'answer' | 'stream', finish: string | undefined): RefusedAnswer {
  if (finish === 'length')
    return refused('out_of_tokens', `the ${what} used up its tokens before its first word`);
  const message = `the ${what} had neither text nor a tool call (finish reason: ${finish ?? 'none'})`;
  return refused('empty', message);
}

function judgeChoice(json: JsonObject, choice: JsonObject, idOf: ToolCallIds): ChatAnswer {
  const sent = member(choice, 'finish_reason');
  const finish = readFinishReason(sent);
  const byFinish = refusedByFinish(finish, sent);
  if (byFinish !== undefined) return byFinish;
  // If reasoning used up all tokens, some providers omit the message.
  // A chunk that finishes is whole; one that does not is cut.
  const delta = finish === undefined ? undefined : member(choice, 'delta');
  const message = messageIn(choice, 'message') ?? delta ?? (finish === 'length' ? {} : undefined);
  if (!isJsonObject(message)) return refused('malformed', 'the answer had a choice without a message');
  const excess = messageExcess(message);
  if (excess !== undefined) return refusedAsTooLarge('answer', excess);
  const content = readMessage(message, idOf);
  if (content === undefined)
    return refused('malformed', "the answer's content or tool calls had an unknown shape");
  const inCalls = argumentsExcess(content.toolCalls.map((call) => call.function.arguments));
  if (inCalls !== undefined) return refusedAsTooLarge('answer', inCalls);
  if (isEmpty(message, content)) return emptyAnswer('answer', finish);
  return completionOf(json, content, finish ?? 'stop');
}

type Message = Draft<Pick<ChatCompletion, 'text' | 'reasoning' | 'refusal' | 'toolCalls'>>;

function completionOf(json: JsonObject, message: Message, finish: string): ChatAnswer {
  const { text, toolCalls, reasoning, refusal } = message;
  // Google finishes tool calls with `stop`.
  const finishReason = toolCalls.length > 0 && finish === 'stop' ? 'tool_calls' : finish;
  // Assignments, because conditional spreads take longer than parsing the answer (measured).
  const completion: Draft<ChatCompletion> = { text, toolCalls, finishReason, raw: json };
  if (reasoning !== undefined) completion.reasoning = reasoning;
  if (refusal !== undefined) completion.refusal = refusal;
  const usage = readUsage(json);
  if (usage !== undefined) completion.usage = usage;
  const model = nonBlank(member(json, 'model'));
  if (model !== undefined) completion.model = model;
  const id = nonBlank(member(json, 'id'));
  if (id !== undefined) completion.id = id;
  return { ok: true, completion };
}

/** The value if it is a text with more than white space. */
export function nonBlank(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

// spec 13.3
function readMessage(message: JsonObject, idOf: ToolCallIds): Message | undefined {
  const content = contentOf(member(message, 'content'));
  const toolCalls = toolCallsOf(callsIn(message), idOf);
  if (content === undefined || toolCalls === undefined) return undefined;
  const { text, reasoning: thoughts } = splitThoughts(content);
  const refusal = nonBlank(member(message, 'refusal'));
  const reasoning = nonBlank(reasoningOf(message) + thoughts);
  const read: Message = { text: nonBlank(text) ?? refusal ?? text, toolCalls };
  if (reasoning !== undefined) read.reasoning = reasoning;
  if (refusal !== undefined) read.refusal = refusal;
  return read;
}

function isEmpty(message: JsonObject, { text, toolCalls }: Message): boolean {
  return !hasMedia(message) && text.trim() === '' && toolCalls.length === 0;
}

function toolCallsOf(value: unknown, idOf: ToolCallIds): readonly ToolCall[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const calls = value.map((call, index) => toolCallOf(call, index, idOf));
  return calls.every((call) => call !== undefined) ? calls : undefined;
}

function toolCallOf(value: unknown, index: number, idOf: ToolCallIds): ToolCall | undefined {
  const called = member(value, 'function');
  const name = nonBlank(member(called, 'name'));
  if (!isJsonObject(value) || !isJsonObject(called) || name === undefined) return undefined;
  const given = member(called, 'arguments');
  const text = isJsonObject(given) ? jsonText(given) : nonBlank(given);
  const id = idOf(index, nonBlank(member(value, 'id')));
  return { ...value, id, type: 'function', function: { ...called, name, arguments: text ?? '{}' } };
}
