/**
 * A promise of an answer that also gives access to the HTTP response. The request is sent at once. The body is read when
 * the promise is first awaited.
 */
export class APIPromise<T> extends Promise<T> {
  readonly #response: Promise<Response>;
  readonly #read: (response: Response) => Promise<T> | T;
  #answer: Promise<T> | undefined;

  /** `then()` returns a plain promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /** @param read - Called once, when the promise is first awaited. */
  constructor(response: Promise<Response>, read: (response: Response) => Promise<T> | T) {
    // The inherited promise is never used: then(), catch() and finally() below use the answer.
    super(() => undefined);
    this.#response = response;
    this.#read = read;
  }

  /** The HTTP response. Its body is unread. */
  asResponse(): Promise<Response> {
    return this.#response;
  }

  /** The answer and the HTTP response. The body is already read, or belongs to the stream in `data`. */
  async withResponse(): Promise<{ data: T; response: Response; request_id: string | null }> {
    const [data, response] = await Promise.all([this.#parse(), this.#response]);
    return { data, response, request_id: response.headers.get('x-request-id') };
  }

  /** The same with another answer, which is made from this one. */
  map<Other>(make: (answer: T) => Other): APIPromise<Other> {
    return new APIPromise(this.#response, async () => make(await this.#parse()));
  }

  #parse(): Promise<T> {
    this.#answer ??= this.#response.then(this.#read);
    return this.#answer;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- this class is a promise
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
