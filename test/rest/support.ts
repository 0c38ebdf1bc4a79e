/** A handler over a scripted backend, at a fixed time. */

import type {
  Answer,
  ChatBackend,
  AnswerStream,
  ChatCall,
  EmbedAnswer,
  EmbedCall,
  OfferedModel,
} from '../../src/rest/chat-backend.ts';
import { type Fetch, fetchOver } from '../../src/rest/fetch.ts';
import { restHandler } from '../../src/rest/handler.ts';
import type { StreamPart } from '../../src/wire/response/stream-part.ts';

export const NOW = 1_790_000_000_000;

const ANSWER: Answer = {
  text: 'Hello there',
  provider: 'nim',
  model: 'z-ai/glm-5.3',
  toolCalls: [],
  usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 },
  finishReason: 'stop',
  reasoning: undefined,
  attempts: [{}, {}],
  raw: {},
};

export const EMBEDDED: EmbedAnswer = {
  vectors: [
    [0.5, -1],
    [0.25, 2],
  ],
  model: 'acme/vectors',
  usage: { promptTokens: 4, completionTokens: 0, totalTokens: 4 },
  providers: ['nim', 'cloudflare'],
  attempts: [{}, {}, {}],
};

export interface Script {
  /** The answer to a plain call. An error is thrown. */
  readonly answer?: Partial<Answer> | Error;
  /** The parts of a stream. An error ends it. */
  readonly parts?: readonly (StreamPart | Error)[];
  readonly offered?: readonly OfferedModel[];
  readonly takesAnyModel?: boolean;
}

/** A stream of given parts that records how it is used. */
export class ScriptedStream implements AnswerStream {
  /** How many parts were taken. */
  taken = 0;
  readonly aborted: unknown[] = [];
  ended = false;
  readonly #script: readonly (StreamPart | Error)[];

  constructor(script: readonly (StreamPart | Error)[]) {
    this.#script = script;
  }

  get route(): AnswerStream['route'] {
    return { provider: 'nim', model: 'z-ai/glm-5.3', attempts: 1 };
  }

  async *parts(): AsyncGenerator<StreamPart, void, undefined> {
    try {
      for (const part of this.#script) {
        if (part instanceof Error) throw part;
        this.taken += 1;
        yield await Promise.resolve(part);
      }
    } finally {
      this.ended = true;
    }
  }

  abort(reason?: unknown): void {
    this.aborted.push(reason);
  }
}

export interface Scripted {
  readonly fetch: Fetch;
  /** The calls that the backend received, in order. */
  readonly calls: readonly ChatCall[];
  readonly embeds: readonly EmbedCall[];
  readonly streams: readonly ScriptedStream[];
  /** What the pool's listeners were told. */
  readonly warnings: readonly string[];
  /** Posts a request, to Chat Completions by default. */
  readonly post: (body: unknown, path?: string) => Promise<Response>;
}

export function scripted(script: Script = {}): Scripted {
  const calls: ChatCall[] = [];
  const embeds: EmbedCall[] = [];
  const streams: ScriptedStream[] = [];
  const warnings: string[] = [];
  let ids = 0;
  const backend: ChatBackend = {
    ownNames: [],
    countTokens: () => 8,
    windowOf: () => undefined,
    takesAnyModel: script.takesAnyModel ?? false,
    chat(call) {
      calls.push(call);
      if (script.answer instanceof Error) return Promise.reject(script.answer);
      return Promise.resolve({ ...ANSWER, ...script.answer });
    },
    stream(call) {
      calls.push(call);
      const stream = new ScriptedStream(script.parts ?? [{ type: 'finish', reason: 'stop' }]);
      streams.push(stream);
      return stream;
    },
    embed(call) {
      embeds.push(call);
      if (script.answer instanceof Error) return Promise.reject(script.answer);
      return Promise.resolve(EMBEDDED);
    },
    models: () => Promise.resolve(script.offered ?? []),
  };
  const fetch = fetchOver(
    restHandler(backend, {
      now: () => NOW,
      newId: (prefix) => {
        ids += 1;
        return `${prefix}${ids}`;
      },
      warn: (message) => warnings.push(message),
      redact: (text) => text.replaceAll('sk-secret', '…'),
    }),
  );
  const post = (body: unknown, path = '/v1/chat/completions'): Promise<Response> =>
    fetch(path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { fetch, calls, embeds, streams, warnings, post };
}

/** The headers of a response that are freelm's own or about retries. */
export function freelmHeaders({ headers }: Response): Readonly<Record<string, string>> {
  const names = new Set(['retry-after', 'x-should-retry', 'allow']);
  return Object.fromEntries([...headers].filter(([name]) => names.has(name) || name.startsWith('x-freelm')));
}

export const MESSAGES = [{ role: 'user', content: 'Hello' }] as const;
