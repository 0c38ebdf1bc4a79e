/** The part that operations on one path of a provider share: the request around a body, and the reading of refusals. */

import type { Failure } from '../core/failure.ts';
import type { ReportedQuota } from '../core/limits/limit.ts';
import type { Target } from '../core/routing/question.ts';
import type { Clock, Headers, HttpRequest, HttpResponse } from '../ports.ts';
import type { Provider } from '../providers/provider.ts';
import { classify, classifyAnswer } from '../providers/refusals/classify.ts';
import { readObservations } from '../providers/refusals/quota-headers.ts';
import { MOST } from '../wire/response/answer-bounds.ts';
import { readDocument, type RefusedAnswer } from '../wire/response/chat-response.ts';
import { readBody } from '../wire/response/read-body.ts';

export interface EndpointPorts {
  readonly clock: Clock;
  readonly userAgent: string;
  providerOf(target: Target): Provider;
  /** Removes keys from a provider's text. Must run before the text is cut: half a key would not be recognised. */
  redact(text: string): string;
}

/** Reads a refusal's body. A body that breaks reads as empty, since the status alone can be classified. */
async function readRefusal(response: HttpResponse): Promise<string> {
  try {
    return await readBody(response.body, MOST.refusalBytes);
  } catch {
    return '';
  }
}

/** Computes a value for each object once. The requests of a key share theirs, so that what they share is joined once. */
function oncePer<Key extends object, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, Value>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const value = compute(key);
    known.set(key, value);
    return value;
  };
}

/** The headers of a request for a stream. */
export const streamHeadersOf: (headers: Headers) => Headers = oncePer((headers) => ({
  ...headers,
  accept: 'text/event-stream',
}));

/** One path below the base URL of each provider. */
export class Endpoint {
  readonly #ports: EndpointPorts;
  readonly #path: string;
  readonly #urlOf: (provider: Provider) => string;
  /** Of the headers of a key: those of its requests. */
  readonly #headersOf: (ofKey: Headers) => Headers;

  constructor(ports: EndpointPorts, path: string) {
    this.#ports = ports;
    this.#path = path;
    this.#urlOf = oncePer(({ baseUrl }) => `${baseUrl}${path}`);
    this.#headersOf = oncePer((ofKey) => {
      const common = { 'user-agent': ports.userAgent, accept: 'application/json' };
      return { ...common, ...ofKey, 'content-type': 'application/json' };
    });
  }

  request(target: Target, body: string): HttpRequest {
    const provider = this.#ports.providerOf(target);
    const headers = this.#headersOf(provider.headersFor(target.route.keyId));
    return { method: 'POST', url: this.#urlOf(provider), headers, body };
  }

  /** Judges an answer with another status than 200. */
  async classify(response: HttpResponse, target: Target): Promise<Failure> {
    const { status, headers } = response;
    const ports = this.#ports;
    const body = ports.redact(await readRefusal(response));
    const { spec, baseUrl } = ports.providerOf(target);
    const reply = { status, headers, body, redact: (text: string) => ports.redact(text) };
    const failure = classify(reply, spec, ports.clock.now());
    // spec 7.18
    if (failure.scope !== 'provider' || (status !== 404 && status !== 405)) return failure;
    if (target.model.unlisted === true) return { ...failure, kind: 'model_gone', scope: 'model' };
    const message = `${baseUrl}${this.#path} leads nowhere, check baseUrl: ${failure.message}`;
    return { ...failure, message };
  }

  /** The failure that a refused answer with status 200 means. `text` is its body. */
  refused(refused: RefusedAnswer, { status, headers }: HttpResponse, text: string, target: Target): Failure {
    const ports = this.#ports;
    const body = ports.redact(text.slice(0, MOST.refusalBytes));
    // An excerpt of an HTML page may end within a key, so the message is read again from the redacted text.
    const reread = refused.problem === 'html' ? readDocument(body) : refused;
    const answer = reread.ok ? refused : reread;
    const shown = { ...answer, message: ports.redact(answer.message) };
    const given = { spec: ports.providerOf(target).spec, now: ports.clock.now() };
    return classifyAnswer(shown, { status, headers, body }, given);
  }

  /** Reads the quotas that an answer reports in its headers. */
  observe({ headers }: HttpResponse, target: Target): readonly ReportedQuota[] {
    const ports = this.#ports;
    return readObservations(headers, ports.providerOf(target).spec.quotaHeaders ?? [], ports.clock.now());
  }
}
