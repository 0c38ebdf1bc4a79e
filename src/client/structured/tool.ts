/** `tool()`: a function that a model may call. */

import type { JsonObject } from '../../core/json.ts';
import { ConfigError } from '../../errors.ts';
import { problemsText } from '../../wire/repair/sound-arguments.ts';
import { readSchema, type Schema } from './schema.ts';

/** What a tool's function is told besides its arguments. */
export interface ToolContext {
  /** The call's id in the conversation. */
  readonly toolCallId: string;
  /** The turn in which the model made the call, from 1. */
  readonly turn: number;
  /** Aborted when the run is. */
  readonly signal: AbortSignal | undefined;
}

/** How {@link tool} is told about a tool. */
export interface ToolOptions<T> {
  /** Letters, digits, `_` and `-`, at most 64. */
  readonly name: string;
  /** Tells the model what the tool does and when to call it. */
  readonly description?: string | undefined;
  /** A zod schema of an object, a Standard Schema that can be written as a JSON schema, or a JSON schema. Default: no arguments. */
  readonly parameters?: Schema<T> | undefined;
  /**
   * Carries the call out. A text goes to the model as it is, any other value as JSON. What it throws goes to the model as an
   * error, so that the model can try something else. Without it, `run()` ends at a call of the tool.
   */
  readonly execute?: ((args: T, context: ToolContext) => unknown) | undefined;
}

/** What became of one call of a tool. */
export type ToolOutcome =
  | { readonly kind: 'output'; readonly output: unknown }
  | { readonly kind: 'error'; readonly error: unknown };

const NO_PARAMETERS: JsonObject = { type: 'object', properties: {} };
const LAWFUL_NAME = /^[A-Za-z_][\w-]{0,63}$/;

/** A tool for {@link FreeLLM.run}, made by {@link tool}. Any chat call takes it among its `tools`, too. */
export class Tool {
  readonly type = 'function';
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters: JsonObject;
  };
  readonly #call: ((args: string, context: ToolContext) => Promise<ToolOutcome>) | undefined;

  /** @internal Made by {@link tool}. */
  constructor(
    declared: Tool['function'],
    call: ((args: string, context: ToolContext) => Promise<ToolOutcome>) | undefined,
  ) {
    this.function = declared;
    this.#call = call;
  }

  /** Whether it has a function that carries calls out. */
  get executes(): boolean {
    return this.#call !== undefined;
  }

  /** Carries a call out. What goes wrong is an outcome, too. */
  async call(args: string, context: ToolContext): Promise<ToolOutcome> {
    try {
      if (this.#call === undefined) throw new Error('the tool has no function');
      return await this.#call(args, context);
    } catch (error) {
      return { kind: 'error', error };
    }
  }
}

/**
 * Makes a tool.
 * @throws ConfigError if the name is unlawful, or the parameters cannot be written as a JSON schema.
 *
 * @example
 * ```ts
 * const weather = tool({
 *   name: 'weather',
 *   description: 'The weather of a city.',
 *   parameters: z.object({ city: z.string() }),
 *   execute: ({ city }) => `It is sunny in ${city}.`,
 * });
 * ```
 */
export function tool<T>({ name, description, parameters, execute }: ToolOptions<T>): Tool {
  if (typeof name !== 'string' || !LAWFUL_NAME.test(name))
    throw new ConfigError(
      'tool: name must be at most 64 letters, digits, "_" and "-", and not begin with a digit.',
    );
  const { format, read } = readSchema<T>(parameters ?? NO_PARAMETERS, name);
  const about = description === undefined ? {} : { description };
  const call = async (args: string, context: ToolContext): Promise<ToolOutcome> => {
    const found = await read(args);
    if (!found.ok)
      throw new Error(`the arguments do not fit: ${problemsText(found.problems, format.schema)}`);
    return { kind: 'output', output: await execute?.(found.value, context) };
  };
  return new Tool({ name, ...about, parameters: format.schema }, execute === undefined ? undefined : call);
}
