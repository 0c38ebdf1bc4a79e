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

/** Settles with `work`, or rejects with the signal's reason even if `work` ignores the signal. */
export function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      reject(signal.reason);
    };
    if (signal.aborted) leave();
    const cleanUp = onAbort(signal, leave);
    work.then(resolve, reject).then(cleanUp, cleanUp);
  });
}
