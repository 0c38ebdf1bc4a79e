/** Values of environment variables and keys as people paste them. */

/** Zero-width characters, byte order marks and soft hyphens, which copying from a page brings along. */
const INVISIBLE = /[\u00AD\u200B-\u200F\u2060\uFEFF]/g;
/** White space and quotes; also `\n` as two characters, since `docker --env-file` takes every value literally. */
const AROUND = /^[\s"'`“”‘’]+|(?:[\s"'`“”‘’]|\\[nrt])+$/g;

/** A value without the quotes, white space and invisible characters around it. No setting of freelm needs them. */
// spec 15.4
export function tidySetting(value: string): string {
  return value.replaceAll(INVISIBLE, '').replaceAll(AROUND, '');
}

/** The value of a variable; undefined if it is empty. */
export function settingIn(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): string | undefined {
  const value = tidySetting(env[name] ?? '');
  return value === '' ? undefined : value;
}
