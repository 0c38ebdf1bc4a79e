/** Settles with `work`, or rejects with the signal's reason even if `work` ignores the signal. */
export function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason);
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const cleanUp = (): void => {
      signal.removeEventListener('abort', onAbort);
    };
    work.then(resolve, reject).then(cleanUp, cleanUp);
  });
}
