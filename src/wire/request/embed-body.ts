import type { EmbeddingFacts, InputType } from '../../core/embedding.ts';
import type { TokenEstimate } from '../../core/routing/question.ts';
import { wellFormedJson } from './sound-request.ts';
import { countText } from './text-tokens.ts';

/** A batch of texts, and what its request says of them. */
export interface EmbedRequest {
  readonly inputs: readonly string[];
  /** The number of dimensions that the caller asks for. */
  readonly dimensions?: number | undefined;
  /** Default `document`. Only sent to models that need it. */
  readonly inputType?: InputType | undefined;
}

/** The tokens of one text, estimated. The answer costs none. */
export function textTokens(text: string): TokenEstimate {
  const { likely, least } = countText(text);
  return { prompt: Math.max(1, Math.ceil(likely)), least: Math.floor(least), maxTokens: 0 };
}

/** The tokens of several texts. */
export function sumOfTokens(estimates: readonly TokenEstimate[]): TokenEstimate {
  let prompt = 0;
  let least = 0;
  for (const one of estimates) {
    prompt += one.prompt;
    least += one.least;
  }
  return { prompt, least, maxTokens: 0 };
}

/** Writes the body of a request for one model. */
// spec 17.6
export function embedBody(
  { inputs, dimensions, inputType = 'document' }: EmbedRequest,
  model: string,
  facts: EmbeddingFacts,
): string {
  const { inputTypes } = facts;
  const body = {
    model,
    input: inputs,
    // A model that gives no other number refuses the field, even if it names its own.
    ...(dimensions === undefined || dimensions === facts.dimensions ? {} : { dimensions }),
    ...(inputTypes === undefined ? {} : { input_type: inputTypes[inputType] }),
  };
  return wellFormedJson(JSON.stringify(body));
}
