/** Reasoning that a model writes at the beginning of its text. */

const START = /^\s*<think(?:ing)?>/;
const END = /<\/think(?:ing)?>/;

/** The length of the reasoning at the beginning of a text: 0 if it has none, `undefined` while it has not ended. */
export function thoughtsLength(text: string): number | undefined {
  if (!START.test(text)) return 0;
  const end = END.exec(text);
  return end === null ? undefined : end.index + end[0].length;
}
