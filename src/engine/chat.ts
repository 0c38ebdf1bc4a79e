import type { Failure } from '../core/failure.ts';
import { parseJson } from '../core/json.ts';
import type { Target } from '../core/routing/question.ts';
import { classify, classifyAnswer } from '../providers/refusals/classify.ts';
import { readObservations } from '../providers/refusals/quota-headers.ts';
import type { Provider } from '../providers/provider.ts';
import type { Clock, HttpRequest, HttpResponse } from '../ports.ts';
import {
  type ChatCompletion,
  readChatResponse,
  readUsage,
  type RefusedAnswer,
  type ToolCallIds,
} from '../wire/response/chat-response.ts';
import type { BodyOptions, ChatBody } from '../wire/request/chat-body.ts';
import { mapSame } from '../wire/request/copy-on-change.ts';
import { capabilitiesOf, requiredFieldsOf } from '../wire/request/chat-request.ts';
import { readBody } from '../wire/response/read-body.ts';
import { type AttemptPlan, BadAnswer, type DecodeContext, type Operation } from './operation.ts';

export interface ChatOperationPorts {
  readonly clock: Clock;
  readonly userAgent: string;
  providerOf(target: Target): Provider;
  /** Ids for the tool calls of one answer, unlike those of any other answer. */
  toolCallIds(): ToolCallIds;
  /** Removes keys from a provider's text. Must run before the text is cut: half a key would not be recognised. */
  redact(text: string): string;
}

/** More than an answer of a million tokens. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
const MAX_REFUSAL_BYTES = 1024 * 1024;

/** Reads a refusal's body. A body that breaks reads as empty, since the status alone can be classified. */
async function readRefusal(response: HttpResponse): Promise<string> {
  try {
    return await readBody(response.body, MAX_REFUSAL_BYTES);
  } catch {
    return '';
  }
}

/** Removes keys from a refused answer. `body` is the redacted text that it was read from. */
export function withoutKeys(refused: RefusedAnswer, body: string, ports: ChatOperationPorts): RefusedAnswer {
  // The message of an HTML page is an excerpt that may end within a key, so it is taken again from the redacted text.
  const reread = refused.problem === 'html' ? readChatResponse(body) : refused;
  const answer = reread.ok ? refused : reread;
  return { ...answer, message: ports.redact(answer.message) };
}

/** The answer with the caller's names of functions. */
function withGivenNames(completion: ChatCompletion, body: ChatBody): ChatCompletion {
  const { toolCalls } = completion;
  const named = mapSame(toolCalls, (call) => {
    const name = body.nameOf(call.function.name);
    return name === call.function.name ? call : { ...call, function: { ...call.function, name } };
  });
  return named === toolCalls ? completion : { ...completion, toolCalls: named };
}

/** How to write a request for one of a provider's models. */
function bodyOptionsFor(
  { spec }: Provider,
  { target, known }: Pick<AttemptPlan, 'target' | 'known'>,
  maxTokens?: number,
): BodyOptions {
  const { maxOutput } = target.model;
  return { shape: spec.request, drop: known.refuses, lacks: known.lacks, maxTokens, maxOutput };
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
    encode(body: ChatBody, plan: AttemptPlan): HttpRequest {
      const { route } = plan.target;
      const provider = ports.providerOf(plan.target);
      return {
        method: 'POST',
        url: `${provider.baseUrl}/chat/completions`,
        headers: {
          'user-agent': ports.userAgent,
          accept: 'application/json',
          ...provider.headersFor(route.keyId),
          'content-type': 'application/json',
        },
        body: body.for(route.model, bodyOptionsFor(provider, plan, plan.maxTokens)),
      };
    },
    async *decode(
      response: HttpResponse,
      { target, request, onUsage }: DecodeContext<ChatBody>,
    ): AsyncGenerator<ChatCompletion> {
      const text = await readBody(response.body, MAX_ANSWER_BYTES);
      const answer = readChatResponse(text, ports.toolCallIds());
      // An answer that is of no use may still be billed.
      const usage = answer.ok ? answer.completion.usage : readUsage(parseJson(text));
      if (usage !== undefined) onUsage(usage);
      if (answer.ok) {
        yield withGivenNames(answer.completion, request);
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
    resumable: () => true,
    canDoWithout: (body, refused, plan) =>
      body.canDoWithout(refused, bodyOptionsFor(ports.providerOf(plan.target), plan)),
  };
}
