/** A promise of an answer that can also hand out the HTTP response behind it. */

/**
 * What every method of the client returns: a promise of the answer. The request is sent at once; its body is read when
 * somebody waits for the answer.
 */
export class APIPromise<T> extends Promise<T> {
  readonly #response: Promise<Response>;
  readonly #read: (response: Response) => Promise<T> | T;
  #answer: Promise<T> | undefined;

  /** What `then()` makes is a plain promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** @param read - Called once, when the answer is first waited for. */
  constructor(response: Promise<Response>, read: (response: Response) => Promise<T> | T) {
    // The promise that this is by inheritance is never looked at: all three methods below go to the answer.
    super(() => undefined);
    this.#response = response;
    this.#read = read;
  }

  /** The HTTP response, its body unread. */
  asResponse(): Promise<Response> {
    return this.#response;
  }

  /** The answer and the HTTP response, whose body has been read then, or is being read where it is a stream. */
  async withResponse(): Promise<{ data: T; response: Response; request_id: string | null }> {
    const [data, response] = await Promise.all([this.#parse(), this.#response]);
    return { data, response, request_id: response.headers.get('x-request-id') };
  }

  #parse(): Promise<T> {
    this.#answer ??= this.#response.then(this.#read);
    return this.#answer;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise
  override then<Result1 = T, Result2 = never>(
    onfulfilled?: ((value: T) => Result1 | PromiseLike<Result1>) | null,
    onrejected?: ((reason: unknown) => Result2 | PromiseLike<Result2>) | null,
  ): Promise<Result1 | Result2> {
    return this.#parse().then(onfulfilled, onrejected);
  }

  override catch<Result = never>(
    onrejected?: ((reason: unknown) => Result | PromiseLike<Result>) | null,
  ): Promise<T | Result> {
    return this.#parse().catch(onrejected);
  }

  override finally(onfinally?: (() => void) | null): Promise<T> {
    return this.#parse().finally(onfinally);
  }
}
