/** Decides which faults apply to a request, and counts how often each one did. */

import type { Fault, FaultKind } from './fault.ts';
import { seededRandom } from '../seeded-random.ts';

/** The facts about a request that a fault can match. */
export interface FaultTarget {
  readonly now: number;
  readonly route: 'chat' | 'embeddings' | 'models' | 'account' | 'unknown';
  readonly key: string | undefined;
  /** The account of the key. `undefined` if the provider does not know the key. */
  readonly account: string | undefined;
  readonly model: string | undefined;
}

type FaultOf<Kind extends FaultKind> = Extract<Fault, { readonly kind: Kind }>;

interface Entry {
  readonly fault: Fault;
  /** Whether the fault's model pattern matches. */
  readonly matchesModel: (model: string | undefined) => boolean;
  readonly random: () => number;
  seen: number;
  triggered: number;
}

function matcherOf(pattern: string | undefined): (model: string | undefined) => boolean {
  if (pattern === undefined) return () => true;
  const escaped = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
  const shape = new RegExp(`^${escaped.replaceAll('*', '.*')}$`);
  return (model) => model !== undefined && shape.test(model);
}

/** The default route. Faults of a key apply to all routes. */
function routeOf({ kind }: Fault): 'chat' | 'any' {
  return kind === 'unauthorized' || kind === 'leaked' ? 'any' : 'chat';
}

function matchesKey({ key, account }: Fault, target: FaultTarget): boolean {
  return (key ?? target.key) === target.key && (account ?? target.account) === target.account;
}

function matches({ fault, matchesModel }: Entry, target: FaultTarget): boolean {
  const { route = routeOf(fault), from = -Infinity, until = Infinity } = fault;
  return (
    (route === 'any' || route === target.route) &&
    from <= target.now &&
    target.now < until &&
    matchesKey(fault, target) &&
    matchesModel(target.model)
  );
}

function isOf<Kind extends FaultKind>(kinds: readonly Kind[], fault: Fault): fault is FaultOf<Kind> {
  return kinds.some((kind) => kind === fault.kind);
}

/** Whether a matching fault applies this time, by its `skip`, `times` and `share`. */
function triggers(entry: Entry): boolean {
  const { skip = 0, times = Infinity, share = 1 } = entry.fault;
  entry.seen += 1;
  if (entry.seen <= skip || entry.triggered >= times || entry.random() >= share) return false;
  entry.triggered += 1;
  return true;
}

/** The faults of one provider. */
export class FaultScript {
  readonly #initial: readonly Fault[];
  readonly #seed: number;
  #entries: readonly Entry[] = [];
  #added = 0;

  constructor(initial: readonly Fault[], seed: number) {
    this.#initial = initial;
    this.#seed = seed;
    this.add(initial);
  }

  add(faults: readonly Fault[]): void {
    const entries = faults.map((fault) => {
      this.#added += 1;
      const matchesModel = matcherOf(fault.model);
      return { fault, matchesModel, random: seededRandom(this.#seed + this.#added), seen: 0, triggered: 0 };
    });
    this.#entries = [...entries, ...this.#entries];
  }

  clear(): void {
    this.#entries = [];
  }

  /** Restores the initial faults with fresh counts. */
  reset(): void {
    this.clear();
    this.#added = 0;
    this.add(this.#initial);
  }

  /** Returns the first fault of these kinds that applies, and counts it. */
  trigger<Kind extends FaultKind>(kinds: readonly Kind[], target: FaultTarget): FaultOf<Kind> | undefined {
    for (const entry of this.#entries) {
      const { fault } = entry;
      if (isOf(kinds, fault) && matches(entry, target) && triggers(entry)) return fault;
    }
    return undefined;
  }

  /** Returns all faults of this kind that apply and suit the request, and counts them. */
  triggerAll<Kind extends FaultKind>(
    kind: Kind,
    target: FaultTarget,
    suits: (fault: FaultOf<Kind>) => boolean,
  ): FaultOf<Kind>[] {
    const triggered: FaultOf<Kind>[] = [];
    for (const entry of this.#entries) {
      const { fault } = entry;
      if (isOf([kind], fault) && suits(fault) && matches(entry, target) && triggers(entry))
        triggered.push(fault);
    }
    return triggered;
  }

  /** Returns all matching faults of these kinds without counting them. For faults that describe a state. */
  active<Kind extends FaultKind>(kinds: readonly Kind[], target: FaultTarget): FaultOf<Kind>[] {
    const active: FaultOf<Kind>[] = [];
    for (const entry of this.#entries) {
      const { fault } = entry;
      if (isOf(kinds, fault) && matches(entry, target)) active.push(fault);
    }
    return active;
  }
}
