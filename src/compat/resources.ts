/** Models and embeddings. */

import type { APIPromise } from './api-promise.ts';
import { ask, askList, type Fetch, kind } from './exchange.ts';
import type { RequestOptions } from './options.ts';
import type { ListBody, PagePromise } from './page.ts';
import type {
  CreateEmbeddingResponse,
  Embedding,
  EmbeddingCreateParams,
  EmbeddingModel,
  Model,
  ModelsPage,
} from './types.ts';

const isModel = kind<Model>('model');
const isModels = kind<ListBody<Model>>('list');
const isEmbeddings = kind<CreateEmbeddingResponse>('list');

export class Models {
  readonly #fetch: Fetch;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  /** All models of the pool: the virtual ones first. */
  list({ signal }: RequestOptions = {}): PagePromise<Model> {
    return askList(this.#fetch, { path: '/models', signal }, isModels);
  }

  /** One model; a `NotFoundError` where the pool has none of that name. */
  retrieve(model: string, { signal }: RequestOptions = {}): APIPromise<Model> {
    return ask(this.#fetch, { path: `/models/${encodeURIComponent(model)}`, signal }, isModel);
  }
}

export class Embeddings {
  readonly #fetch: Fetch;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  create(body: EmbeddingCreateParams, { signal }: RequestOptions = {}): APIPromise<CreateEmbeddingResponse> {
    return ask(this.#fetch, { path: '/embeddings', body, signal }, isEmbeddings);
  }
}

export declare namespace Models {
  export { type Model, type ModelsPage };
}

export declare namespace Embeddings {
  export { type CreateEmbeddingResponse, type Embedding, type EmbeddingCreateParams, type EmbeddingModel };
}
