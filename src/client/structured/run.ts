/** `llm.run()`: the loop of a model that calls tools. */

import { unlessAborted } from '../../abort.ts';
import { jsonText } from '../../core/json.ts';
import type { Route } from '../../core/pool.ts';
import { ConfigError } from '../../errors.ts';
import { withOrigin } from '../../wire/origin.ts';
import type { ChatMessage } from '../../wire/request/chat-request.ts';
import { extraFieldsOf } from '../../wire/response/message.ts';
import { messageOf, type StreamPart } from '../../wire/response/stream-part.ts';
import type { ChatOptions } from '../options.ts';
import type { AnsweredCall, ChatResponse } from '../response.ts';
import { Tool, type ToolOutcome } from './tool.ts';

/** The options of {@link FreeLLM.run}. The limits of time are those of each turn. */
export interface RunOptions extends Omit<ChatOptions, 'tools' | 'n'> {
  /** The tools, made by {@link tool}. Their names must differ. */
  readonly tools: readonly Tool[];
  /** How many answers of models the run may have. Default 10. */
  readonly maxTurns?: number | undefined;
}

/** A call of a tool that was carried out. */
export interface ToolResult {
  readonly call: AnsweredCall;
  readonly outcome: ToolOutcome;
  readonly latencyMs: number;
}

/** One answer of a model, and what its calls gave. */
export interface RunTurn {
  readonly response: ChatResponse;
  /** In the order of the calls. Empty if the answer calls no tool, or one without a function. */
  readonly results: readonly ToolResult[];
}

/** A run that has ended. */
export interface RunResult {
  /** The text of the last answer. */
  readonly text: string;
  /** The last answer. */
  readonly response: ChatResponse;
  readonly turns: readonly RunTurn[];
  /** The whole conversation, to be continued by a later run. */
  readonly messages: readonly ChatMessage[];
  /**
   * Why it ended. `answer`: the model called no more tools. `tool_call`: it called a tool without a function; the conversation
   * ends with the call. `max_turns`: it still called tools in the last turn that `maxTurns` allows.
   */
  readonly endedBy: 'answer' | 'tool_call' | 'max_turns';
}

/** What a streamed run yields: the parts of each answer, and what each call gave. */
export type RunPart =
  | (StreamPart & { readonly turn: number })
  | { readonly type: 'tool-result'; readonly turn: number; readonly result: ToolResult };

/** A call, and the tool that it names. */
interface CalledTool {
  readonly call: AnsweredCall;
  readonly tool: Tool | undefined;
}

/** An answer, and the route that gave it. */
export interface Answered {
  readonly response: ChatResponse;
  readonly route: Route | undefined;
}

/** One turn that was asked for. */
export interface AskedTurn {
  /** Of a stream, as they arrive; none of a whole answer. */
  readonly parts: AsyncIterable<StreamPart>;
  /** The answer once the parts have been read. */
  answer(): Promise<Answered>;
}

/** How a run asks for its turns. */
export interface RunPorts {
  /** The conversation that it begins with. */
  messages(): readonly ChatMessage[] | Promise<readonly ChatMessage[]>;
  /** Asks for one answer: from `previousRoute` while that is ready. */
  ask(messages: readonly ChatMessage[], options: ChatOptions, previousRoute: Route | undefined): AskedTurn;
  /** Monotonic ms. */
  nowMs(): number;
}

const DEFAULT_MAX_TURNS = 10;

/** The tools that were made by `tool()`; users without types may pass anything. */
function isTool(value: unknown): value is Tool {
  return value instanceof Tool;
}

function toolsByName(tools: readonly unknown[]): ReadonlyMap<string, Tool> {
  if (!Array.isArray(tools)) throw new ConfigError('options.tools: must be a list of tools made by tool().');
  const byName = new Map<string, Tool>();
  for (const [index, one] of tools.entries()) {
    if (!isTool(one))
      throw new ConfigError(
        `options.tools[${index}]: is no tool. Make it with tool({ name, parameters, execute }).`,
      );
    const { name } = one.function;
    if (byName.has(name)) throw new ConfigError(`options.tools has "${name}" twice.`);
    byName.set(name, one);
  }
  return byName;
}

function checkedTurns(maxTurns: number = DEFAULT_MAX_TURNS): number {
  if (Number.isInteger(maxTurns) && maxTurns > 0) return maxTurns;
  throw new ConfigError('options.maxTurns: must be a whole number of at least 1.');
}

/** The answer as a message of the conversation, with what its provider wants back. */
function messageFor(response: ChatResponse): ChatMessage {
  const { text, toolCalls, reasoning, raw } = response;
  const calls = toolCalls.length === 0 ? {} : { tool_calls: toolCalls };
  const message: ChatMessage = {
    ...extraFieldsOf(messageOf(raw)),
    role: 'assistant',
    content: text === '' && toolCalls.length > 0 ? null : text,
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...calls,
  };
  return withOrigin(message, response);
}

function textOf(outcome: ToolOutcome): string {
  if (outcome.kind === 'error') {
    const { error } = outcome;
    return jsonText({ error: error instanceof Error ? error.message : String(error) });
  }
  return typeof outcome.output === 'string' ? outcome.output : jsonText(outcome.output ?? null);
}

function resultMessage({ call, outcome }: ToolResult): ChatMessage {
  return { role: 'tool', tool_call_id: call.id, content: textOf(outcome) };
}

/** Runs the turns of a conversation. Yields what happens, and returns the result. */
export class Run {
  readonly #ports: RunPorts;
  readonly #options: ChatOptions;
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly #maxTurns: number;
  readonly #messages: ChatMessage[] = [];
  readonly #turns: RunTurn[] = [];
  #route: Route | undefined;

  /** @throws ConfigError that names the invalid option. */
  constructor(ports: RunPorts, { tools, maxTurns, ...options }: RunOptions) {
    this.#ports = ports;
    this.#tools = toolsByName(tools);
    this.#maxTurns = checkedTurns(maxTurns);
    const declared = tools.map(({ type, function: called }) => ({ type, function: called }));
    this.#options = declared.length === 0 ? options : { ...options, tools: declared };
  }

  async *turns(): AsyncGenerator<RunPart, RunResult> {
    this.#messages.push(...(await this.#ports.messages()));
    for (let turn = 1; ; turn += 1) {
      const response = yield* this.#answer(turn);
      const calls = response.toolCalls.map((call) => ({ call, tool: this.#tools.get(call.function.name) }));
      if (calls.length === 0) return this.#end(response, 'answer');
      if (calls.some(({ tool }) => tool?.executes !== true)) return this.#end(response, 'tool_call');
      const results = await this.#executeAll(calls, turn);
      this.#messages.push(...results.map(resultMessage));
      this.#turns.push({ response, results });
      for (const result of results) yield { type: 'tool-result', turn, result };
      if (turn >= this.#maxTurns) return this.#result(response, 'max_turns');
    }
  }

  async *#answer(turn: number): AsyncGenerator<RunPart, ChatResponse> {
    const asked = this.#ports.ask(this.#messages, this.#options, this.#route);
    for await (const part of asked.parts) yield { ...part, turn };
    const { response, route } = await asked.answer();
    this.#route = route;
    this.#messages.push(messageFor(response));
    return response;
  }

  /** Carries out all calls at once. Rejects as soon as the run is aborted. */
  async #executeAll(calls: readonly CalledTool[], turn: number): Promise<readonly ToolResult[]> {
    const { signal } = this.#options;
    const results = Promise.all(calls.map((called) => this.#execute(called, turn)));
    return signal === undefined ? results : unlessAborted(results, signal);
  }

  async #execute({ call, tool }: CalledTool, turn: number): Promise<ToolResult> {
    const startedAt = this.#ports.nowMs();
    const { signal } = this.#options;
    const running = tool?.call(call.function.arguments, { toolCallId: call.id, turn, signal });
    const outcome: ToolOutcome = (await running) ?? { kind: 'error', error: new Error('no such tool') };
    return { call, outcome, latencyMs: this.#ports.nowMs() - startedAt };
  }

  #end(response: ChatResponse, endedBy: RunResult['endedBy']): RunResult {
    this.#turns.push({ response, results: [] });
    return this.#result(response, endedBy);
  }

  #result(response: ChatResponse, endedBy: RunResult['endedBy']): RunResult {
    return { text: response.text, response, turns: this.#turns, messages: this.#messages, endedBy };
  }
}

/** A streamed run. Iterate it for its parts, or wait for its result. It can be read once. */
export class RunStream implements AsyncIterable<RunPart> {
  readonly #run: Run;
  readonly #result: Promise<RunResult>;
  #settle: { resolve: (result: RunResult) => void; reject: (error: unknown) => void } | undefined;
  #isRead = false;

  /** @internal Made by `FreeLLM.run`. */
  constructor(run: Run) {
    this.#run = run;
    this.#result = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // A consumer of the parts need not ask for the result.
    this.#result.catch(() => {});
  }

  /** The parts of all answers, and what each call of a tool gave. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RunPart, void, undefined> {
    if (this.#isRead)
      throw new ConfigError('This run has already been read, and a run can be read only once.');
    this.#isRead = true;
    try {
      this.#settle?.resolve(yield* this.#run.turns());
    } catch (error) {
      this.#settle?.reject(error);
      throw error;
    } finally {
      this.#settle?.reject(new DOMException('The run was not read to its end.', 'AbortError'));
    }
  }

  /** The result. Reads the run itself if nothing else does. Rejects as the run does. */
  async result(): Promise<RunResult> {
    if (!this.#isRead) for await (const part of this) void part;
    return this.#result;
  }
}
