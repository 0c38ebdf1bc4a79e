/** What is known of embedding models. */

/** What a text is for. Some models give other vectors to a question than to a text in which answers are looked for. */
export type InputType = 'query' | 'document';

/** What is known of an embedding model. An absent member is not known. */
export interface EmbeddingFacts {
  /**
   * The name of its weights. Models with the same name give the same vectors, so that one can take another's place. Absent:
   * no other model can.
   */
  readonly family?: string | undefined;
  /** How many numbers its vectors have, unless a request asks for fewer. */
  readonly dimensions?: number | undefined;
  /** The smaller numbers that a request may ask for; `any`, or a list. Absent: none, if `dimensions` is known. */
  readonly shorter?: 'any' | readonly number[] | undefined;
  /** The most texts of one request. */
  readonly maxInputs?: number | undefined;
  /** The most tokens of one request, over all its texts. */
  readonly maxTokens?: number | undefined;
  /** The values of the field `input_type`, which the model needs. */
  readonly inputTypes?: Readonly<Record<InputType, string>> | undefined;
  /** Whether freelm scales the vectors to length 1, because the provider may not. Default false. */
  readonly scales?: boolean | undefined;
}

/** The name of a model's weights. Two models of the same name give the same vectors. */
export function weightsOf(id: string, { family = id }: EmbeddingFacts): string {
  return family;
}

/** Whether a model may give vectors of so many numbers, as far as is known. */
// spec 17.3
export function mayGive({ dimensions, shorter = [] }: EmbeddingFacts, asked: number | undefined): boolean {
  if (asked === undefined || dimensions === undefined || asked === dimensions) return true;
  return asked < dimensions && (shorter === 'any' || shorter.includes(asked));
}
