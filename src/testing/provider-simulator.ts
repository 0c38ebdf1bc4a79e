import { CallLog, countCalls, type CallCounts, type SimulatedCall } from './calls.ts';
import { readChatBody } from './chat-request.ts';
import { readEmbedRequest } from './embeddings.ts';
import { echo } from './answers/completion.ts';
import { custom } from './dialects/custom.ts';
import { google } from './dialects/google.ts';
import { nim } from './dialects/nim.ts';
import { openrouter } from './dialects/openrouter.ts';
import type { Dialect } from './dialect.ts';
import type { SimulatedAnswer, SimulatedRequest } from './exchange.ts';
import type { Fault } from './faults/fault.ts';
import { FaultScript } from './faults/fault-script.ts';
import type { IncomingRequest, ProviderState, RuleResult } from './provider-state.ts';
import { Keyring } from './keyring.ts';
import { maskKey } from './mask-key.ts';
import type { ModelOptions, ProviderName, ProviderOptions } from './options.ts';
import { Quotas } from './quotas/quotas.ts';
import { applyRules } from './rules.ts';
import { hashText, seededRandom } from './seeded-random.ts';
import { watched } from './answers/watched-stream.ts';

const DIALECTS: Readonly<Record<ProviderName, Dialect>> = { openrouter, google, nim, custom };

function modelOf(model: string | ModelOptions): ModelOptions {
  return typeof model === 'string' ? { id: model } : model;
}

/** What a body asks for, by its route. */
function readBody(
  route: IncomingRequest['route'],
  body: string,
): Pick<IncomingRequest, 'chat' | 'embed'> & { readonly model: string | undefined } {
  if (route === 'chat') return { embed: undefined, ...readChatBody(body) };
  if (route === 'embeddings') return { chat: undefined, ...readEmbedRequest(body) };
  return { chat: undefined, embed: undefined, model: undefined };
}

function settingsOf({
  limits = {},
  latencyMs = 0,
  continues = 'faithful',
  requirements = [],
  quota = {},
  reply = echo,
}: ProviderOptions): Pick<
  ProviderState,
  'limits' | 'latencyMs' | 'continues' | 'requirements' | 'style' | 'reply'
> {
  return { limits, latencyMs, continues, requirements, style: quota, reply };
}

/**
 * A provider that behaves like the recorded one, with its accounts, limits and exact refusals. It has neither sockets nor
 * a clock: time is an argument, so a day can pass in a second. Calls must come in the order of their `now`.
 *
 * Most tests use {@link startWorld} or {@link inProcessFetch} instead.
 */
export class ProviderSimulator {
  readonly name: ProviderName;
  /** The base URL to configure in a client. */
  readonly baseUrl: string;
  readonly #state: ProviderState;
  readonly #prefix: string;
  readonly #log: CallLog;
  #serial = 0;

  /**
   * @param log - The call log, which the providers of a world share.
   * @throws RangeError if a key is given twice, TypeError if `baseUrl` is not a URL.
   */
  constructor(name: ProviderName, options: ProviderOptions = {}, log: CallLog = new CallLog()) {
    const dialect = DIALECTS[name];
    const seed = (options.seed ?? 1) + hashText(name);
    const random = seededRandom(seed);
    this.name = name;
    this.#log = log;
    this.baseUrl = options.baseUrl ?? dialect.baseUrl;
    this.#prefix = new URL(this.baseUrl).pathname.replace(/\/$/, '');
    const own = settingsOf(options);
    this.#state = {
      dialect,
      keyring: new Keyring(options.keys, () => dialect.makeKey(random)),
      models: options.models?.map(modelOf) ?? dialect.models,
      ...own,
      script: new FaultScript(options.faults ?? [], seed),
      quotas: new Quotas(dialect.quotas(own.style)),
      random,
      nextSerial: () => {
        this.#serial += 1;
        return this.#serial;
      },
    };
  }

  /** The full keys. */
  get keys(): readonly string[] {
    return this.#state.keyring.keys;
  }

  /** The tier of its keys. `undefined` if they differ or there are none. */
  get tier(): string | undefined {
    const [first, ...others] = this.#state.keyring.tiers;
    return others.length === 0 ? first : undefined;
  }

  /** The ids of all its models, including unlisted ones. */
  get models(): readonly string[] {
    return this.#state.models.map(({ id }) => id);
  }

  /** All requests since the start or the last `reset()`, oldest first. Keys are masked. */
  get calls(): readonly SimulatedCall[] {
    return this.#log.of(this.name);
  }

  /** Counts of its chat requests. */
  get counts(): CallCounts {
    return countCalls(this.calls);
  }

  /** Answers a request that arrives at `now` (epoch ms). Throws only if a custom `reply` throws. */
  answer(request: SimulatedRequest, now: number): SimulatedAnswer {
    const incoming = this.#receive(request, now);
    const slow = this.#state.script.trigger(['slow'], incoming);
    const result = applyRules(this.#state, incoming);
    const call = this.#callOf(incoming, result);
    this.#log.write(call);
    const { reply, fault, delayMs = 0 } = result;
    const timing = { delayMs: delayMs + (slow?.delayMs ?? 0), ...(fault && { fault }) };
    if (typeof reply.body === 'string') return { ...reply, body: reply.body, ...timing };
    const body = watched(reply.body, () => {
      if (call.outcome === 'served') this.#log.amend(call, 'abandoned');
    });
    return { ...reply, body, ...timing };
  }

  /** Adds faults. They come before the existing ones. */
  script(...faults: readonly Fault[]): void {
    this.#state.script.add(faults);
  }

  /** Removes all faults. */
  clear(): void {
    this.#state.script.clear();
  }

  /** Resets calls, limits and faults to their initial state. */
  reset(): void {
    this.#log.forget(this.name);
    this.#serial = 0;
    this.#state.quotas.reset();
    this.#state.script.reset();
  }

  #receive(request: SimulatedRequest, now: number): IncomingRequest {
    const { dialect, keyring, models } = this.#state;
    const [url = ''] = request.path.split('?');
    const inside = url.startsWith(`${this.#prefix}/`);
    const path = inside ? url.slice(this.#prefix.length) : url;
    const route = inside ? this.#routeOf(request.method, path) : 'unknown';
    const credential = dialect.credentialOf(request);
    const key = 'key' in credential ? credential.key : undefined;
    const owner = keyring.accountOf(key);
    const { model: modelId = '', ...read } = readBody(route, request.body);
    const model = modelId === '' ? undefined : dialect.modelIdOf(modelId);
    return {
      now,
      route,
      method: request.method,
      path,
      key,
      owner,
      account: owner?.name,
      modelId,
      model,
      known: models.find(({ id }) => id === model),
      ...read,
      credentialProblem: 'problem' in credential ? credential.problem : undefined,
    };
  }

  #routeOf(method: string, path: string): IncomingRequest['route'] {
    const name = `${method} ${path}`;
    if (name === 'POST /chat/completions') return 'chat';
    if (name === 'POST /embeddings') return 'embeddings';
    if (name === 'GET /models') return 'models';
    return name in this.#state.dialect.accountRoutes ? 'account' : 'unknown';
  }

  #callOf(incoming: IncomingRequest, { outcome, reply, billed = false }: RuleResult): SimulatedCall {
    const { now, route, key, account, modelId, known } = incoming;
    const served = outcome === 'served';
    return {
      at: now,
      provider: this.name,
      route,
      key: key === undefined ? undefined : maskKey(key),
      account,
      model: modelId,
      status: reply.status,
      outcome,
      refused: !served,
      paid: billed || (served && known !== undefined && !this.#state.dialect.isFree(known)),
    };
  }
}
