/** A pool behind OpenAI's REST routes. */

import { firstProblem } from '../check.ts';
import type { ChatCall, ChatBackend, Answer, AnswerStream } from '../rest/chat-backend.ts';
import { type Fetch, fetchOver } from '../rest/fetch.ts';
import { restHandler } from '../rest/handler.ts';
import { badBody } from '../rest/request.ts';
import type { ChatMessage } from '../wire/request/chat-request.ts';
import type { Pool } from './pool.ts';
import { type ChatOptions, fieldsSchema, ownSchema, type StreamOptions, WIRE_FIELDS } from './options.ts';
import { randomId } from '../adapters/system.ts';

/** How long a list of models is looked for before what is known is told. */
const DISCOVERY_WAIT_MS = 3000;

/** What answers: the methods of a `FreeLLM`. */
interface Calls {
  chat(messages: readonly ChatMessage[], options: ChatOptions): Promise<Answer>;
  stream(messages: readonly ChatMessage[], options: StreamOptions): AnswerStream;
}

/** The options that a request body amounts to: what freelm knows is checked, all other fields go on as they are. */
function optionsOf({ fields, callOptions, model, signal }: ChatCall): StreamOptions {
  const known = fieldsSchema.safeParse(fields);
  if (!known.success)
    throw badBody(firstProblem(fieldsSchema, fields, '')?.slice(1) ?? 'the body is unusable');
  const wishes = ownSchema.safeParse(callOptions);
  if (!wishes.success) throw badBody(firstProblem(ownSchema, callOptions, 'freelm') ?? 'freelm: unusable');
  const others = Object.entries(fields).filter(([name]) => !WIRE_FIELDS.includes(name));
  return { ...known.data, model, ...wishes.data, signal, extraBody: Object.fromEntries(others) };
}

function answererOf(calls: Calls, pool: Pool, takesAnyModel: boolean): ChatBackend {
  return {
    takesAnyModel,
    async chat(asked) {
      const { onCut: _streams, ...options } = optionsOf(asked);
      return calls.chat(asked.messages, options);
    },
    stream: (asked) => calls.stream(asked.messages, optionsOf(asked)),
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

/** The `fetch` of a pool. */
export function restFetch(calls: Calls, pool: Pool, takesAnyModel: boolean): Fetch {
  const handler = restHandler(answererOf(calls, pool, takesAnyModel), {
    now: () => pool.clock.now(),
    redact: pool.redact,
    newId: () => `chatcmpl-${randomId()}`,
  });
  return fetchOver(handler);
}
