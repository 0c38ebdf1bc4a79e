/** Reads the images of a request that a provider would not fetch. */

import type { Failure } from '../core/failure.ts';
import { onAbort } from '../abort.ts';
import { dataUrlOf } from '../adapters/data-url.ts';
import type { Clock, ImageSource } from '../ports.ts';
import { IMAGE } from '../wire/images/fetch-step.ts';
import type { RemoteImages } from '../wire/request/remote-images.ts';
import type { PrepareContext } from './operation.ts';

export interface ImagePorts {
  readonly clock: Clock;
  readonly images: ImageSource;
}

/** The failure of a route to which the images cannot be sent. Nothing is learnt from it. */
function failureFor(problem: string): Failure {
  const advice = 'Check the URL, or pass the image itself';
  return { kind: 'unsupported', scope: 'model', message: problem, advice };
}

/**
 * Reads images, unless an earlier attempt tried to.
 * @returns The failure if one of them cannot be read.
 * @throws the signal's reason if the caller aborts.
 */
// spec 12.16
export async function readImages(
  images: RemoteImages,
  { clock, images: source }: ImagePorts,
  { signal, deadline }: PrepareContext,
): Promise<Failure | undefined> {
  if (images.problem !== undefined) return failureFor(images.problem);
  const stop = new AbortController();
  const limitMs = Math.max(1, Math.min(IMAGE.timeoutMs, deadline - clock.monotonicMs()));
  const cancel = clock.after(limitMs, () => stop.abort(new Error(`not read within ${limitMs} ms`)));
  const follow = signal === undefined ? undefined : onAbort(signal, () => stop.abort(signal.reason));
  try {
    const read = await source.fetch(images.urls, stop.signal);
    images.put(read.map(dataUrlOf));
    return images.problem === undefined ? undefined : failureFor(images.problem);
  } catch (error) {
    signal?.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    images.fail(stop.signal.aborted ? `the images by URL were ${message}` : message);
    return failureFor(images.problem ?? message);
  } finally {
    cancel();
    follow?.();
  }
}
