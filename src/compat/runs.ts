/** What a runner does: streams an answer with events, and calls functions until there is an answer. */

import { ChunkCollector } from './chunk-collector.ts';
import type {
  ChatCompletionMessageFunctionToolCall,
  ChatCompletionMessageToolCall,
} from './chat-messages.ts';
import type { ChatCompletionTool } from './chat-params.ts';
import type { ChatCompletion, ChatCompletionChunk } from './chat-results.ts';
import type { ChatCompletionRunner } from './completion-runner.ts';
import { APIUserAbortError, isObject, OpenAIError } from './errors.ts';
import { parsedCompletion, type Readable } from './parsed.ts';
import type { FunctionParameters } from './shared-types.ts';

/** A tool with the function that carries it out. Helpers such as `zodFunction` of the SDK make one as well. */
export interface RunnableToolFunction {
  type: 'function';
  function: {
    /**
     * Its result is sent to the model, as JSON if it is no text.
     * @param args - What `parse` returns; the text of the arguments without it.
     */
    // A method, so that it may name the type of its arguments.
    function(args: unknown, runner: ChatCompletionRunner<unknown>): unknown;
    /** Reads the arguments, e.g. `JSON.parse`. What it throws is told to the model. */
    parse?(input: string): unknown;
    parameters: object;
    description: string;
    /** @defaultValue the name of the function */
    name?: string | undefined;
    strict?: boolean | undefined;
  };
}

/** A tool of the SDK's helpers: its function is not enumerable. */
export interface AutoParseableTool {
  type: 'function';
  function: { name: string; description?: string | undefined; parameters?: FunctionParameters | undefined };
  $brand: 'auto-parseable-tool';
}

export type RunnableTool = RunnableToolFunction | AutoParseableTool;

/** How often a loop asks a model, unless it is told. */
const MOST_COMPLETIONS = 10;

/** A tool as the loop uses it. */
interface Runnable {
  readonly tool: ChatCompletionTool;
  /** @throws whatever the function throws. */
  readonly run: (args: unknown, runner: ChatCompletionRunner<unknown>) => unknown;
  readonly parse: ((input: string) => unknown) | undefined;
}

function isAutoParseable(tool: RunnableTool): tool is AutoParseableTool {
  return '$brand' in tool;
}

/** A function of a helper. */
function methodOf(tool: AutoParseableTool, name: string): (...args: unknown[]) => unknown {
  const method: unknown = Reflect.get(tool, name);
  if (typeof method !== 'function')
    throw new OpenAIError(`The tool "${tool.function.name}" has no function. runTools() needs one.`);
  return (...args) => Reflect.apply(method, undefined, args) as unknown;
}

function parametersOf(given: object | undefined): FunctionParameters {
  return isObject(given) ? { ...given } : {};
}

function runnableOf(tool: RunnableTool): readonly [name: string, runnable: Runnable] {
  if (isAutoParseable(tool)) {
    const { name, description = '' } = tool.function;
    const parameters = parametersOf(tool.function.parameters);
    const declared = { name, description, parameters, strict: true };
    const parse = methodOf(tool, '$parseRaw');
    return [
      name,
      { tool: { type: 'function', function: declared }, run: methodOf(tool, '$callback'), parse },
    ];
  }
  const { function: called } = tool;
  const { name = called.function.name, description, strict, parameters: given } = called;
  const parameters = parametersOf(given);
  const declared = { name, description, parameters, ...(strict === undefined ? {} : { strict }) };
  const parse = called.parse === undefined ? undefined : (input: string) => called.parse?.(input);
  const run: Runnable['run'] = (args, runner) => called.function(args, runner);
  return [name, { tool: { type: 'function', function: declared }, run, parse }];
}

type ChunkSource = AsyncIterable<ChatCompletionChunk>;

type Message = ChatCompletion['choices'][number]['message'];

function tellCall<Parsed>(
  runner: ChatCompletionRunner<Parsed>,
  { index, function: piece }: ChatCompletionChunk.Choice.Delta.ToolCall,
  { tool_calls: calls = [] }: Message,
): void {
  const call = calls[index];
  const arguments_delta = piece?.arguments ?? '';
  if (call?.type === 'function')
    runner.emit('tool_calls.function.arguments.delta', { ...call.function, index, arguments_delta });
}

/** The events of a chunk's first choice. */
function tell<Parsed>(
  runner: ChatCompletionRunner<Parsed>,
  chunk: ChatCompletionChunk,
  message: Message,
): void {
  runner.emit('chunk', chunk, message);
  const delta = chunk.choices.find(({ index }) => index === 0)?.delta;
  const content = delta?.content ?? '';
  const refusal = delta?.refusal ?? '';
  if (content !== '') {
    const snapshot = message.content ?? '';
    runner.emit('content', content, snapshot);
    runner.emit('content.delta', { delta: content, snapshot });
  }
  if (refusal !== '') runner.emit('refusal.delta', { delta: refusal, snapshot: message.refusal ?? '' });
  for (const piece of delta?.tool_calls ?? []) tellCall(runner, piece, message);
}

/** Reads a stream to its end, and tells the runner's listeners of it. */
export async function streamInto<Parsed>(
  runner: ChatCompletionRunner<Parsed>,
  chunks: ChunkSource,
  request: Readable,
): Promise<ChatCompletionMessageToolCall[]> {
  const collector = new ChunkCollector();
  for await (const chunk of chunks) {
    collector.add(chunk);
    const { message } = collector;
    if (message !== undefined) tell(runner, chunk, message);
  }
  // An aborted stream ends without an error.
  if (runner.aborted) throw new APIUserAbortError();
  const {
    content,
    refusal,
    parsed,
    tool_calls: calls = [],
  } = runner.addCompletion(parsedCompletion<Parsed>(collector.completion, request));
  if (content !== null && content !== '') runner.emit('content.done', { content, parsed });
  if (refusal !== null && refusal !== '') runner.emit('refusal.done', { refusal });
  for (const [index, { function: called }] of calls.entries())
    runner.emit('tool_calls.function.arguments.done', {
      ...called,
      index,
      parsed_arguments: called.parsed_arguments ?? null,
    });
  return calls;
}

/** The text of a result. */
function resultText(result: unknown): string {
  if (typeof result === 'string') return result;
  return result === undefined ? 'undefined' : JSON.stringify(result);
}

function shownNames(names: Iterable<string>): string {
  return [...names].map((name) => JSON.stringify(name)).join(', ');
}

/** The result of one call. What the model did wrong is told to it. */
async function resultOf(
  { name, arguments: input }: ChatCompletionMessageFunctionToolCall.Function,
  functions: ReadonlyMap<string, Runnable>,
  runner: ChatCompletionRunner<unknown>,
): Promise<string> {
  const called = functions.get(name);
  if (called === undefined)
    return `There is no function ${JSON.stringify(name)}. Call one of ${shownNames(functions.keys())}.`;
  let args: unknown = input;
  try {
    if (called.parse !== undefined) args = await called.parse(input);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return resultText(await called.run(args, runner));
}

export interface ToolLoop<Parsed> {
  readonly runner: ChatCompletionRunner<Parsed>;
  readonly tools: readonly RunnableTool[];
  /** The function that must be called. The loop ends with its result. */
  readonly forced: string | undefined;
  /** @defaultValue 10 */
  readonly maxChatCompletions: number | undefined;
  /** Makes one answer of the conversation so far, adds it to the runner, and returns its calls. */
  readonly ask: (tools: ChatCompletionTool[]) => Promise<readonly ChatCompletionMessageToolCall[]>;
}

/** Asks the model, calls the functions that it names, and asks again, until it names none. */
export async function runLoop<Parsed>(loop: ToolLoop<Parsed>): Promise<void> {
  const { runner, forced, maxChatCompletions = MOST_COMPLETIONS, ask } = loop;
  const functions = new Map(loop.tools.map(runnableOf));
  const tools = [...functions.values()].map(({ tool }) => tool);
  for (let asked = 0; asked < maxChatCompletions; asked += 1) {
    const calls = (await ask(tools)).filter((call) => call.type === 'function');
    if (calls.length === 0) return;
    const results = await Promise.all(calls.map((call) => resultOf(call.function, functions, runner)));
    for (const [index, { id }] of calls.entries())
      runner.addMessage({ role: 'tool', tool_call_id: id, content: results[index] ?? '' });
    if (forced !== undefined && calls.some((call) => call.function.name === forced)) return;
  }
}
