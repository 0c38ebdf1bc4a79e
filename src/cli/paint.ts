import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Applies a style to a text, unless the output has no colours. */
export type Paint = (style: Style, text: string) => string;

export interface Surface {
  readonly isTTY?: boolean | undefined;
}

/** `NO_COLOR` comes first, then `FORCE_COLOR`, which colours a pipe, too. Otherwise the kind of terminal decides. */
function isColoured({ isTTY }: Surface, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  const forced = env['FORCE_COLOR'] ?? '';
  if (forced !== '') return forced !== '0' && forced !== 'false';
  return isTTY === true && env['TERM'] !== 'dumb';
}

export function painter(surface: Surface, env: Readonly<Record<string, string | undefined>>): Paint {
  // Without validateStream, Node would decide again, and look at stdout only.
  return isColoured(surface, env)
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_style, text) => text;
}
