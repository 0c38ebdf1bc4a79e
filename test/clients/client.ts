/** What the cases ask of a client, each in the client's own way. */

/** The answer's schema, and the tool's: `weather({ city })`. */
export const ANSWER_SCHEMA = {
  type: 'object',
  properties: { answer: { type: 'string' } },
  required: ['answer'],
  additionalProperties: false,
} as const;
export const WEATHER = {
  name: 'weather',
  description: 'The weather of a city.',
  schema: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
} as const;

/** How a call is made. */
export interface Call {
  readonly text: string;
  /** Default `auto`. */
  readonly model?: string | undefined;
  readonly temperature?: number | undefined;
  /** The body's `freelm`. */
  readonly freelm?: Readonly<Record<string, number>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: the client's own. */
  readonly maxRetries?: number | undefined;
  /** Offers the tool `weather`; the client calls it and goes on until there is an answer. */
  readonly report?: ((city: string) => string) | undefined;
  /** Asks for a call of the tool in the first answer. */
  readonly force?: boolean | undefined;
}

/** An answer; with tools, the last one. */
export interface Answer {
  readonly text: string;
  readonly reasoning: string | undefined;
  readonly finishReason: string | undefined;
  /** Tokens, of the last request. */
  readonly tokens: number | undefined;
}

/** An error as the client's user sees it. */
export interface Failure {
  readonly status: number | undefined;
  readonly message: string;
}

export interface Client {
  whole(call: Call): Promise<Answer>;
  /** The pieces of the text as they come, of all answers where tools are called. */
  pieces(call: Call): AsyncIterable<string>;
  /** An object of {@link ANSWER_SCHEMA}. */
  object(call: Call): Promise<unknown>;
  models(): Promise<readonly string[]>;
  failure(error: unknown): Failure;
}

/** For clients that have no list of models. */
export function noModels(): Promise<never> {
  return Promise.reject(new Error('this client lists no models'));
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

export function textIn(value: unknown, name: string): string | undefined {
  const text = fieldOf(value, name);
  return typeof text === 'string' ? text : undefined;
}

export function numberIn(value: unknown, name: string): number | undefined {
  const number = fieldOf(value, name);
  return typeof number === 'number' ? number : undefined;
}

/** The city of a tool's input. */
export function cityOf(input: unknown): string {
  return textIn(input, 'city') ?? 'nowhere';
}

/** Status and message of an error that has both. */
export function failureOf(error: unknown, statusName: string): Failure {
  return { status: numberIn(error, statusName), message: textIn(error, 'message') ?? '' };
}

/** The ids of a list of models. */
export async function idsOf(models: AsyncIterable<{ readonly id: string }>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of models) ids.push(id);
  return ids;
}
