import type { ModelCache } from '../../src/ports.ts';

/** A model cache that lasts as long as the test. Values are kept as JSON text, as on disk: readers get copies. */
export function memoryCache(): ModelCache {
  const texts = new Map<string, string>();
  return {
    async read(id) {
      const value: unknown = JSON.parse(texts.get(id) ?? 'null');
      return value ?? undefined;
    },
    async write(id, value) {
      try {
        texts.set(id, JSON.stringify(value));
      } catch {
        // A value without JSON text is not kept, as on disk.
      }
    },
  };
}
