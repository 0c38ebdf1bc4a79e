/** What the reader asks about its consumer. */
interface StopCheck {
  readonly aborted: boolean;
}

/**
 * Hands out the items of batches one by one. An async generator takes four promises for each item, which costs as much as
 * reading it from the body. Behaves like one in all other respects.
 */
export class ItemReader<Item> implements AsyncGenerator<Item, void, undefined> {
  readonly #batches: AsyncGenerator<readonly Item[], void, undefined>;
  readonly #stop: StopCheck;
  /** What is left of the last batch. */
  #items: Iterator<Item> = [].values();
  /** The request for the next batch that is under way. */
  #fetching: Promise<IteratorResult<Item, void>> | undefined;
  #hasLeft = false;

  /** @param stop - Once it has aborted, no item of a batch is handed out any more. */
  constructor(batches: AsyncGenerator<readonly Item[], void, undefined>, stop: StopCheck) {
    this.#batches = batches;
    this.#stop = stop;
  }

  next(): Promise<IteratorResult<Item, void>> {
    if (this.#fetching !== undefined) return this.#inTurn(this.#fetching, () => this.next());
    if (!this.#hasLeft && !this.#stop.aborted) {
      const item = this.#items.next();
      if (item.done !== true) return Promise.resolve(item);
    }
    const fetching = this.#fetch();
    this.#fetching = fetching;
    return fetching;
  }

  return(): Promise<IteratorResult<Item, void>> {
    if (this.#fetching !== undefined) return this.#inTurn(this.#fetching, () => this.return());
    this.#hasLeft = true;
    return this.#batches.return().then(() => ({ done: true, value: undefined }));
  }

  throw(error: unknown): Promise<IteratorResult<Item, void>> {
    if (this.#fetching !== undefined) return this.#inTurn(this.#fetching, () => this.throw(error));
    this.#hasLeft = true;
    return this.#batches.throw(error).then(() => ({ done: true, value: undefined }));
  }

  /** Calls that do not wait for one another are carried out in their order. */
  #inTurn(
    fetching: Promise<unknown>,
    call: () => Promise<IteratorResult<Item, void>>,
  ): Promise<IteratorResult<Item, void>> {
    return fetching.then(call, call);
  }

  async #fetch(): Promise<IteratorResult<Item, void>> {
    try {
      for (;;) {
        const batch = await this.#batches.next();
        if (batch.done === true) return batch;
        this.#items = batch.value.values();
        const item = this.#items.next();
        if (item.done !== true) return item;
      }
    } finally {
      this.#fetching = undefined;
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
