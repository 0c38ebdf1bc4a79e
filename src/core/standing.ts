/** How the providers that can serve a call stand, and which of them goes first. */

import { type AccountRecord, keyOf } from './account-record.ts';
import { setbacksOf, type Tried } from './exclusion.ts';
import type { Pick, Records } from './plan.ts';
import type { Cost } from './price.ts';
import type { Standing, Strategy } from './strategy.ts';

/** How a provider stands; its latency is looked up only by those who ask for it. */
export class ProviderStanding implements Standing {
  readonly name: string;
  readonly index: number;
  readonly priority: number;
  readonly price: number;
  readonly minuteUse: number;
  readonly pick: Pick;
  readonly #records: Records;

  constructor(records: Records, { price, minuteUse }: Cost, pick: Pick) {
    this.name = pick.provider.name;
    this.index = pick.provider.index;
    this.priority = pick.provider.priority;
    this.price = price;
    this.minuteUse = minuteUse;
    this.pick = pick;
    this.#records = records;
  }

  get latencyMs(): number | undefined {
    let total = 0;
    let known = 0;
    for (const account of this.pick.provider.accounts) {
      const record: AccountRecord = this.#records.account(account);
      for (const keyId of account.keyIds) {
        const { latencyMs } = keyOf(record, keyId);
        if (latencyMs === undefined) continue;
        total += latencyMs;
        known += 1;
      }
    }
    return known === 0 ? undefined : total / known;
  }
}

/** The best of several providers: the strategy's first among those that failed this call least. */
export function bestOf(
  standings: readonly ProviderStanding[],
  tries: readonly Tried[],
  order: Strategy,
  turn: number,
): Pick | undefined {
  let best: Standing | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const standing of order(standings, turn)) {
    const setbacks = setbacksOf(tries, standing.name);
    if (setbacks >= fewest) continue;
    best = standing;
    fewest = setbacks;
  }
  // A strategy of the user's own may give back whatever it likes: what it names is looked up, not trusted.
  return (standings.find(({ name }) => name === best?.name) ?? standings[0])?.pick;
}
