/** What a promise rejects with, caught at once, so that it can be looked at later. */

/** Resolves with the reason; rejects when there is none. */
export function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('it did not reject');
    },
    (reason: unknown) => reason,
  );
}

/** The error that a promise rejects with, or a function throws. */
export async function errorOf(work: Promise<unknown> | (() => unknown)): Promise<Error> {
  const reason = await rejection(typeof work === 'function' ? Promise.resolve().then(work) : work);
  if (reason instanceof Error) return reason;
  throw new Error(`it rejected with ${String(reason)}, which is no error`);
}
