/** Colours for people at a terminal; plain text for everything else. */

import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Writes a text in a style, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/** What decides about colours. */
export interface Surface {
  readonly isTTY?: boolean | undefined;
}

/** `NO_COLOR` settles it; then `FORCE_COLOR`, which also colours a pipe; then what the terminal is. */
function isColoured({ isTTY }: Surface, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  const forced = env['FORCE_COLOR'] ?? '';
  if (forced !== '') return forced !== '0' && forced !== 'false';
  return isTTY === true && env['TERM'] !== 'dumb';
}

/** The paint for what is written to `surface`. */
export function painter(surface: Surface, env: Readonly<Record<string, string | undefined>>): Paint {
  // Node's own idea of the terminal is passed over: it was decided here, for the stream that is written to.
  return isColoured(surface, env)
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_style, text) => text;
}
