/** The resources `models` and `embeddings`. */

import type { APIPromise } from './api-promise.ts';
import { type Fetch, isObjectOfType, send, sendForPage } from './exchange.ts';
import type { RequestOptions } from './options.ts';
import type { ListBody, PagePromise } from './page.ts';
import type {
  CreateEmbeddingResponse,
  Embedding,
  EmbeddingCreateParams,
  EmbeddingModel,
  Model,
  ModelsPage,
} from './shared-types.ts';

const isModel = isObjectOfType<Model>('model');
const isModelList = isObjectOfType<ListBody<Model>>('list');
const isEmbeddingList = isObjectOfType<CreateEmbeddingResponse>('list');

export class Models {
  readonly #fetch: Fetch;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  /** Lists all models of the pool, virtual models first. */
  list({ signal }: RequestOptions = {}): PagePromise<Model> {
    return sendForPage(this.#fetch, { path: '/models', signal }, isModelList);
  }

  /**
   * Returns one model.
   * @throws NotFoundError (as a rejection) if the pool has no model of that name.
   */
  retrieve(model: string, { signal }: RequestOptions = {}): APIPromise<Model> {
    // Half a character cannot be written into a URL.
    const name = encodeURIComponent(model.replaceAll(/\p{Cs}/gu, '\ufffd'));
    return send(this.#fetch, { path: `/models/${name}`, signal }, isModel);
  }
}

export class Embeddings {
  readonly #fetch: Fetch;

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  /** @throws InternalServerError (as a rejection) with the status 501: freelm has no embeddings yet. */
  create(body: EmbeddingCreateParams, { signal }: RequestOptions = {}): APIPromise<CreateEmbeddingResponse> {
    return send(this.#fetch, { path: '/embeddings', body, signal }, isEmbeddingList);
  }
}

export declare namespace Models {
  export { type Model, type ModelsPage };
}

export declare namespace Embeddings {
  export { type CreateEmbeddingResponse, type Embedding, type EmbeddingCreateParams, type EmbeddingModel };
}
