/** How a key is shown: enough to tell it from others, too little to use it. */

/** `sk-or-v1-…` becomes `sk-or-…9f2c`; nothing of a short key is shown but its last character. */
export function maskKey(key: string): string {
  if (key.length < 16) return `…${key.slice(-1)}`;
  return `${key.slice(0, 6)}…${key.slice(-4)}`;
}
