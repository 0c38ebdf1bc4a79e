/** Globs over model ids: `*` stands for any run of characters. */

const compiled = new Map<string, RegExp>();

/** Whether `id` matches `glob`, whatever the case. */
export function matchesGlob(glob: string, id: string): boolean {
  let pattern = compiled.get(glob);
  if (pattern === undefined) {
    const source = glob.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
    pattern = new RegExp(`^${source.join('.*')}$`, 'i');
    compiled.set(glob, pattern);
  }
  return pattern.test(id);
}
