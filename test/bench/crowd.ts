/** Clients that call an endpoint again and again over a world in which things fail, and judge every answer. */

import { setTimeout as pause } from 'node:timers/promises';
import { Agent, fetch, type Response } from 'undici';
import * as z from 'zod/mini';
import { type Fault, startWorld, type World } from '../../src/testing.ts';

/** About one request in twenty fails. More faults would keep opening breakers at this rate of calls. */
const FAULTS: readonly Fault[] = [
  { kind: 'cut', share: 0.015 },
  { kind: 'cut', as: 'reset', share: 0.015 },
  { kind: 'reset', share: 0.005 },
  { kind: 'server-error', share: 0.005 },
  { kind: 'congested', share: 0.005, retryAfterMs: 1000 },
  { kind: 'stream-error', share: 0.005 },
  { kind: 'no-finish', share: 0.005 },
  { kind: 'empty', share: 0.005 },
  { kind: 'split', sizes: [7, 100, 3], share: 0.2 },
  { kind: 'slow-drip', betweenMs: 5, share: 0.1 },
];

function answerTo(question: string): string {
  return Array.from({ length: 30 }, (_, index) => `${question}.${index}`).join(' ');
}

/** A world whose providers answer every question in a way that can be checked. */
export function faultyWorld(): Promise<World> {
  const side = { limits: { rpm: 1e6, rpd: 1e7, tpm: 1e10 }, latencyMs: 20, faults: FAULTS };
  return startWorld({
    openrouter: side,
    google: side,
    nim: side,
    reply: ({ lastUserText }) => answerTo(lastUserText),
  });
}

const completionSchema = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })),
});

function textIn(events: string): string {
  return [...events.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join('');
}

/**
 * What a client does with its call: reads the answer as a whole or as a stream, leaves a stream after its first bytes, stops
 * reading one for a second and then leaves, or aborts before there is an answer.
 */
export type Manner = 'whole' | 'stream' | 'leave' | 'abandon' | 'abort';

export class Crowd {
  readonly #url: string;
  readonly #mannerOf: (call: number) => Manner;
  /** Closes idle connections soon, so that any that remain are a leak of the endpoint. */
  readonly #dispatcher = new Agent({ keepAliveTimeout: 2000, keepAliveMaxTimeout: 2000 });
  #calls = 0;
  right = 0;
  wrong = 0;
  left = 0;
  /** How many calls were refused, by the reason. */
  readonly refused = new Map<string, number>();
  /** How long each answer took, in ms. */
  latencies: number[] = [];

  /** @param mannerOf - The manner of a call, by its number. */
  constructor(url: string, mannerOf: (call: number) => Manner) {
    this.#url = url;
    this.#mannerOf = mannerOf;
  }

  /** Lets a number of clients call for a time. */
  async run(clients: number, seconds: number): Promise<void> {
    const until = performance.now() + seconds * 1000;
    const client = async (name: number): Promise<void> => {
      for (let count = 0; performance.now() < until; count += 1) {
        this.#calls += 1;
        try {
          await this.call(`q${name}x${count}`, this.#mannerOf(this.#calls));
        } catch (error) {
          this.#refuse(String(error));
        }
      }
    };
    await Promise.all(Array.from({ length: clients }, (_, name) => client(name)));
  }

  async call(question: string, manner: Manner): Promise<void> {
    const begun = performance.now();
    const controller = new AbortController();
    if (manner === 'abort') setTimeout(() => controller.abort(), this.#calls % 40);
    const stream = manner !== 'whole';
    let response: Response;
    try {
      response = await fetch(`${this.#url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages: [{ role: 'user', content: question }], stream }),
        dispatcher: this.#dispatcher,
        signal: controller.signal,
      });
      if (response.status !== 200) {
        this.#refuse(`${response.status} ${(await response.text()).slice(0, 300)}`);
        return;
      }
      if (manner === 'leave' || manner === 'abandon') {
        await this.#leave(response, manner === 'abandon' ? 1000 : 0);
        return;
      }
      const text = await response.text();
      this.latencies.push(performance.now() - begun);
      if (stream) this.#judgeEvents(text, question);
      else
        this.#judge(
          completionSchema.parse(JSON.parse(text)).choices[0]?.message.content ?? '',
          question,
          text,
        );
    } catch (error) {
      if (!controller.signal.aborted) throw error;
      this.left += 1;
    }
  }

  async #leave({ body }: Response, afterMs: number): Promise<void> {
    const reader = body?.getReader();
    await reader?.read();
    await pause(afterMs);
    await reader?.cancel();
    this.left += 1;
  }

  #judge(said: string, question: string, raw: string): void {
    if (said === answerTo(question)) {
      this.right += 1;
      return;
    }
    this.wrong += 1;
    if (this.wrong < 5) console.log(`wrong: …${raw.slice(-600)}`);
  }

  /** Judges the events of a stream, which end with an error or with [DONE]. */
  #judgeEvents(events: string, question: string): void {
    const error = /data: (\{"error":.*\})\n\n$/.exec(events)?.[1];
    if (error === undefined)
      this.#judge(events.endsWith('data: [DONE]\n\n') ? textIn(events) : 'cut', question, events);
    else this.#refuse(`in a stream: ${error.slice(0, 400)}`);
  }

  #refuse(why: string): void {
    this.refused.set(why, (this.refused.get(why) ?? 0) + 1);
  }

  /** The latency that a share of the answers does not exceed, in ms. */
  latencyAt(share: number): string {
    return (this.latencies.toSorted((a, b) => a - b)[Math.floor(this.latencies.length * share)] ?? 0).toFixed(
      0,
    );
  }
}
