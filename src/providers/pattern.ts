/** The patterns of the data files: regular expressions and globs, each compiled once. */

function compiledOnce(toRegExp: (source: string) => RegExp): (source: string) => RegExp {
  const compiled = new Map<string, RegExp>();
  return (source) => {
    let pattern = compiled.get(source);
    if (pattern === undefined) {
      pattern = toRegExp(source);
      compiled.set(source, pattern);
    }
    return pattern;
  };
}

/** A case-insensitive regular expression. */
export const patternOf: (source: string) => RegExp = compiledOnce((source) => new RegExp(source, 'i'));

const globOf = compiledOnce((glob) => {
  const parts = glob.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 'i');
});

/** Whether a model id matches a glob, ignoring case; `*` matches any run of characters. */
export function matchesGlob(glob: string, id: string): boolean {
  return globOf(glob).test(id);
}
