/** The store of one process: it answers at once, and forgets when the process ends. */

import type { StateStore, Versioned } from '../ports.ts';

const NOTHING: Versioned = { version: 0, value: undefined };

/** A store in memory. Its values are kept as they are, not copied: records are never changed in place. */
export function memoryStore(): StateStore {
  const records = new Map<string, Versioned>();
  return {
    read: (ids) => ids.map((id) => records.get(id) ?? NOTHING),
    swap: (id, expectedVersion, next) => {
      const { version } = records.get(id) ?? NOTHING;
      if (version !== expectedVersion) return false;
      records.set(id, { version: version + 1, value: next });
      return true;
    },
  };
}
