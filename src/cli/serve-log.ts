/** The log of `freelm serve` on stderr: a line for each request, warnings, and messages about the server. */

import type { RequestReport } from '../gateway/index.ts';
import type { Output } from './shell.ts';
import { countText, withoutControls } from './text.ts';

export type LogFormat = 'json' | 'text' | 'off';

/** While nothing reads stderr, lines beyond this number are dropped. */
const MAX_WAITING = 1000;

/** The members of a line in JSON. Members that are undefined are left out. */
function fieldsOf(report: RequestReport): object {
  const { id, method, path, status, isComplete, durationMs, model, provider, servedModel, code } = report;
  return {
    id,
    method,
    path,
    status,
    aborted: isComplete ? undefined : true,
    ms: Math.round(durationMs),
    model,
    provider,
    servedModel,
    attempts: report.attempts === 0 ? undefined : report.attempts,
    promptTokens: report.usage?.promptTokens,
    completionTokens: report.usage?.completionTokens,
    bytesIn: report.bytesReceived,
    bytesOut: report.bytesSent,
    code,
  };
}

/** A line for people, such as `POST /v1/chat/completions 200 532 ms auto → nim z-ai/glm-5.3, 2 attempts, 12 + 34 tokens`. */
function textOf(report: RequestReport): string {
  const { method, path, status, isComplete, durationMs, provider, servedModel, attempts, usage, code } =
    report;
  const asked = report.model ?? (provider === undefined ? '' : 'auto');
  const served = provider === undefined ? '' : ` → ${provider} ${servedModel ?? ''}`;
  const facts = [
    ...(asked === '' ? [] : [`${asked}${served}`]),
    ...(attempts > 1 ? [countText(attempts, 'attempt')] : []),
    ...(usage === undefined ? [] : [`${usage.promptTokens} + ${usage.completionTokens} tokens`]),
    ...(code === undefined ? [] : [code]),
    ...(isComplete ? [] : ['aborted']),
    `${report.bytesReceived} B in`,
    `${report.bytesSent} B out`,
    report.id,
  ];
  return withoutControls(
    `${method} ${path} ${status ?? '-'} ${Math.round(durationMs)} ms ${facts.join(', ')}`,
  );
}

export class ServeLog {
  readonly #err: Output;
  readonly #format: LogFormat;
  readonly #now: () => number;
  #waiting = 0;
  #dropped = 0;

  /** @param now - Epoch ms. */
  constructor(err: Output, format: LogFormat, now: () => number) {
    this.#err = err;
    this.#format = format;
    this.#now = now;
  }

  readonly request = (report: RequestReport): void => {
    if (this.#format === 'json') this.#json('info', { message: 'request', ...fieldsOf(report) });
    else if (this.#format === 'text') this.#line(`${new Date(this.#now()).toISOString()} ${textOf(report)}`);
  };

  readonly info = (message: string): void => {
    if (this.#format === 'json') this.#json('info', { message });
    else this.#line(`freelm: ${message}`);
  };

  readonly warn = (message: string): void => {
    if (this.#format === 'json') this.#json('warning', { message });
    else this.#line(`freelm: ${this.#err.paint('yellow', 'warning')}: ${message}`);
  };

  #json(level: string, fields: object): void {
    this.#line(JSON.stringify({ time: new Date(this.#now()).toISOString(), level, ...fields }));
  }

  #line(text: string): void {
    if (this.#waiting >= MAX_WAITING) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0) {
      const dropped = this.#dropped;
      this.#dropped = 0;
      this.warn(`${countText(dropped, 'line')} of this log could not be written in time.`);
    }
    this.#waiting += 1;
    void this.#err.write(`${text.replaceAll('\n', ' ')}\n`).finally(() => {
      this.#waiting -= 1;
    });
  }
}
