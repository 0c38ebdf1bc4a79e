/** Models and embeddings, as OpenAI's SDK types them. */

/** The name of a model: any. */
export type ChatModel = string;
export type EmbeddingModel = string;

/** A model of the pool: virtual or concrete. */
export interface Model {
  id: string;
  object: 'model';
  /** Seconds since the epoch. */
  created: number;
  /** The provider, or `freelm` of a virtual model. */
  owned_by: string;
  /** In tokens, where it is known. */
  context_length?: number;
  /** Not enumerable. */
  _request_id?: string | null;
}

export interface EmbeddingCreateParams {
  input: string | Array<string> | Array<number> | Array<Array<number>>;
  model: string;
  dimensions?: number | undefined;
  encoding_format?: 'float' | 'base64' | undefined;
  user?: string | undefined;
}

export interface Embedding {
  object: 'embedding';
  index: number;
  embedding: Array<number>;
}

export interface CreateEmbeddingResponse {
  object: 'list';
  data: Array<Embedding>;
  model: string;
  usage: CreateEmbeddingResponse.Usage;
  /** Not enumerable. */
  _request_id?: string | null;
}

export declare namespace CreateEmbeddingResponse {
  interface Usage {
    prompt_tokens: number;
    total_tokens: number;
  }
}
