/** OpenAI's `response` object, and the events of one that is streamed. */

import type { JsonObject } from '../../core/json.ts';
import { errorObject, type HttpErrorInit } from '../../http-error.ts';
import type { TokenUsage } from '../../wire/response/token-usage.ts';
import type { StreamPart } from '../../wire/response/stream-part.ts';
import type { EventWriter } from '../protocol.ts';
import { isIncomplete, OutputBuilder } from './output.ts';
import type { ToolNames } from './tools.ts';

export interface ResponseInit {
  readonly id: string;
  /** Epoch seconds. */
  readonly createdAt: number;
  /** The fields of the request that the response repeats. */
  readonly repeated: JsonObject;
  readonly names: ToolNames;
  /** Receives the response when it is whole. */
  readonly onEnd: (whole: WholeResponse) => void;
}

export interface WholeResponse {
  readonly response: JsonObject;
  /** Its items. */
  readonly output: readonly JsonObject[];
}

function usageOf(usage: TokenUsage): JsonObject {
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens ?? 0, cache_write_tokens: 0 },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.totalTokens,
    ...(usage.estimated === true ? { estimated: true } : {}),
  };
}

/** Why an answer is not whole. */
function incompleteDetails(reason: string | undefined): JsonObject | null {
  if (!isIncomplete(reason)) return null;
  return { reason: reason === 'length' ? 'max_output_tokens' : reason };
}

/** Clients choose the time to wait by this code. */
function errorCode({ status, code }: HttpErrorInit): string {
  return status === 429 ? 'rate_limit_exceeded' : (code ?? 'server_error');
}

/** Writes the parts of one answer, as events or as a whole response. */
export class ResponseWriter implements EventWriter {
  readonly #init: ResponseInit;
  readonly #output: OutputBuilder;
  #events = '';
  #sequence = 0;
  #model: string | undefined;
  #whole: JsonObject | undefined;

  constructor(init: ResponseInit) {
    this.#init = init;
    const suffix = `${init.id.replace(/^resp_/, '')}_`;
    this.#output = new OutputBuilder(suffix, init.names, {
      emit: (type, fields) => this.#emit(type, fields),
      deltas: (type, fields) => this.#deltas(type, fields),
    });
  }

  /** The response, once all parts have been written. */
  get whole(): JsonObject | undefined {
    return this.#whole;
  }

  write(part: StreamPart, model: string): string {
    this.#begin(model);
    // If another model continued a broken answer, the response names that model.
    this.#model = model;
    this.#output.add(part);
    if (part.type === 'finish') this.#end();
    return this.#taken();
  }

  fail(error: HttpErrorInit): string {
    this.#begin('');
    const { type, ...details } = errorObject(error);
    const code = errorCode(error);
    // Clients read one of the two: OpenAI's SDK throws at the first, agents read the second.
    this.#event('error', { ...details, code, error: { ...details, type, code } });
    const failed = this.#response('failed', { error: { code, message: error.message } });
    this.#emit('failed', { response: failed });
    return this.#taken();
  }

  #begin(model: string): void {
    if (this.#model !== undefined) return;
    this.#model = model;
    const response = this.#response('in_progress', {});
    this.#emit('created', { response });
    this.#emit('in_progress', { response });
  }

  #end(): void {
    const { usage, finishReason } = this.#output.answer;
    const status = isIncomplete(finishReason) ? 'incomplete' : 'completed';
    this.#whole = this.#response(status, {
      incomplete_details: incompleteDetails(finishReason),
      ...(usage === undefined ? {} : { usage: usageOf(usage) }),
    });
    this.#emit(status, { response: this.#whole });
    this.#init.onEnd({ response: this.#whole, output: this.#output.items });
  }

  #response(status: string, fields: JsonObject): JsonObject {
    const { id, createdAt, repeated } = this.#init;
    return {
      id,
      object: 'response',
      created_at: createdAt,
      status,
      model: this.#model,
      output: [...this.#output.items],
      error: null,
      incomplete_details: null,
      usage: null,
      ...repeated,
      ...fields,
    };
  }

  #emit(type: string, fields: JsonObject): void {
    this.#event(`response.${type}`, fields);
  }

  #deltas(suffix: string, fields: JsonObject): (delta: string) => void {
    const type = `response.${suffix}`;
    const opening = JSON.stringify({ type, ...fields }).slice(0, -1);
    const head = `event: ${type}\ndata: ${opening},"delta":`;
    return (delta) => {
      this.#events += `${head}${JSON.stringify(delta)},"sequence_number":${this.#sequence}}\n\n`;
      this.#sequence += 1;
    };
  }

  #event(type: string, fields: JsonObject): void {
    const data = JSON.stringify({ type, ...fields, sequence_number: this.#sequence });
    this.#sequence += 1;
    this.#events += `event: ${type}\ndata: ${data}\n\n`;
  }

  #taken(): string {
    const events = this.#events;
    this.#events = '';
    return events;
  }
}
