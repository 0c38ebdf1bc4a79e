/** Masks a key: `sk-or-v1-…` becomes `sk-or-…9f2c`. Of a short key, only the last character is left. */
export function maskKey(key: string): string {
  if (key.length < 16) return `…${key.slice(-1)}`;
  return `${key.slice(0, 6)}…${key.slice(-4)}`;
}
