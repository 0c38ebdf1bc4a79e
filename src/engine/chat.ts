import type { Failure } from '../core/failure.ts';
import { type JsonObject, parseJson } from '../core/json.ts';
import { OPERATIONS } from '../core/operations.ts';
import { answerRoom } from '../core/routing/cost.ts';
import type { RequestNeeds, Target } from '../core/routing/question.ts';
import type { Provider } from '../providers/provider.ts';
import type { Clock, HttpRequest, HttpResponse } from '../ports.ts';
import { withOrigin } from '../wire/origin.ts';
import { toolIdsOf } from '../wire/request/tool-ids.ts';
import { MOST } from '../wire/response/answer-bounds.ts';
import type { ChatCompletion, RefusedAnswer, ToolCallIds } from '../wire/response/chat-response.ts';
import { readUsage } from '../wire/response/token-usage.ts';
import { type BodyOptions, type ChatBody, inlinesImages } from '../wire/request/chat-body.ts';
import { mapSame } from '../wire/request/copy-on-change.ts';
import { capabilitiesOf, requiredFieldsOf } from '../wire/request/chat-request.ts';
import { maxTokensOf } from '../wire/request/request-shape.ts';
import type { SchemaCheck } from '../wire/repair/sound-arguments.ts';
import { type CallableTools, soundAnswer } from '../wire/repair/sound-calls.ts';
import { readingAnswer } from '../wire/response/whole-answer.ts';
import { readBody } from '../wire/response/read-body.ts';
import { Endpoint, type EndpointPorts } from './endpoint.ts';
import { type ImagePorts, readImages } from './images.ts';
import { type AttemptPlan, BadAnswer, type DecodeContext, type WholeOperation } from './operation.ts';

export interface ChatOperationPorts extends EndpointPorts, ImagePorts {
  /** Ids for the tool calls of one answer. They differ from those of other answers and from those that are `taken`. */
  toolCallIds(taken: () => ReadonlySet<string>): ToolCallIds;
  /** The check of a tool's arguments; undefined if its schema cannot be checked. */
  checkOf(schema: JsonObject): SchemaCheck | undefined;
}

/** The answer with the caller's names of functions. Fields that only the model understands get a note of this model. */
function withGivenNames(completion: ChatCompletion, body: ChatBody, { route }: Target): ChatCompletion {
  const { toolCalls } = completion;
  const named = mapSame(toolCalls, (given) => {
    const call = withOrigin(given, route);
    const name = body.nameOf(call.function.name);
    return name === call.function.name ? call : { ...call, function: { ...call.function, name } };
  });
  return named === toolCalls ? completion : { ...completion, toolCalls: named };
}

/** A model lacks this ability if its reasoning uses up the default limit on its tokens. */
const ROOM = 'answer_room';
/**
 * The limit for such a model if its longest answer is unknown: this share of its context, at most `MOST_ROOM` tokens.
 */
const ROOM_PART = 0.25;
const MOST_ROOM = 32_768;
/** The context of a model of unknown length, in tokens. */
const USUAL_CONTEXT = 32_768;

/** The failure that a refused answer with status 200 means. `text` is its body. */
export function refusedAnswer(
  refused: RefusedAnswer,
  response: HttpResponse,
  text: string,
  { target, request }: { readonly target: Target; readonly request: ChatBody },
  endpoint: Endpoint,
): Failure {
  const failure = endpoint.refused(refused, response, text, target);
  if (refused.problem !== 'out_of_tokens') return failure;
  const limit = maxTokensOf(request.request.fields);
  const advice = 'Raise max_tokens';
  if (limit === undefined) return { ...failure, advice, capabilities: [ROOM] };
  return { ...failure, advice, message: `${failure.message}; raise max_tokens, which is ${limit}` };
}

/** The limit on the answer's tokens that is sent if the caller sets none. */
// spec 13.8
function maxTokensFor(body: ChatBody, { target, known, maxTokens }: AttemptPlan): number | undefined {
  const hasRoom = known.lacks?.includes(ROOM) !== true || maxTokensOf(body.request.fields) !== undefined;
  if (maxTokens !== undefined || hasRoom) return maxTokens;
  const { ctx = USUAL_CONTEXT, maxOutput } = target.model;
  return maxOutput ?? Math.min(MOST_ROOM, Math.floor(ctx * ROOM_PART));
}

/** Whether a model can get more tokens than its default limit. */
function canHaveRoom(refused: Failure, { known, maxTokens }: AttemptPlan): boolean {
  const isShort = refused.capabilities?.includes(ROOM) === true && known.lacks?.includes(ROOM) !== true;
  return isShort && maxTokens === undefined;
}

/** The longest answer that a model is known to give to a request. A learnt context length limits the sum of both. */
function longestAnswer(
  body: Pick<ChatBody, 'tokens'>,
  { target, known }: Pick<AttemptPlan, 'target' | 'known'>,
): number {
  // The first access estimates the tokens, so this reads them only where they matter.
  const room = known.ctx === undefined ? undefined : answerRoom(known.ctx, body.tokens.prompt);
  return Math.min(target.model.maxOutput ?? Infinity, known.maxOutput ?? Infinity, room ?? Infinity);
}

/** The longest answer that a refusal allows. */
function allowedAnswer(
  body: ChatBody,
  { kind, scope, maxOutput, contextLength }: Failure,
  { target }: AttemptPlan,
): number | undefined {
  const ctx = contextLength ?? target.model.ctx;
  if (kind !== 'context_too_long' || scope !== 'model' || ctx === undefined) return maxOutput;
  return answerRoom(ctx, body.tokens.prompt);
}

/** Whether a limit on the answer was refused as too large, and a lower one can be sent. spec 8.2 */
function canBeShorter(body: ChatBody, refused: Failure, plan: AttemptPlan): boolean {
  const allowed = allowedAnswer(body, refused, plan);
  const asked = maxTokensOf(body.request.fields) ?? plan.maxTokens ?? 0;
  return allowed !== undefined && Math.min(asked, longestAnswer(body, plan)) > allowed;
}

/** How to write a request for one of a provider's models. */
function bodyOptionsFor(
  { spec }: Provider,
  body: ChatBody,
  plan: Pick<AttemptPlan, 'target' | 'known' | 'plain'>,
  maxTokens?: number,
): BodyOptions {
  const longest = longestAnswer(body, plan);
  const maxOutput = Number.isFinite(longest) ? longest : undefined;
  const { known, plain } = plan;
  return {
    shape: spec.request,
    provider: spec.name,
    drop: known.refuses,
    lacks: known.lacks,
    plain,
    maxTokens,
    maxOutput,
  };
}

function needsOf(body: ChatBody): RequestNeeds {
  return {
    size: body.size,
    tokens: () => body.tokens,
    features: (plain) => body.features(plain),
    capabilities: capabilitiesOf(body.request),
    fields: requiredFieldsOf(body.request),
  };
}

/** Whether images have to be read before a request can be written for a route. */
function needsImages(
  { images }: ChatBody,
  { target, known }: AttemptPlan,
  ports: ChatOperationPorts,
): boolean {
  if (images.urls.length === 0 || images.areRead) return false;
  return inlinesImages({ shape: ports.providerOf(target).spec.request, lacks: known.lacks });
}

/** The tools that an answer to a request may call. */
export function callableTools({ tools: declared }: ChatBody, ports: ChatOperationPorts): CallableTools {
  return {
    declared,
    check: (name) => {
      const schema = declared.get(name);
      return schema === undefined ? undefined : ports.checkOf(schema);
    },
  };
}

/** Does long work, and lets timers and other calls run between its steps. */
async function inTurns<Result>(clock: Clock, work: Generator<void, Result, undefined>): Promise<Result> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    const pause = clock.yieldIfBusy?.();
    if (pause !== undefined) await pause;
  }
}

export function chatOperation(ports: ChatOperationPorts): WholeOperation<ChatBody, ChatCompletion> {
  const endpoint = new Endpoint(ports, OPERATIONS.chat.path);
  return {
    name: 'chat',
    needs: needsOf,
    prepare: (body, plan, context) =>
      needsImages(body, plan, ports) ? readImages(body.images, ports, context) : undefined,
    encode(body: ChatBody, plan: AttemptPlan): HttpRequest {
      const options = bodyOptionsFor(ports.providerOf(plan.target), body, plan, maxTokensFor(body, plan));
      return endpoint.request(plan.target, body.for(plan.target.route.model, options));
    },
    async read(
      response: HttpResponse,
      { plan: { target }, request, onUsage }: DecodeContext<ChatBody>,
    ): Promise<ChatCompletion> {
      const text = await readBody(response.body, MOST.bytes);
      const idOf = ports.toolCallIds(() => toolIdsOf(request.request.messages));
      const steps = readingAnswer(text, idOf);
      const first = steps.next();
      const read = first.done === true ? first.value : await inTurns(ports.clock, steps);
      const answer = read.ok ? soundAnswer(read.completion, callableTools(request, ports), idOf) : read;
      // A provider may bill even a useless answer.
      const usage = answer.ok ? answer.completion.usage : (answer.usage ?? readUsage(parseJson(text)));
      if (usage !== undefined) onUsage(usage);
      if (answer.ok) return withGivenNames(answer.completion, request, target);
      throw new BadAnswer(refusedAnswer(answer, response, text, { target, request }, endpoint));
    },
    classify: (response, target) => endpoint.classify(response, target),
    observe: (response, target) => endpoint.observe(response, target),
    resumable: () => true,
    canDoWithout: (body, refused, plan) =>
      canHaveRoom(refused, plan) ||
      canBeShorter(body, refused, plan) ||
      body.canDoWithout(refused, bodyOptionsFor(ports.providerOf(plan.target), body, plan)),
  };
}
