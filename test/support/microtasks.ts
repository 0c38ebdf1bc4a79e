/** Lets everything run that needs no turn of the event loop. */
export async function microtasks(): Promise<void> {
  for (let step = 0; step < 100; step += 1) await Promise.resolve();
}
