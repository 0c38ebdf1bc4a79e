/** What the agents of the corpus share. */

import { elementsOf, isJsonObject, type JsonObject } from '../../../src/core/json.ts';
import type { Step, ToolOutput } from './sessions.ts';

/** What an agent reads in an answer. */
export type Heard = Step['reply'];

/** One agent with its session. It remembers the conversation as its protocol has it. */
export interface AgentClient {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The tools in its requests that only the service has for which it was made. */
  readonly leftOut: readonly string[];
  /** The next request. */
  ask(step: Step): JsonObject;
  hear(answer: JsonObject): Heard;
  /** The events of a stream as the whole answer that they tell of. */
  assemble(events: readonly JsonObject[]): JsonObject;
}

/** A call that waits for its output. */
export interface Called {
  readonly id: unknown;
}

export type Answered = readonly [id: unknown, output: ToolOutput];

export function objectsIn(value: unknown): readonly JsonObject[] {
  return elementsOf(value).filter(isJsonObject);
}

/** A text, or an empty one for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function textsIn(parts: readonly JsonObject[], name: string): string {
  return parts.map((part) => textOf(part[name])).join('');
}

/** An object from its JSON. */
export function parsed(text: unknown): JsonObject {
  const value: unknown = JSON.parse(textOf(text));
  if (isJsonObject(value)) return value;
  throw new Error('The JSON is no object.');
}

/** Pairs each output with the call that it answers. */
export function paired(calls: readonly Called[], outputs: readonly ToolOutput[]): readonly Answered[] {
  if (calls.length !== outputs.length) throw new Error(`${calls.length} calls, ${outputs.length} outputs`);
  return outputs.map((output, index) => [calls[index]?.id, output]);
}

export function pngUrl(base64: string): string {
  return `data:image/png;base64,${base64}`;
}
