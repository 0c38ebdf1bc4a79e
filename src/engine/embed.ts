/** The operation that turns a batch of texts into vectors. */

import { OPERATIONS } from '../core/operations.ts';
import type { HttpRequest, HttpResponse } from '../ports.ts';
import type { TokenEstimate } from '../core/routing/question.ts';
import { MOST } from '../wire/response/answer-bounds.ts';
import type { TokenUsage } from '../wire/response/token-usage.ts';
import { readEmbedResponse, type Vector } from '../wire/response/embed-response.ts';
import { readBody } from '../wire/response/read-body.ts';
import { embedBody, type EmbedRequest, sumOfTokens } from '../wire/request/embed-body.ts';
import { Endpoint, type EndpointPorts } from './endpoint.ts';
import { type AttemptPlan, BadAnswer, type DecodeContext, type WholeOperation } from './operation.ts';

/** What the batches of one call have in common. */
export interface EmbedCall {
  readonly options: Omit<EmbedRequest, 'inputs'>;
  /** How many numbers the vectors have. The first vectors set it, and all others must match. */
  dimensions: number | undefined;
}

/** Some of a call's texts. */
export interface EmbedBatch {
  readonly call: EmbedCall;
  readonly inputs: readonly string[];
  /** One estimate per text. */
  readonly tokens: readonly TokenEstimate[];
}

/** The vectors of a batch. */
export interface EmbedPart {
  readonly vectors: readonly Vector[];
  readonly usage: TokenUsage;
}

function longestOf(lengths: readonly number[]): number {
  return lengths.reduce((most, length) => Math.max(most, length), 0);
}

/** The tokens of the longest text. */
function mostTokens(tokens: readonly TokenEstimate[]): TokenEstimate {
  return tokens.reduce((most, one) => (one.prompt > most.prompt ? one : most), {
    prompt: 0,
    least: 0,
    maxTokens: 0,
  });
}

/** The usage of an answer that reports none. */
function estimated({ tokens }: EmbedBatch): TokenUsage {
  const { prompt } = sumOfTokens(tokens);
  return { promptTokens: prompt, completionTokens: 0, totalTokens: prompt, estimated: true };
}

/** Makes the embedding operation of a pool. */
export function embedOperation(ports: EndpointPorts): WholeOperation<EmbedBatch, EmbedPart> {
  const endpoint = new Endpoint(ports, OPERATIONS.embed.path);
  return {
    name: 'embed',
    needs({ inputs, tokens, call }) {
      const lengths = inputs.map(({ length }) => length);
      return {
        size: lengths.reduce((sum, length) => sum + length, 0),
        tokens: () => sumOfTokens(tokens),
        batch: {
          inputs: inputs.length,
          longest: longestOf(lengths),
          longestTokens: () => mostTokens(tokens),
        },
        capabilities: [],
        fields: call.options.dimensions === undefined ? [] : ['dimensions'],
      };
    },
    encode({ call, inputs }: EmbedBatch, { target }: AttemptPlan): HttpRequest {
      const { model } = target.route;
      const facts = ports.providerOf(target).embeddingOf(model);
      return endpoint.request(target, embedBody({ ...call.options, inputs }, model, facts));
    },
    async read(
      response: HttpResponse,
      { plan: { target }, request, onUsage }: DecodeContext<EmbedBatch>,
    ): Promise<EmbedPart> {
      const text = await readBody(response.body, MOST.bytes);
      const { call, inputs } = request;
      const facts = ports.providerOf(target).embeddingOf(target.route.model);
      const answer = readEmbedResponse(text, {
        count: inputs.length,
        dimensions: call.dimensions ?? call.options.dimensions ?? facts.dimensions,
        scales: facts.scales === true,
      });
      if (answer.usage !== undefined) onUsage(answer.usage);
      if (!answer.ok) throw new BadAnswer(endpoint.refused(answer, response, text, target));
      const { vectors, usage = estimated(request) } = answer;
      call.dimensions = vectors[0]?.length;
      return { vectors, usage };
    },
    classify: (response, target) => endpoint.classify(response, target),
    observe: (response, target) => endpoint.observe(response, target),
    resumable: () => true,
    canDoWithout: () => false,
  };
}
