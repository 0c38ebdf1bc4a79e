/** Answers with their JSON read: `parse()`, and the same for streams and runs. */

import type { ChatCompletionMessage, ChatCompletionMessageFunctionToolCall } from './chat-messages.ts';
import type { ChatCompletion } from './chat-results.ts';
import { isObject, OpenAIError } from './errors.ts';

/** A call of a function whose arguments were read, if its tool says how. */
export interface ParsedFunctionToolCall extends ChatCompletionMessageFunctionToolCall {
  function: ParsedFunctionToolCall.Function;
}

export declare namespace ParsedFunctionToolCall {
  interface Function extends ChatCompletionMessageFunctionToolCall.Function {
    parsed_arguments?: unknown;
  }
}

export interface ParsedChatCompletionMessage<Parsed> extends ChatCompletionMessage {
  /** The value of the content. Null without a JSON schema as `response_format`, and without a content. */
  parsed: Parsed | null;
  tool_calls?: Array<ParsedFunctionToolCall>;
}

export interface ParsedChoice<Parsed> extends ChatCompletion.Choice {
  message: ParsedChatCompletionMessage<Parsed>;
}

export interface ParsedChatCompletion<Parsed> extends ChatCompletion {
  choices: Array<ParsedChoice<Parsed>>;
}

/** What `parsed` is, by the type of a body: that of the schema which a helper such as `zodResponseFormat` was given. */
export type ParsedContent<Body> = Body extends { response_format: { __output: infer Parsed } }
  ? Parsed
  : Body extends { response_format: { type: 'json_schema' } }
    ? unknown
    : null;

/** The answer was cut by `max_tokens`, so it cannot be read. */
class LengthFinishReasonError extends OpenAIError {
  constructor() {
    super('The answer ended at its limit of tokens, so it cannot be parsed. Raise max_tokens.');
  }
}

/** The answer was withheld by a filter, so it cannot be read. */
class ContentFilterFinishReasonError extends OpenAIError {
  constructor() {
    super('The answer was withheld by a content filter, so it cannot be parsed.');
  }
}

/** As much of a request as says how its answer is read. */
export interface Readable {
  readonly response_format?: object | undefined;
  readonly tools?: readonly object[] | undefined;
}

/** Formats and tools of the SDK's helpers carry their own parser. */
function parserOf(helper: object | undefined): ((text: string) => unknown) | undefined {
  const parse: unknown = helper === undefined ? undefined : Reflect.get(helper, '$parseRaw');
  return typeof parse === 'function'
    ? (text) => Reflect.apply(parse, undefined, [text]) as unknown
    : undefined;
}

function contentOf({ response_format: format }: Readable, text: string): unknown {
  if (format === undefined || Reflect.get(format, 'type') !== 'json_schema') return null;
  return (parserOf(format) ?? JSON.parse)(text);
}

function nameOf(tool: object): unknown {
  const called: unknown = Reflect.get(tool, 'function');
  return isObject(called) ? called['name'] : undefined;
}

function withArguments(
  { tools = [] }: Readable,
  call: ChatCompletionMessageFunctionToolCall,
): ParsedFunctionToolCall {
  const { name, arguments: text } = call.function;
  const tool = tools.find((one) => nameOf(one) === name);
  const called: unknown = tool === undefined ? undefined : Reflect.get(tool, 'function');
  const isStrict = isObject(called) && called['strict'] === true;
  const parse = parserOf(tool) ?? (isStrict ? JSON.parse : () => null);
  return { ...call, function: { ...call.function, parsed_arguments: parse(text) } };
}

/**
 * An answer with what it says in JSON.
 * @throws LengthFinishReasonError or ContentFilterFinishReasonError for an answer that is not whole, and what a parser throws.
 */
export function parsedCompletion<Parsed>(
  completion: ChatCompletion,
  request: Readable,
): ParsedChatCompletion<Parsed> {
  const choices = completion.choices.map((choice): ParsedChoice<Parsed> => {
    const { message, finish_reason: reason } = choice;
    if (reason === 'length') throw new LengthFinishReasonError();
    if (reason === 'content_filter') throw new ContentFilterFinishReasonError();
    const { content, tool_calls: calls, ...rest } = message;
    const functions = calls?.flatMap((call) =>
      call.type === 'function' ? [withArguments(request, call)] : [],
    );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema's own parser makes the type
    const parsed = (content === null || content === '' ? null : contentOf(request, content)) as Parsed | null;
    const read = { ...rest, content, parsed, ...(functions === undefined ? {} : { tool_calls: functions }) };
    return { ...choice, message: read };
  });
  return { ...completion, choices };
}
