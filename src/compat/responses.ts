/** The resource `responses`. */

import type { APIPromise } from './api-promise.ts';
import { isObject } from './errors.ts';
import { type Fetch, isObjectOfType, send, sendForStream } from './exchange.ts';
import type { RequestDefaults, RequestOptions } from './options.ts';
import type * as Types from './responses-types.ts';
import type { Stream } from './stream.ts';

const isResponse = isObjectOfType<Types.Response>('response');

function isEvent(value: unknown): value is Types.ResponseStreamEvent {
  return isObject(value) && typeof value['type'] === 'string';
}

function withText(response: Types.Response): Types.Response {
  const texts = response.output.flatMap((item) =>
    item.type === 'message' ? item.content.map((part) => (part.type === 'output_text' ? part.text : '')) : [],
  );
  // In place, because the id of the request is not enumerable.
  return Object.assign(response, { output_text: texts.join('') });
}

export class Responses {
  readonly #fetch: Fetch;
  readonly #defaults: RequestDefaults;

  /** @param defaults - For requests without options of their own. */
  constructor(fetch: Fetch, defaults: RequestDefaults = {}) {
    this.#fetch = fetch;
    this.#defaults = defaults;
  }

  /**
   * Creates a response, or a stream of events if `stream` is true.
   * @throws APIError (as a rejection) with `status` and `code`. Its `cause` is the error of freelm.
   */
  create(body: Types.ResponseCreateParamsNonStreaming, options?: RequestOptions): APIPromise<Types.Response>;
  create(
    body: Types.ResponseCreateParamsStreaming,
    options?: RequestOptions,
  ): APIPromise<Stream<Types.ResponseStreamEvent>>;
  create(
    body: Types.ResponseCreateParamsBase,
    options?: RequestOptions,
  ): APIPromise<Types.Response | Stream<Types.ResponseStreamEvent>>;
  create(
    body: Types.ResponseCreateParamsBase,
    { signal, timeout = this.#defaults.timeout, maxRetries = this.#defaults.maxRetries }: RequestOptions = {},
  ): APIPromise<Types.Response | Stream<Types.ResponseStreamEvent>> {
    const request = { path: '/responses', signal, maxRetries };
    if (body.stream === true) {
      const freelm = { firstPartTimeoutMs: timeout, ...body.freelm };
      return sendForStream(this.#fetch, { ...request, body: { ...body, freelm } }, isEvent);
    }
    const freelm = { timeoutMs: timeout, ...body.freelm };
    return send(this.#fetch, { ...request, body: { ...body, freelm } }, isResponse).map(withText);
  }

  /**
   * Returns an answer of the last hour.
   * @throws NotFoundError (as a rejection) if it is not known.
   */
  retrieve(id: string, { signal }: RequestOptions = {}): APIPromise<Types.Response> {
    const path = `/responses/${encodeURIComponent(id)}`;
    return send(this.#fetch, { path, signal }, isResponse).map(withText);
  }
}
