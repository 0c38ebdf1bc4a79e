import { isJsonObject, type JsonObject, member, setMembers } from '../../core/json.ts';
import type { ChatCompletion, ToolCall } from './chat-response.ts';
import type { TokenUsage } from './token-usage.ts';
import { ExtraFields } from './extra-fields.ts';
import { choiceIn, extraFieldsOf, logprobsIn, messageIn } from './message.ts';
import { extraOf, type ToolCallPart } from './tool-calls.ts';

/** A piece of an answer. */
export type StreamPart =
  /** `resumed`: another route continued the answer. */
  | { readonly type: 'text'; readonly text: string; readonly resumed?: true }
  | { readonly type: 'reasoning'; readonly text: string; readonly resumed?: true }
  | ToolCallPart
  /**
   * Fields of the message that freelm does not read, as one chunk of the provider had them, e.g. `reasoning_details`,
   * `annotations` or `images`.
   */
  | { readonly type: 'extra'; readonly fields: JsonObject; readonly resumed?: true }
  /** The probabilities of tokens of the text, in OpenAI's form, if the request asks for them (`logprobs`) and the model gives them. */
  | { readonly type: 'logprobs'; readonly content: readonly unknown[] }
  | { readonly type: 'usage'; readonly usage: TokenUsage }
  /** Always the last part. `reason`: `stop`, `length`, `tool_calls`, or an unknown reason as the provider sent it. */
  | { readonly type: 'finish'; readonly reason: string };

/** The answer that parts add up to. `finishReason` is missing while the stream has not finished. */
export type CollectedAnswer = Pick<ChatCompletion, 'text' | 'reasoning' | 'toolCalls' | 'usage'> &
  Partial<Pick<ChatCompletion, 'finishReason'>>;

/** The message of a whole answer as the provider sent it. */
export function messageOf(raw: unknown): JsonObject {
  const choice = choiceIn(member(raw, 'choices'));
  const message = isJsonObject(choice)
    ? (messageIn(choice, 'message') ?? member(choice, 'delta'))
    : undefined;
  return isJsonObject(message) ? message : {};
}

/** What is read of a whole answer to make parts of it. */
type WholeAnswer = Pick<ChatCompletion, 'text' | 'toolCalls' | 'finishReason'> & {
  readonly reasoning?: string | undefined;
  readonly usage?: TokenUsage | undefined;
  readonly raw: unknown;
};

/** The parts of a whole answer, as if it had been streamed. */
export function partsOf(answer: WholeAnswer): readonly StreamPart[] {
  const { text, reasoning, toolCalls, usage, finishReason, raw } = answer;
  const parts: StreamPart[] = [];
  if (reasoning !== undefined) parts.push({ type: 'reasoning', text: reasoning });
  const fields = extraFieldsOf(messageOf(raw));
  if (fields !== undefined) parts.push({ type: 'extra', fields });
  if (text !== '') parts.push({ type: 'text', text });
  const content = logprobsIn(choiceIn(member(raw, 'choices')));
  if (content !== undefined) parts.push({ type: 'logprobs', content });
  for (const [index, call] of toolCalls.entries()) {
    const { name, arguments: argumentsDelta } = call.function;
    const extra = extraOf(call);
    const part: ToolCallPart = { type: 'tool-call', index, id: call.id, name, argumentsDelta };
    parts.push(extra === undefined ? part : { ...part, extra });
  }
  if (usage !== undefined) parts.push({ type: 'usage', usage });
  parts.push({ type: 'finish', reason: finishReason });
  return parts;
}

function sumOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : a + (b ?? 0);
}

export function addUsage(a: TokenUsage | undefined, b: TokenUsage): TokenUsage {
  if (a === undefined) return b;
  const cachedTokens = sumOf(a.cachedTokens, b.cachedTokens);
  const cost = sumOf(a.cost, b.cost);
  const reasoningTokens = sumOf(a.reasoningTokens, b.reasoningTokens);
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    totalTokens: a.totalTokens + b.totalTokens,
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
    ...(cost === undefined ? {} : { cost }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
    ...(a.estimated === true || b.estimated === true ? { estimated: true } : {}),
  };
}

/** Some providers send the running total with every chunk, some send it once. A price may come before the last one. */
export function latestUsage(
  known: TokenUsage | undefined,
  next: TokenUsage | undefined,
): TokenUsage | undefined {
  if (next === undefined || next.cost !== undefined || known?.cost === undefined) return next ?? known;
  return { ...next, cost: known.cost };
}

/** A tool call of which more pieces may come. */
interface OpenCall {
  id: string;
  name: string;
  arguments: string;
  readonly extra: Record<string, unknown>;
}

function toolCallOf({ id, name, arguments: given, extra }: OpenCall): ToolCall {
  return { ...extra, id, type: 'function', function: { name, arguments: given } };
}

/** Collects parts into an answer. Usage is summed over the attempts. */
export class PartCollector {
  #text = '';
  #reasoning = '';
  readonly #toolCalls = new Map<number, OpenCall>();
  #usage: TokenUsage | undefined;
  #finishReason: string | undefined;
  readonly #extra = new ExtraFields();
  #isResumed = false;

  add(part: StreamPart): void {
    if ('resumed' in part && !this.#isResumed) {
      this.#isResumed = true;
      // They prove the reasoning of one model, and another one goes on.
      this.#extra.drop('reasoning_details');
    }
    switch (part.type) {
      case 'text':
        this.#text += part.text;
        break;
      case 'reasoning':
        this.#reasoning += part.text;
        break;
      case 'tool-call':
        this.#addPiece(part);
        break;
      case 'extra':
        this.#extra.add(part.fields);
        break;
      case 'logprobs':
        break;
      case 'usage':
        this.#usage = addUsage(this.#usage, part.usage);
        break;
      case 'finish':
        this.#finishReason = part.reason;
        break;
    }
  }

  #addPiece({ index, id, name, argumentsDelta, extra }: ToolCallPart): void {
    const call = this.#toolCalls.get(index) ?? { id, name, arguments: '', extra: {} };
    this.#toolCalls.set(index, call);
    call.id = id;
    call.name = name;
    call.arguments += argumentsDelta;
    if (extra !== undefined) setMembers(call.extra, extra);
  }

  /** The answer so far. */
  answer(): CollectedAnswer {
    return {
      text: this.#text,
      toolCalls: [...this.#toolCalls.values()].map(toolCallOf),
      ...(this.#reasoning.trim() === '' ? {} : { reasoning: this.#reasoning }),
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
      ...(this.#finishReason === undefined ? {} : { finishReason: this.#finishReason }),
    };
  }

  /** The answer so far in the shape of a whole answer, with the fields that freelm does not read. */
  raw(): JsonObject {
    const { text, reasoning, toolCalls, finishReason } = this.answer();
    const message = {
      ...this.#extra.get(),
      role: 'assistant',
      content: text === '' && toolCalls.length > 0 ? null : text,
      ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
    };
    const choice = { index: 0, message, finish_reason: finishReason ?? null };
    return { object: 'chat.completion', choices: [choice] };
  }
}
