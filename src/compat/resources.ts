/** The resources `models` and `embeddings`. */

import type { APIPromise } from './api-promise.ts';
import { type Fetch, isObjectOfType, send, sendForPage } from './exchange.ts';
import type { FreeLLMCallOptions, RequestDefaults, RequestOptions } from './options.ts';
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

/** Fields that freelm accepts in addition to OpenAI's. */
interface ExtraFields {
  /** An embedding model. @defaultValue the pool's own, which stays the same */
  model?: string | undefined;
  /** What the texts are for; only some models distinguish it. @defaultValue 'document' */
  input_type?: 'query' | 'document' | undefined;
  freelm?:
    | Pick<FreeLLMCallOptions, 'timeoutMs' | 'attemptTimeoutMs' | 'maxAttempts' | 'wait' | 'maxWaitMs'>
    | undefined;
}

export class Embeddings {
  readonly #fetch: Fetch;
  readonly #defaults: RequestDefaults;

  /** @param defaults - For requests without options of their own. */
  constructor(fetch: Fetch, defaults: RequestDefaults = {}) {
    this.#fetch = fetch;
    this.#defaults = defaults;
  }

  /**
   * Turns texts into vectors, all with one model. The answer's `model` names it.
   * @throws APIError (as a rejection) with `status` and `code`. Its `cause` is the error of freelm.
   */
  create(
    body: Omit<EmbeddingCreateParams, 'model'> & ExtraFields,
    { signal, timeout = this.#defaults.timeout, maxRetries = this.#defaults.maxRetries }: RequestOptions = {},
  ): APIPromise<CreateEmbeddingResponse> {
    const freelm = { timeoutMs: timeout, ...body.freelm };
    return send(
      this.#fetch,
      { path: '/embeddings', body: { ...body, freelm }, signal, maxRetries },
      isEmbeddingList,
    );
  }
}

export declare namespace Models {
  export { type Model, type ModelsPage };
}

export declare namespace Embeddings {
  export { type CreateEmbeddingResponse, type Embedding, type EmbeddingCreateParams, type EmbeddingModel };
}
