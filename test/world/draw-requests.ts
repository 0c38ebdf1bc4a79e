/** Draws what models like, how odd their answers are, and the requests of calls. */

import type { Fault, Requirement, RequirementName, Oddity } from '../../src/testing.ts';
import {
  REQUIREMENT_NAMES,
  OFFENDING_REQUESTS,
  type OffendingRequest,
  toolNamed,
} from '../support/offending-requests.ts';
import type { DayCall, DayProvider } from './scenario.ts';

type Random = () => number;

export interface DayRequest extends OffendingRequest {
  readonly streams: boolean;
}

const ODDITIES: readonly Oddity[] = [
  'no-usage',
  'null-choice',
  'null-tool-call',
  'reasoning-details',
  'json-then-done',
  'stream-instead',
  'no-finish-reason',
  'null-chunks',
  'drifting-indexes',
  'one-index',
];

/** Pairs that no request with the field in question can satisfy. The second one is left out. */
const CONTRARY: readonly (readonly [RequirementName, RequirementName])[] = [
  ['max-tokens-only', 'max-completion-tokens-only'],
  ['no-reasoning-fields', 'reasoning-content-back'],
];

/** Forms with tests of their own: the models of a day do not see, and a day is compared with earlier ones. */
const ELSEWHERE: ReadonlySet<RequirementName> = new Set([
  'images-as-data',
  'short-tool-ids',
  'thought-signatures',
]);
const DRAWN: readonly RequirementName[] = REQUIREMENT_NAMES.filter((name) => !ELSEWHERE.has(name));

/** The requirements of one model. */
export function drawRequirements(share: number, random: Random): readonly Requirement[] {
  const words = random() < 0.5 ? 'known' : 'unknown';
  const drawn = DRAWN.filter(() => random() < share);
  const left = drawn.filter((name) => !CONTRARY.some(([a, b]) => name === b && drawn.includes(a)));
  return left.map((name) => ({ name, words, wording: Math.floor(random() * 60) }));
}

/** The faults that a provider's `oddities` stand for. */
export function drawnFaultsOf({ oddities: share }: DayProvider, random: Random): Fault[] {
  if (share === undefined) return [];
  return ODDITIES.filter(() => random() < 0.5).map((as) => ({ kind: 'odd', as, share }));
}

const HELLO: OffendingRequest['messages'] = [{ role: 'user', content: 'Hello' }];

/** Most usual requests are plain, some have tools. */
function usualRequest(random: Random): OffendingRequest {
  return random() < 0.7 ? { messages: HELLO } : { messages: HELLO, fields: { tools: [toolNamed('look')] } };
}

/** The requests of a day. */
export function drawRequests(
  { mixed = 0, streamed = 0 }: DayCall,
  count: number,
  random: Random,
): readonly DayRequest[] {
  if (mixed === 0 && streamed === 0) return [];
  const offending = DRAWN.map((name) => OFFENDING_REQUESTS[name]);
  return Array.from({ length: count }, () => {
    const streams = random() < streamed;
    if (random() >= mixed) return { ...usualRequest(random), streams };
    const group = offending[Math.floor(random() * offending.length)] ?? [];
    return { ...(group[Math.floor(random() * group.length)] ?? { messages: HELLO }), streams };
  });
}
