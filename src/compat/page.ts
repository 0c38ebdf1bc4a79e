/** A list of models, as OpenAI's SDK hands it out: in pages, of which there is one. */

import { APIPromise } from './api-promise.ts';
import { OpenAIError } from './errors.ts';
import type { Model } from './chat-results.ts';

/** The body of a list. */
export interface ListBody<Item> {
  object: 'list';
  data: Array<Item>;
}

/** A page: iterate it, or take its `data`. */
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

  /** @throws OpenAIError always: there is no next page. */
  async getNextPage(): Promise<this> {
    throw new OpenAIError('There is no next page: all models are on the first. Ask hasNextPage() before.');
  }

  async *iterPages(): AsyncGenerator<this> {
    yield this;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    yield* this.data;
  }
}

/** A page of models. */
export type ModelsPage = Page<Model>;

/** A promise of a page that can be iterated without being awaited. */
export class PagePromise<Item> extends APIPromise<Page<Item>> implements AsyncIterable<Item> {
  constructor(response: Promise<Response>, read: (response: Response) => Promise<ListBody<Item>>) {
    super(response, async (head) => new Page(await read(head)));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    const { data } = await this;
    yield* data;
  }
}
