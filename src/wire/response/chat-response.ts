/** Reads and judges an answer of chat/completions: a status of 200 alone is no success. */

import { elementsOf, isJsonObject, type JsonObject, jsonText, member, parseJson } from '../../core/json.ts';
import { errorIn, isPage, readErrorBody } from './error-body.ts';

/** A tool call of the model. Fields beyond OpenAI's stay, e.g. `extra_content`, which Google wants back unchanged. */
export interface ToolCall {
  readonly [extra: string]: unknown;
  /** As sent; `call_<index>` where the provider sent none. */
  readonly id: string;
  readonly type: 'function';
  readonly function: {
    readonly [extra: string]: unknown;
    readonly name: string;
    /** JSON text; `{}` where the provider sent none. */
    readonly arguments: string;
  };
}

/** Tokens, as the provider counted them. The total may exceed the sum: some count hidden thinking in it alone. */
export interface TokenUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
}

/** A good answer. */
export interface ChatCompletion {
  /** The answer; where the model declined, what it declined with. `<think>` blocks are left in. */
  readonly text: string;
  /** What the model thought aloud, where the provider sends it apart. */
  readonly reasoning?: string;
  /** What the model declined with. */
  readonly refusal?: string;
  readonly toolCalls: readonly ToolCall[];
  /** `stop`, `length`, `tool_calls`, `content_filter`, or whatever else the provider said. */
  readonly finishReason: string;
  readonly usage?: TokenUsage;
  /** The model that answered, where the provider says so. */
  readonly model?: string;
  readonly id?: string;
  /** The parsed answer as it came. */
  readonly raw: JsonObject;
}

/** An answer with status 200 that is none. */
export interface RefusedAnswer {
  readonly ok: false;
  /**
   * `error`: it holds an error; `empty`: no text, no tool call and no reason for that; `malformed`: cut, not JSON
   * or of the wrong shape; `html`: a page; `content_filter`: the provider's filter stopped it.
   */
  readonly problem: 'error' | 'empty' | 'malformed' | 'html' | 'content_filter';
  /** The status that the error inside it states. */
  readonly status?: number;
  readonly message: string;
}

export type ChatAnswer = { readonly ok: true; readonly completion: ChatCompletion } | RefusedAnswer;

/** Finish reasons by how they begin, lower case: Google's carry a suffix, others spell them their own way. */
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

/** A finish reason in our words; an unknown one as it came, `undefined` where there is none. */
export function readFinishReason(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const said = value.trim().toLowerCase();
  return FINISH_REASONS.find(([beginning]) => said.startsWith(beginning))?.[1] ?? value;
}

/** Judges the body of an answer with status 200. Never throws. */
export function readChatResponse(body: string): ChatAnswer {
  const content = body.replace(/^\uFEFF/, '').trim();
  if (content === '') return refused('empty', 'the answer had no body');
  if (isPage(content))
    return refused('html', `a page instead of an answer: ${readErrorBody(content).message}`);
  const json = parseJson(content);
  if (errorIn(json) !== undefined) return refusedWithError(content);
  if (!isJsonObject(json)) {
    return isStreamError(content)
      ? refusedWithError(content)
      : refused('malformed', 'the answer was cut or was not a JSON object');
  }
  const choices = member(json, 'choices');
  if (!Array.isArray(choices)) return withoutChoices(json, content);
  const choice: unknown = choices[0];
  if (choice === undefined) return refused('empty', 'the answer had no choices');
  return isJsonObject(choice)
    ? judgeChoice(json, choice)
    : refused('malformed', 'the answer had a choice that was no object');
}

function refused(problem: RefusedAnswer['problem'], message: string): RefusedAnswer {
  return { ok: false, problem, message };
}

/** An answer that is an error, or part of one. */
export function refusedWithError(content: string): RefusedAnswer {
  const { message, status } = readErrorBody(content);
  const said = message === '' ? 'an error without a message' : message;
  return { ...refused('error', said), ...(status === undefined ? {} : { status }) };
}

/** A stream that nobody asked for, of events or of lines of JSON, and that tells of an error. */
function isStreamError(content: string): boolean {
  return /^(?:\{|(?:data|event|id|retry)?:)/.test(content) && readErrorBody(content).json !== undefined;
}

/** No `choices`: an error without its `error`, Google's native answer to a blocked prompt, or something else. */
function withoutChoices(json: JsonObject, content: string): RefusedAnswer {
  const candidates = member(json, 'candidates');
  const reason = Array.isArray(candidates)
    ? readFinishReason(member(candidates[0], 'finishReason'))
    : readFinishReason(member(member(json, 'promptFeedback'), 'blockReason')) && 'content_filter';
  if (reason === 'content_filter')
    return refused('content_filter', "the provider's filter stopped the answer");
  const flat = ['message', 'detail', 'title'].some((name) => member(json, name) !== undefined);
  return flat ? refusedWithError(content) : refused('malformed', 'the answer had no choices');
}

/** Why an answer that finished so is none; `undefined` when it may be one. */
export function refusedByFinish(finish: string | undefined, said: unknown): RefusedAnswer | undefined {
  if (finish === 'error') return refused('error', 'the answer ended with an error');
  if (finish === 'malformed')
    return refused('malformed', `the model's tool call was malformed (${String(said)})`);
  if (finish !== 'content_filter') return undefined;
  return refused('content_filter', `the provider's filter stopped the answer (${String(said)})`);
}

function judgeChoice(json: JsonObject, choice: JsonObject): ChatAnswer {
  const said = member(choice, 'finish_reason');
  const finish = readFinishReason(said);
  const byFinish = refusedByFinish(finish, said);
  if (byFinish !== undefined) return byFinish;
  // All tokens may have gone into thinking: then the answer is legally empty, and some leave its message out.
  const message = member(choice, 'message') ?? (finish === 'length' ? {} : undefined);
  if (!isJsonObject(message)) return refused('malformed', 'the answer had a choice without a message');
  const spoken = readMessage(message);
  if (spoken === undefined)
    return refused('malformed', "the answer's content or tool calls had an unknown shape");
  if (finish !== 'length' && isEmpty(message, spoken)) {
    return refused(
      'empty',
      `the answer had neither text nor a tool call (finish reason: ${finish ?? 'none'})`,
    );
  }
  return completed(json, spoken, finish ?? 'stop');
}

type Draft<T> = { -readonly [Name in keyof T]: T[Name] };
type Spoken = Draft<Pick<ChatCompletion, 'text' | 'reasoning' | 'refusal' | 'toolCalls'>>;

function completed(json: JsonObject, spoken: Spoken, finish: string): ChatAnswer {
  const { text, toolCalls, reasoning, refusal } = spoken;
  // Google's calls come with a plain stop.
  const finishReason = toolCalls.length > 0 && finish === 'stop' ? 'tool_calls' : finish;
  // Assignments instead of conditional spreads, which take longer than parsing the answer (measured).
  const completion: Draft<ChatCompletion> = { text, toolCalls, finishReason, raw: json };
  if (reasoning !== undefined) completion.reasoning = reasoning;
  if (refusal !== undefined) completion.refusal = refusal;
  const usage = readUsage(member(json, 'usage'));
  if (usage !== undefined) completion.usage = usage;
  const model = nonBlank(member(json, 'model'));
  if (model !== undefined) completion.model = model;
  const id = nonBlank(member(json, 'id'));
  if (id !== undefined) completion.id = id;
  return { ok: true, completion };
}

/** A text that is more than blanks; `undefined` for all else. */
export function nonBlank(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

function readMessage(message: JsonObject): Spoken | undefined {
  const text = textOf(member(message, 'content'));
  const toolCalls = toolCallsOf(member(message, 'tool_calls'));
  if (text === undefined || toolCalls === undefined) return undefined;
  const refusal = nonBlank(member(message, 'refusal'));
  const reasoning = nonBlank(member(message, 'reasoning')) ?? nonBlank(member(message, 'reasoning_content'));
  const spoken: Spoken = { text: nonBlank(text) ?? refusal ?? text, toolCalls };
  if (reasoning !== undefined) spoken.reasoning = reasoning;
  if (refusal !== undefined) spoken.refusal = refusal;
  return spoken;
}

/** Pictures and sound count as an answer, too. */
function isEmpty(message: JsonObject, { text, toolCalls }: Spoken): boolean {
  const isSilent =
    elementsOf(member(message, 'images')).length === 0 && !isJsonObject(member(message, 'audio'));
  return isSilent && text.trim() === '' && toolCalls.length === 0;
}

/** The text of a content that is a string, a list of parts, or missing; `undefined` for any other shape. */
function textOf(content: unknown): string | undefined {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  return content
    .map((part) => (typeof part === 'string' ? part : (nonBlank(member(part, 'text')) ?? '')))
    .join('');
}

function toolCallsOf(value: unknown): readonly ToolCall[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return undefined;
  const calls = value.map(toolCallOf);
  return calls.every((call) => call !== undefined) ? calls : undefined;
}

function toolCallOf(value: unknown, index: number): ToolCall | undefined {
  const called = member(value, 'function');
  const name = nonBlank(member(called, 'name'));
  if (!isJsonObject(value) || !isJsonObject(called) || name === undefined) return undefined;
  const given = member(called, 'arguments');
  const text = isJsonObject(given) ? jsonText(given) : nonBlank(given);
  const id = nonBlank(member(value, 'id')) ?? `call_${index}`;
  return { ...value, id, type: 'function', function: { ...called, name, arguments: text ?? '{}' } };
}

function tokens(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** Reads OpenAI's `usage`; `undefined` when it counts nothing. */
export function readUsage(value: unknown): TokenUsage | undefined {
  const prompt = tokens(member(value, 'prompt_tokens'));
  const completion = tokens(member(value, 'completion_tokens'));
  const total = tokens(member(value, 'total_tokens'));
  if (prompt === undefined && completion === undefined && total === undefined) return undefined;
  const promptTokens = prompt ?? 0;
  const completionTokens = completion ?? 0;
  return { promptTokens, completionTokens, totalTokens: total ?? promptTokens + completionTokens };
}
