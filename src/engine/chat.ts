/** The chat operation: one request, one whole answer. */

import type { Failure } from '../core/failure.ts';
import type { Target } from '../core/routing/question.ts';
import type { ModelRecord } from '../core/records/provider.ts';
import type { TokensUsed } from '../core/ledger/settle-limits.ts';
import { classify, classifyAnswer } from '../providers/refusals/classify.ts';
import { readObservations } from '../providers/refusals/quota-headers.ts';
import type { Provider } from '../providers/provider.ts';
import type { Clock, HttpRequest, HttpResponse } from '../ports.ts';
import {
  type ChatCompletion,
  readChatResponse,
  type RefusedAnswer,
  type TokenUsage,
} from '../wire/response/chat-response.ts';
import type { BodyOptions, ChatBody } from '../wire/request/chat-body.ts';
import { capabilitiesOf, requiredFieldsOf } from '../wire/request/chat-request.ts';
import { readBody } from '../wire/response/read-body.ts';
import { type Asked, BadAnswer, type Operation } from './operation.ts';

/** What the chat operation needs of the pool. */
export interface ChatOperationPorts {
  readonly clock: Clock;
  readonly userAgent: string;
  providerOf(target: Target): Provider;
  /** Takes keys out of what a provider said, before any of it is cut short. */
  redact(text: string): string;
}

/** An answer of a million tokens is smaller. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
const MAX_REFUSAL_BYTES = 1024 * 1024;

/** A refusal's body, as much of it as arrives: its status alone already means something. */
async function readRefusal(response: HttpResponse): Promise<string> {
  try {
    return await readBody(response.body, MAX_REFUSAL_BYTES);
  } catch {
    return '';
  }
}

/** A refused answer without keys; `body` is what it was read from, redacted. */
export function withoutKeys(refused: RefusedAnswer, body: string, ports: ChatOperationPorts): RefusedAnswer {
  // Of a page only a part is read, which may end within a key.
  const again = refused.problem === 'html' ? readChatResponse(body) : refused;
  const said = again.ok ? refused : again;
  return { ...said, message: ports.redact(said.message) };
}

/** How a request is written for one of a provider's models. */
function wayOf(
  { spec }: Provider,
  { model }: Target,
  known: ModelRecord,
  maxTokens: number | undefined,
): BodyOptions {
  const { maxOutput } = model;
  return { shape: spec.request, drop: known.refuses, lacks: known.lacks, maxTokens, maxOutput };
}

/** What meters count of an answer's tokens; 0 is what was not told. */
export function tokensUsed({ promptTokens, totalTokens }: TokenUsage, before?: TokenUsage): TokensUsed {
  const input = promptTokens - (before?.promptTokens ?? 0);
  const total = totalTokens - (before?.totalTokens ?? 0);
  return { input: input > 0 ? input : undefined, total: total > 0 ? total : undefined };
}

/** Makes the chat operation of a pool. */
export function chatOperation(ports: ChatOperationPorts): Operation<ChatBody, ChatCompletion> {
  return {
    needs: (body) => ({
      size: body.size,
      tokens: () => body.tokens,
      capabilities: capabilitiesOf(body.request),
      fields: requiredFieldsOf(body.request),
    }),
    encode(body: ChatBody, target: Target, known: ModelRecord, maxTokens: number | undefined): HttpRequest {
      const provider = ports.providerOf(target);
      return {
        method: 'POST',
        url: `${provider.baseUrl}/chat/completions`,
        headers: {
          'user-agent': ports.userAgent,
          accept: 'application/json',
          ...provider.headersFor(target.route.keyId),
          'content-type': 'application/json',
        },
        body: body.for(target.route.model, wayOf(provider, target, known, maxTokens)),
      };
    },
    async *decode(response: HttpResponse, { target }: Asked<ChatBody>): AsyncGenerator<ChatCompletion> {
      const text = await readBody(response.body, MAX_ANSWER_BYTES);
      const answer = readChatResponse(text);
      if (answer.ok) {
        yield answer.completion;
        return;
      }
      const given = { spec: ports.providerOf(target).spec, now: ports.clock.now() };
      const body = ports.redact(text.slice(0, MAX_REFUSAL_BYTES));
      const reply = { status: response.status, headers: response.headers, body };
      throw new BadAnswer(classifyAnswer(withoutKeys(answer, body, ports), reply, given));
    },
    async classify(response: HttpResponse, target: Target): Promise<Failure> {
      const { status, headers } = response;
      const body = ports.redact(await readRefusal(response));
      return classify(
        { status, headers, body, redact: (text) => ports.redact(text) },
        ports.providerOf(target).spec,
        ports.clock.now(),
      );
    },
    observe: ({ headers }, target) =>
      readObservations(headers, ports.providerOf(target).spec.quotaHeaders ?? [], ports.clock.now()),
    tokensOf: ({ usage }) => usage && tokensUsed(usage),
    resumable: () => true,
    canDoWithout: (body, refused, { target, known }) =>
      body.canDoWithout(refused, wayOf(ports.providerOf(target), target, known, undefined)),
  };
}
