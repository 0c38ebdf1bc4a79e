/**
 * env-paths asks for the user's home when it is imported. It throws if there is none, e.g. for a user without an entry
 * in the system's list of users, and freelm could not be loaded. Therefore this module is imported first. If there is
 * no home, it replaces `os.homedir` until env-paths has asked. A lazy import would not help: `health()` of a fresh
 * process needs the folder at once.
 */

import os from 'node:os';

const { homedir } = os;

function hasHome(): boolean {
  try {
    homedir();
    return true;
  } catch {
    return false;
  }
}

if (!hasHome()) Reflect.set(os, 'homedir', () => '');

/** Must be called once env-paths is imported. */
export function restoreHomedir(): void {
  if (os.homedir !== homedir) Reflect.set(os, 'homedir', homedir);
}
