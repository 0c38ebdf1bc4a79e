/** The answers that a provider gives gladly, and the faults that spoil them. */

import { completionOf } from './completion.ts';
import type { Completion } from './completion.ts';
import { jsonReply } from './exchange.ts';
import type { JsonObject, Reply } from './exchange.ts';
import type { Fault } from './fault.ts';
import type { Arrival, ChatArrival, House, Verdict } from './house.ts';

const SPOILERS = ['error-in-200', 'empty', 'malformed', 'garbage', 'cut', 'content-filter'] as const;
type Spoiler = Extract<Fault, { readonly kind: (typeof SPOILERS)[number] }>;

function withBody(reply: Reply, body: JsonObject): Reply {
  return { ...reply, body: JSON.stringify(body) };
}

function bodyText({ body }: Reply): string {
  return typeof body === 'string' ? body : body.join('');
}

function firstHalf(reply: Reply): Reply {
  const text = bodyText(reply);
  return { ...reply, body: text.slice(0, Math.floor(text.length / 2)) };
}

/** The provider's own error body, but with the status of a success. */
function errorInside(house: House, arrival: Arrival): Reply {
  const reply = house.dialect.refuse['server-error']({ status: 502 }, arrival);
  return { ...reply, status: 200 };
}

function failedChoice(reply: Reply): Reply {
  const message = { role: 'assistant', content: '' };
  const error = { code: 502, message: 'Provider disconnected mid-stream' };
  return withBody(reply, { choices: [{ index: 0, message, finish_reason: 'error', error }], usage: {} });
}

/** Serves one request: the sound answer, made anew from whatever completion a fault puts in place. */
interface Served {
  readonly completion: Completion;
  readonly write: (completion: Completion) => Reply;
}

function emptied(as: 'text' | 'choices' | 'body', { completion, write }: Served): Reply {
  switch (as) {
    case 'text':
      return write({ ...completion, text: '', reasoning: undefined, toolCalls: [], completionTokens: 0 });
    case 'choices':
      return withBody(write(completion), { object: 'chat.completion', choices: [] });
    case 'body':
      return { ...write(completion), body: '' };
  }
}

function spoil(spoiler: Spoiler, served: Served, house: House, arrival: Arrival): Verdict {
  const { completion, write } = served;
  const outcome = spoiler.kind;
  switch (spoiler.kind) {
    case 'error-in-200':
      return {
        outcome,
        reply: spoiler.as === 'choice' ? failedChoice(write(completion)) : errorInside(house, arrival),
      };
    case 'empty':
      return { outcome, reply: emptied(spoiler.as ?? 'text', served) };
    case 'malformed':
      return { outcome, reply: firstHalf(write(completion)) };
    case 'garbage':
      return { outcome, reply: withBody(write(completion), { choices: 'none', usage: [] }) };
    case 'cut':
      return { outcome, reply: write(completion), fault: 'cut' };
    case 'content-filter': {
      const filtered = { ...completion, text: '', toolCalls: [], finishReason: 'content_filter' };
      return { outcome, reply: write(filtered) };
    }
  }
}

/** A chat request that nothing refuses. */
export function completionVerdict(house: House, arrival: ChatArrival): Verdict {
  const { dialect, models, script } = house;
  const { chat, known, now, owner } = arrival;
  const model = dialect.resolve(known, models).id;
  const { messages, body, lastUserText } = chat;
  const said = house.reply({
    provider: dialect.name,
    account: owner.name,
    model,
    lastUserText,
    messages,
    body,
  });
  const served: Served = {
    completion: completionOf(said, chat, { serial: house.nextSerial(), now, model }),
    write: (completion) => {
      const written = dialect.complete(completion);
      return { status: 200, headers: written.headers, body: JSON.stringify(written.body) };
    },
  };
  const spoiler = script.strike(SPOILERS, arrival);
  const verdict: Verdict =
    spoiler === undefined
      ? { outcome: 'served', reply: served.write(served.completion) }
      : spoil(spoiler, served, house, arrival);
  return { ...verdict, delayMs: known.latencyMs ?? house.latencyMs };
}

function spoilList(spoiler: Spoiler, reply: Reply, house: House, arrival: Arrival): Verdict {
  const outcome = spoiler.kind;
  switch (spoiler.kind) {
    case 'error-in-200':
      return { outcome, reply: errorInside(house, arrival) };
    case 'empty':
      return {
        outcome,
        reply: spoiler.as === 'body' ? { ...reply, body: '' } : withBody(reply, { data: [] }),
      };
    case 'malformed':
      return { outcome, reply: firstHalf(reply) };
    case 'garbage': {
      const data = [null, 42, 'model', {}, { id: 7 }, { id: '' }, [], { id: { id: 'nested' } }];
      return { outcome, reply: withBody(reply, { data }) };
    }
    case 'cut':
      return { outcome, reply, fault: 'cut' };
    case 'content-filter':
      return { outcome, reply: jsonReply(200, {}) };
  }
}

/** The model list, without what is hidden or, where the provider hides them, retired. */
export function listVerdict(house: House, arrival: Arrival): Verdict {
  const { dialect, models, script } = house;
  const retired = ({ id }: { readonly id: string }): boolean =>
    script.holding(['retired', 'unknown-model'], { ...arrival, route: 'chat', model: id }).length > 0;
  const listed = models.filter(
    (model) => model.listed !== false && (dialect.listsRetired || !retired(model)),
  );
  const reply = dialect.listModels(listed);
  const spoiler = script.strike(SPOILERS, arrival);
  if (spoiler === undefined) return { outcome: 'served', reply };
  return spoilList(spoiler, reply, house, arrival);
}
