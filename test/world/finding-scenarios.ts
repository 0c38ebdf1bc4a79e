/** Scenarios in which the pool must find limits out: those that it assumes, and those that no refusal names. */

import { HOUR, MINUTE, SECOND } from '../support/simulated-pool.ts';
import type { Scenario } from './scenario.ts';

/** Eight in the morning in London on a Tuesday. */
const MORNING = Date.UTC(2026, 9, 13, 8);
/** Six hours before the end of a day in UTC. */
const EVENING = Date.UTC(2026, 9, 13, 18);
const PATIENT = { waitMs: 70 * SECOND, timeoutMs: 2 * MINUTE };
const MODELS = ['z-ai/glm-5.3', 'moonshotai/kimi-k3', 'openai/gpt-oss-20b'];
const THREE_HOURS = { startAt: MORNING, lastsMs: 3 * HOUR } as const;

/** One of Google's models whose limit was cut to a third. Its refusals say so. */
const CUT = { models: ['gemma-4-31b-it'], limits: { rpm: 10, rpd: 14_400 } };

/** The pool assumes that NIM takes 30 requests a minute per account and per model, and NIM says nothing. */
export const FINDING_SCENARIOS: readonly Scenario[] = [
  {
    name: 'assumed-far-too-low',
    about: 'One model takes three times as many requests as assumed, and the calls need all of them.',
    ...THREE_HOURS,
    load: [{ kind: 'poisson', perHour: 60 * 90 }],
    call: PATIENT,
    providers: { nim: { limits: { rpm: 90 } } },
  },
  {
    name: 'assumed-counted-per-model',
    about:
      'Three models at two accounts take 30 requests a minute each; the assumption for an account is 30, too.',
    ...THREE_HOURS,
    load: [{ kind: 'poisson', perHour: 60 * 150 }],
    call: PATIENT,
    providers: { nim: { accounts: [1, 1], models: MODELS, limits: { rpm: 30 } } },
  },
  {
    name: 'assumed-counted-per-account',
    about: 'An account takes 60 requests a minute over its three models, twice as many as assumed.',
    ...THREE_HOURS,
    load: [{ kind: 'poisson', perHour: 60 * 65 }],
    call: PATIENT,
    providers: { nim: { models: MODELS, limits: { rpm: 60 }, quota: { per: 'account' } } },
  },
  {
    name: 'assumed-right',
    about: 'The assumption is right, and three times as many calls come: what it costs to ask for more.',
    ...THREE_HOURS,
    load: [{ kind: 'poisson', perHour: 60 * 90 }],
    call: PATIENT,
    providers: { nim: { limits: { rpm: 30 } } },
  },
  {
    name: 'assumed-raised-and-cut',
    about:
      'A limit is as assumed in the morning, raised to three times as much about noon, and cut to half about three.',
    startAt: MORNING,
    lastsMs: 10 * HOUR,
    load: [{ kind: 'poisson', perHour: 60 * 60 }],
    call: PATIENT,
    providers: {
      nim: {
        limits: { rpm: 30 },
        // Of two that apply, the first counts.
        faults: [
          { kind: 'limits', rpm: 15, from: [6.5 * HOUR, 7.5 * HOUR] },
          { kind: 'limits', rpm: 90, from: [3.5 * HOUR, 4.5 * HOUR] },
        ],
      },
    },
  },
  {
    name: 'two-meters',
    about:
      'Two accounts take 12 requests a minute instead of 30 over their models, beside a provider whose limit was cut.',
    ...THREE_HOURS,
    load: [{ kind: 'poisson', perHour: 60 * 33 }],
    call: PATIENT,
    providers: {
      nim: { accounts: [1, 1], models: MODELS, limits: { rpm: 12 }, quota: { per: 'account' } },
      google: CUT,
    },
  },
  {
    name: 'two-meters-by-model',
    about: 'The same, but each model of an account takes 12.',
    ...THREE_HOURS,
    load: [{ kind: 'poisson', perHour: 60 * 75 }],
    call: PATIENT,
    providers: { nim: { accounts: [1, 1], models: MODELS, limits: { rpm: 12 } }, google: CUT },
  },
  {
    name: 'two-meters-minute-and-day',
    about:
      'Bursts at an endpoint that takes a third of the requests a day that it documents, and refuses without a word.',
    startAt: EVENING,
    lastsMs: 12 * HOUR,
    load: [{ kind: 'bursts', size: [10, 28], everyMs: 4 * MINUTE }],
    call: PATIENT,
    providers: {
      custom: {
        limits: { rpm: 30, rpd: 600 },
        configured: { rpm: 30, rpd: 1800 },
        quota: { refusal: 'nothing' },
      },
    },
  },
  {
    name: 'bursts-of-a-second',
    about: 'Bursts at an endpoint that takes two requests a second and says for how long to wait.',
    ...THREE_HOURS,
    load: [{ kind: 'bursts', size: [5, 60], everyMs: MINUTE }],
    call: PATIENT,
    providers: { custom: { limits: { rps: 2 }, quota: { refusal: 'hint' } } },
  },
  {
    name: 'crowd-without-a-hint',
    about: 'Crowds that wait at an account that takes 12 requests a minute instead of 30 and says nothing.',
    ...THREE_HOURS,
    load: [{ kind: 'bursts', size: [10, 60], everyMs: 3 * MINUTE }],
    call: PATIENT,
    providers: { nim: { models: MODELS, limits: { rpm: 12 }, quota: { per: 'account' } } },
  },
];
