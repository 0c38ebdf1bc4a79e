/** `llm.object()`: a value that a schema accepts, whichever model answers. */

import { ObjectRequest } from '../../engine/object.ts';
import { NoProvidersAvailableError, SchemaError } from '../../errors.ts';
import type { ChatMessage } from '../../wire/request/chat-request.ts';
import type { ChatOptions } from '../options.ts';
import { requestBody } from '../request-body.ts';
import type { ChatResponse } from '../response.ts';
import { type ReadSchema, readSchema, type Schema } from './schema.ts';

/** The options of {@link FreeLLM.object}. */
export interface ObjectOptions<T> extends Omit<
  ChatOptions,
  'response_format' | 'tools' | 'tool_choice' | 'n'
> {
  /** A zod schema, a Standard Schema that can be written as a JSON schema, or a JSON schema. */
  readonly schema: Schema<T>;
  /** The schema's name, as the model sees it. Default `answer`. */
  readonly schemaName?: string | undefined;
}

/** A value and the answer that it was read from. */
export interface ObjectResult<T> {
  readonly data: T;
  /** `attempts` lists the answers that broke the schema as `invalid_output`. `usage` counts all of them. */
  readonly response: ChatResponse;
}

/** The options of an object, read. */
interface ReadOptions<T> {
  readonly schema: ReadSchema<T>;
  /** The options of the call. */
  readonly options: ChatOptions;
}

/** Reads the schema, and splits it from the options of the call. */
export function readObjectOptions<T>({ schema, schemaName, ...options }: ObjectOptions<T>): ReadOptions<T> {
  return { schema: readSchema(schema, schemaName), options };
}

/** A request for an object, as a call uses it. */
export function objectRequest<T>(
  messages: readonly ChatMessage[],
  schema: ReadSchema<T>,
  options: ChatOptions,
  own?: Readonly<Record<string, unknown>>,
): ObjectRequest<T> {
  const { request } = requestBody(messages, options, own);
  return new ObjectRequest(request, schema.format, schema.read);
}

/** The error of a call that ended although models answered: their answers broke the schema. Other errors stay as they are. */
export function schemaError(error: unknown): unknown {
  if (!(error instanceof NoProvidersAvailableError)) return error;
  const { attempts } = error;
  const broken = attempts.filter(({ outcome }) => outcome === 'invalid_output');
  const last = broken.at(-1);
  if (last === undefined) return error;
  const count = broken.length === 1 ? '1 answer' : `${broken.length} answers`;
  const message = `No model gave a value that fits the schema (${count}). The last one, of ${last.model}: ${last.message ?? ''}. Simplify the schema, describe its fields, or ask for a larger model.`;
  return new SchemaError(message, attempts, error);
}
