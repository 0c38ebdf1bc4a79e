/** Splits an answer into the tokens of a stream. */

import { toolCallsOf, type Completion } from './completion.ts';

/** A fragment of a tool call. The first one has its name, the others add to its arguments. */
export type CallFragment = {
  readonly index: number;
  readonly id?: string;
  readonly type?: 'function';
  readonly function: { readonly name?: string; readonly arguments: string };
};

const FRAGMENT = /.{1,8}/gsu;

/** Words, each with the white space before it. Joined, they are the text. */
export function tokensOf(text: string | null | undefined): readonly string[] {
  return text?.match(/\s*\S+|\s+/g) ?? [];
}

/**
 * The tool calls as most providers stream them: a name with empty arguments, then the arguments in fragments of up to
 * eight characters. `idOf` generates missing ids.
 */
export function callFragmentsOf(completion: Completion, idOf: (index: number) => string): CallFragment[] {
  return toolCallsOf(completion, idOf).flatMap(({ id, type, function: { name, arguments: text } }, index) => [
    { index, id, type, function: { name, arguments: '' } },
    ...(text.match(FRAGMENT) ?? []).map((fragment) => ({ index, function: { arguments: fragment } })),
  ]);
}
