/** Colours for people at a terminal; plain text for everything else. */

import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Writes a text in a style, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/** What decides about colours. */
export interface Surface {
  readonly isTTY?: boolean | undefined;
}

/** Colours only on a terminal, and never against `NO_COLOR` or on a terminal that has none. */
export function painter(stream: Surface, env: Readonly<Record<string, string | undefined>>): Paint {
  const plain = stream.isTTY !== true || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  // Node's own idea of the terminal is passed over: it was decided here, for the stream that is written to.
  return plain ? (_style, text) => text : (style, text) => styleText(style, text, { validateStream: false });
}
