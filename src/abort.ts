import type { StopSignal } from './ports.ts';

/** One listener of a signal, which calls all of ours: Node warns about a leak from the eleventh on. */
class Followers {
  readonly #signal: AbortSignal;
  readonly #all = new Set<{ readonly run: () => void }>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(run: () => void): () => void {
    const follower = { run };
    if (this.#all.size === 0) this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#all.add(follower);
    return () => {
      this.#all.delete(follower);
      if (this.#all.size === 0) this.#signal.removeEventListener('abort', this.#onAbort);
    };
  }

  readonly #onAbort = (): void => {
    for (const { run } of this.#all) run();
  };
}

const followers = new WeakMap<AbortSignal, Followers>();

/** Calls `run` when `signal` aborts, but not if it has already. The function returned prevents that. */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  let known = followers.get(signal);
  if (known === undefined) {
    known = new Followers(signal);
    followers.set(signal, known);
  }
  return known.add(run);
}

/** Whether a value has all that freelm uses of an `AbortSignal`: polyfills and those of other realms do. */
export function isSignal(value: unknown): value is StopSignal {
  if (typeof value !== 'object' || value === null) return false;
  const has = (name: string, type: string): boolean => typeof Reflect.get(value, name) === type;
  return (
    has('aborted', 'boolean') && has('addEventListener', 'function') && has('removeEventListener', 'function')
  );
}

/** The signals that stand for polyfills. A polyfill gets one listener, which lasts as long as it does. */
const adopted = new WeakMap<StopSignal, AbortSignal>();

/** The signal itself, or for a polyfill a signal of this realm that aborts with it: polyfills lack a `reason`. */
export function nativeSignal(signal: StopSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  const known = adopted.get(signal);
  if (known !== undefined) return known;
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort(signal.reason);
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort);
  adopted.set(signal, controller.signal);
  return controller.signal;
}

/** Settles with `work`, or rejects with the signal's reason even if `work` ignores the signal. */
export function unlessAborted<Value>(work: Promise<Value>, caller: AbortSignal): Promise<Value> {
  const signal = nativeSignal(caller);
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      cleanUp();
      reject(signal.reason);
    };
    const cleanUp = onAbort(signal, leave);
    if (signal.aborted) leave();
    work.then(resolve, reject).then(cleanUp, cleanUp);
  });
}
