/** The answers that a provider gives gladly: completions and the model list. */

import { completionOf } from './completion.ts';
import { goOn } from './continuation.ts';
import { jsonReply, type Reply } from './exchange.ts';
import { limitOf, spendingOf, type Arrival, type ChatArrival, type House, type Verdict } from './house.ts';
import type { Latency } from './options.ts';
import { errorInside, firstHalf, plainAnswer, SPOILERS, withBody, type Spoiler } from './plain-answer.ts';
import { withRateHeaders } from './rate-headers.ts';
import { streamAnswer } from './stream-answer.ts';

function spanOf(house: House, latency: Latency): number {
  if (typeof latency === 'number') return latency;
  const [least, most] = latency;
  return least + Math.floor(house.random() * (most - least));
}

/** A chat request that nothing refuses. */
export function completionVerdict(house: House, arrival: ChatArrival): Verdict {
  const { dialect, models } = house;
  const { chat, known, now, owner } = arrival;
  const model = dialect.resolve(known, models).id;
  const { messages, body, lastUserText, continuing } = chat;
  const reply = house.reply({
    provider: dialect.name,
    account: owner.name,
    model,
    lastUserText,
    continuing,
    messages,
    body,
  });
  const said = goOn(reply, continuing, known.continues ?? house.continues);
  const completion = completionOf(said, chat, { serial: house.nextSerial(), now, model });
  house.quotas.answered(spendingOf(arrival), completion.completionTokens, (rule) =>
    limitOf(house, arrival, rule),
  );
  const answer = chat.stream ? streamAnswer : plainAnswer;
  const verdict = answer(house, arrival, completion);
  return {
    ...verdict,
    reply: withRateHeaders(house, arrival, verdict.reply),
    delayMs: spanOf(house, known.latencyMs ?? house.latencyMs),
  };
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
      return { outcome, reply: { ...reply, body: firstHalf(reply.body) } };
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
