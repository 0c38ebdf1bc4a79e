/** Pages of a list, as in OpenAI's SDK. A list of freelm has exactly one page. */

import { APIPromise } from './api-promise.ts';
import { OpenAIError } from './errors.ts';

/** The body of a list response. */
export interface ListBody<Item> {
  object: 'list';
  data: Array<Item>;
}

/** A page of a list. Iterate over it, or use its `data`. */
export class Page<Item> implements AsyncIterable<Item> {
  readonly object: string;
  readonly data: Array<Item>;

  constructor({ object, data }: ListBody<Item>) {
    this.object = object;
    this.data = data;
  }

  getPaginatedItems(): Array<Item> {
    return this.data;
  }

  /** Always false. */
  hasNextPage(): boolean {
    return false;
  }

  /** @throws OpenAIError (as a rejection) always, because there is no next page. */
  async getNextPage(): Promise<this> {
    throw new OpenAIError('There is no next page: the first page has all models. Check hasNextPage() first.');
  }

  async *iterPages(): AsyncGenerator<this> {
    yield this;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    yield* this.data;
  }
}

/** A promise of a page. Can be iterated without `await`. */
export class PagePromise<Item> extends APIPromise<Page<Item>> implements AsyncIterable<Item> {
  constructor(response: Promise<Response>, read: (response: Response) => Promise<ListBody<Item>>) {
    super(response, async (head) => new Page(await read(head)));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    const { data } = await this;
    yield* data;
  }
}
