/** Rows under a heading, in columns as wide as they need to be. */

import { stripVTControlCharacters } from 'node:util';

/** How wide a text is on a terminal, colours apart. */
function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** Lines of a table; every row has as many cells as the heading. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = heading.map((title, column) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd();
  return [line(heading), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)];
}
