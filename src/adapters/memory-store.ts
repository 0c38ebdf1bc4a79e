import type { StateStore, Versioned } from '../ports.ts';

const NOTHING: Versioned = { version: 0, value: undefined };

/** A synchronous store that lasts as long as the process. It does not copy values: records are never changed in place. */
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
