import { problemIn } from '../check.ts';
import { substitutesFor } from '../core/known-names.ts';
import { BadRequestError } from '../errors.ts';
import type { ChatCall, ChatBackend, Answer, AnswerStream, EmbedAnswer } from '../rest/chat-backend.ts';
import { type Fetch, fetchOver } from '../rest/fetch.ts';
import { restHandler } from '../rest/handler.ts';
import { badBody } from '../rest/body.ts';
import type { ChatMessage } from '../wire/request/chat-request.ts';
import { cautious } from '../core/routing/cost.ts';
import { Affinity, conversationOf } from './affinity.ts';
import type { Turn } from './calls.ts';
import { type EmbedOptions, embedOwnSchema } from './embed.ts';
import { readMessages } from './messages.ts';
import type { Pool } from './pool.ts';
import { imageIn } from './images.ts';
import { fieldsSchema, ownSchema, WIRE_FIELDS } from './option-checks.ts';
import type { ChatOptions, FreeLLMOptions, StreamOptions } from './options.ts';
import { requestBody } from './request-body.ts';
import { windowOf } from './windows.ts';
import { randomId } from '../adapters/system.ts';

/** How long `GET /models` waits for the lists of models. Then it answers with the models known so far. */
const DISCOVERY_WAIT_MS = 3000;

/** How a `FreeLLM` answers. */
export interface RestCalls {
  chat(messages: readonly ChatMessage[], options: ChatOptions, turn: Turn | undefined): Promise<Answer>;
  stream(messages: readonly ChatMessage[], options: StreamOptions, turn: Turn | undefined): AnswerStream;
  embed(input: string | readonly string[], options: EmbedOptions): Promise<EmbedAnswer>;
}

/** The options in a request body. Fields that freelm knows are checked, and all others are passed on unchanged. */
function checkedOptions({ messages, fields, callOptions, signal }: ChatCall): StreamOptions {
  refuseImages(messages);
  const known = fieldsSchema.safeParse(fields);
  if (known.error !== undefined) throw badBody(problemIn(known.error, '').slice(1));
  const ownOptions = ownSchema.safeParse(callOptions);
  if (ownOptions.error !== undefined) throw badBody(problemIn(ownOptions.error, 'freelm', ownSchema));
  const others = Object.entries(fields).filter(([name]) => !WIRE_FIELDS.includes(name));
  return { ...known.data, ...ownOptions.data, signal, extraBody: Object.fromEntries(others) };
}

/** Refuses `image` parts, because they may read files of this machine. @throws HttpError that names the part. */
function refuseImages(messages: readonly unknown[]): void {
  const place = imageIn(messages);
  if (place !== undefined)
    throw badBody(`${place}: the type "image" is for programs. Send "image_url" with an https or data URL`);
}

/** Whether every provider has a model list. If not, starts fetching the missing ones. */
function areListed({ registry, providers }: Pool): boolean {
  return registry.ensure([...providers.keys()], undefined, DISCOVERY_WAIT_MS) === undefined;
}

/**
 * The models of a call from outside. The replacements of a well-known name come after a model that may have this name.
 */
// spec 9.11
function modelsFor(
  name: string | undefined,
  pool: Pool,
  ownNames: ReadonlySet<string>,
): ChatOptions['model'] {
  if (name === undefined || ownNames.has(name) || pool.lists(name)) return name;
  const substitutes = substitutesFor(name);
  if (substitutes === undefined) return name;
  return areListed(pool) ? substitutes : [name, ...substitutes];
}

/**
 * Refuses a prompt that is longer than the window that clients were told for names of several models. Some of the
 * models may hold it, but an agent has to keep to the window that it was told.
 * @throws BadRequestError whose message tells agents to shorten the conversation.
 */
// spec 9.12
function checkWindow(promptTokens: number, contextLength: number): void {
  if (promptTokens <= contextLength) return;
  throw new BadRequestError({
    code: 'context_too_long',
    length: { promptTokens, contextLength },
    message: `The prompt has about ${promptTokens} tokens, and the limit of this pool is ${contextLength} (contextTokens, --context). Shorten the conversation.`,
  });
}

/** The name that a call asks for, unless its options say otherwise. */
function askedIn({ model, callOptions }: ChatCall): string | undefined {
  return callOptions['model'] === undefined ? model : undefined;
}

/** Estimates the tokens of a call's prompt, rather too high than too low. */
function tokensOf({ messages }: ChatCall, asked: StreamOptions): number {
  return cautious(requestBody(readMessages(messages), asked).tokens.prompt);
}

/** Connects the calls of each conversation. */
function turns(): (call: ChatCall) => Turn {
  const memory = new Affinity();
  return (call) => {
    const name = conversationOf(call.model, call.session, call.messages);
    const onServed: Turn['onServed'] = (route) => memory.note(name, route);
    return { previousRoute: memory.routeOf(name), onServed, asked: askedIn(call) };
  };
}

function backendOf(
  calls: RestCalls,
  pool: Pool,
  options: Pick<FreeLLMOptions, 'unknownModels' | 'modelMap' | 'contextTokens' | 'affinity'>,
): ChatBackend {
  const { unknownModels, modelMap = {}, contextTokens, affinity = true } = options;
  const turnOf = affinity
    ? turns()
    : (call: ChatCall): Turn => ({ previousRoute: undefined, asked: askedIn(call) });
  const ownNames = new Set(Object.keys(modelMap));
  const optionsOf = (call: ChatCall): StreamOptions => ({
    model: modelsFor(call.model, pool, ownNames),
    ...checkedOptions(call),
  });
  const boundedOptionsOf = (call: ChatCall): StreamOptions => {
    const asked = optionsOf(call);
    const isOne = call.model !== undefined && !ownNames.has(call.model) && pool.lists(call.model);
    if (contextTokens !== undefined && !isOne) checkWindow(tokensOf(call, asked), contextTokens);
    return asked;
  };
  return {
    takesAnyModel: unknownModels === 'auto',
    ownNames: [...ownNames],
    windowOf: (name) => windowOf(name, pool, options),
    async chat(call) {
      const { onCut: _streams, ...chatOptions } = boundedOptionsOf(call);
      return calls.chat(call.messages, chatOptions, turnOf(call));
    },
    stream: (call) => calls.stream(call.messages, boundedOptionsOf(call), turnOf(call)),
    countTokens: (call) => tokensOf(call, optionsOf(call)),
    async embed({ input, model, dimensions, inputType, callOptions, signal }) {
      const { error, data } = embedOwnSchema.safeParse(callOptions);
      if (error !== undefined) throw badBody(problemIn(error, 'freelm'));
      return calls.embed(input, { model, dimensions, inputType, ...data, signal });
    },
    async models(signal) {
      await pool.registry.ensure([...pool.providers.keys()], signal, DISCOVERY_WAIT_MS);
      return [...pool.providers.values()].flatMap((provider) =>
        pool.registry
          .models(provider.name)
          .filter(({ id }) => !provider.refusesPaid(id))
          .map((model) => ({ ...model, provider: provider.name })),
      );
    },
  };
}

/** Makes the `fetch` of a pool. */
export function restFetch(calls: RestCalls, pool: Pool, options: FreeLLMOptions): Fetch {
  const handler = restHandler(backendOf(calls, pool, options), {
    now: () => pool.clock.now(),
    redact: pool.redact,
    archive: pool.archive,
    newId: (prefix) => `${prefix}${randomId()}`,
    warn: (message) => pool.emit({ type: 'warning', message }),
    yieldIfBusy: () => pool.clock.yieldIfBusy?.(),
  });
  return fetchOver(handler);
}
