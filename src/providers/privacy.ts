/** Which providers may see a prompt that must not be trained on, or not be kept. */

import type { ProviderSpec } from './spec.ts';

/** What must not happen to prompts: training; or training and keeping them after the answer. */
export type Privacy = 'no-training' | 'no-logging';

export const PRIVACY_LEVELS: readonly Privacy[] = ['no-training', 'no-logging'];

/** The stricter one of two demands. */
export function strictest(one: Privacy | undefined, other: Privacy | undefined): Privacy | undefined {
  return one === 'no-logging' || other === 'no-logging' ? 'no-logging' : (one ?? other);
}

/**
 * Whether a provider is known to meet a demand.
 * @param stated - What its user says of it. It counts more than the facts.
 */
// spec 9.9
export function meetsPrivacy(
  { trains, logs = 'unknown' }: ProviderSpec['privacy'],
  stated: Privacy | undefined,
  demand: Privacy | undefined,
): boolean {
  if (demand === undefined || stated === 'no-logging' || stated === demand) return true;
  return trains === 'no' && (demand === 'no-training' || logs === 'no');
}
