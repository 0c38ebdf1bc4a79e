/** The scenarios, as data. What the pool is told is what is documented, unless a scenario says so. */

import { DAY, HOUR, MINUTE, SECOND } from '../support/simulated-pool.ts';
import type { FaultEffect } from '../../src/testing.ts';
import type { DayProvider, Scenario } from './scenario.ts';

/** Eight in the morning in London on a Tuesday; it is the same day in California. */
const MORNING = Date.UTC(2026, 9, 13, 8);

/** One key of each: 90 a minute that no day limits, and some that are soon used up. */
const OPENROUTER: DayProvider = {};
const GOOGLE: DayProvider = {};
const NIM: DayProvider = { limits: { rpm: 30 } };
const TRIO = { openrouter: OPENROUTER, google: GOOGLE, nim: NIM };

/** One of Google's models and NIM: 60 a minute. */
const DUO = { google: { models: ['gemma-4-31b-it'] }, nim: NIM };

const NO_WAIT = { waitMs: 0 };
/** Longer than a minute, so that whoever comes after a minute's quota is spent is still there when it is back. */
const PATIENT = { waitMs: 70 * SECOND, timeoutMs: 2 * MINUTE };

/** Two providers, of 60 and of 30 a minute. First one falls ill, so that there is not enough for all; then the other. */
const ILLNESS = {
  startAt: MORNING,
  lastsMs: 2.5 * HOUR,
  load: [{ kind: 'poisson', perHour: [1800, 2600] }],
  call: NO_WAIT,
} as const;
const FIRST = { from: [10 * MINUTE, 25 * MINUTE], lastsMs: [10 * MINUTE, 30 * MINUTE] } as const;
const SECOND_TIME = { from: [80 * MINUTE, 100 * MINUTE], lastsMs: [10 * MINUTE, 30 * MINUTE] } as const;

/** Nothing else could serve a call, and it does not line up. */
const ALONE = {
  startAt: MORNING,
  lastsMs: 3 * HOUR,
  load: [{ kind: 'poisson', perHour: 60 * 20 }],
  call: NO_WAIT,
} as const;

const BLACKOUTS = [
  { kind: 'reset', from: HOUR, lastsMs: 5 * MINUTE },
  { kind: 'reset', from: 4 * HOUR, lastsMs: 15 * MINUTE },
] as const;

function ill(fault: FaultEffect): Scenario['providers'] {
  return {
    google: { models: ['gemma-4-31b-it', 'gemma-4-26b-a4b-it'], faults: [{ ...fault, ...FIRST }] },
    nim: { ...NIM, faults: [{ ...fault, ...SECOND_TIME }] },
  };
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'steady',
    about: 'A working day below what the keys can do.',
    startAt: MORNING,
    lastsMs: 12 * HOUR,
    load: [{ kind: 'office', perHour: [900, 1200] }],
    call: NO_WAIT,
    providers: TRIO,
  },
  {
    name: 'cold-bursts',
    about:
      'A crowd at once, from a cold start and every few minutes; mostly less than the keys can take, sometimes more.',
    startAt: MORNING,
    lastsMs: 3 * HOUR,
    load: [{ kind: 'bursts', size: [40, 130], everyMs: 3 * MINUTE }],
    call: NO_WAIT,
    providers: TRIO,
  },
  {
    name: 'bursts-that-wait',
    about: 'Crowds of up to twice a minute’s quota that line up for a minute.',
    startAt: MORNING,
    lastsMs: 3 * HOUR,
    load: [{ kind: 'bursts', size: [60, 180], everyMs: 4 * MINUTE }],
    call: PATIENT,
    providers: TRIO,
  },
  {
    name: 'overload',
    about: 'Three times as many calls as the keys can serve; whoever is too many is refused at once.',
    startAt: MORNING,
    lastsMs: 2 * HOUR,
    load: [{ kind: 'poisson', perHour: 3 * 60 * 60 }],
    call: NO_WAIT,
    providers: DUO,
  },
  {
    name: 'overload-that-waits',
    about: 'Three times as many calls as the keys can serve, and all line up.',
    startAt: MORNING,
    lastsMs: 2 * HOUR,
    load: [{ kind: 'poisson', perHour: 3 * 60 * 60 }],
    call: PATIENT,
    providers: DUO,
  },
  {
    name: 'two-midnights',
    about: 'Small day quotas for two days: one day ends in Greenwich, the other in California.',
    startAt: Date.UTC(2026, 9, 13, 15),
    lastsMs: 2 * DAY,
    load: [{ kind: 'poisson', perHour: [60, 80] }],
    call: NO_WAIT,
    providers: {
      openrouter: { accounts: [1, 1] },
      google: { models: ['gemini-3.8-flash', 'gemini-3.7-flash', 'gemini-3.5-flash-lite'], accounts: [1, 1] },
    },
  },
  {
    name: 'clocks-back',
    about: 'Small day quotas over the day of 25 hours on which California sets its clocks back.',
    startAt: Date.UTC(2026, 9, 31, 12),
    lastsMs: 2 * DAY,
    load: [{ kind: 'poisson', perHour: [60, 80] }],
    call: NO_WAIT,
    providers: { google: { models: ['gemini-3.8-flash', 'gemini-3.5-flash-lite'], accounts: [1, 1] } },
  },
  {
    name: 'clocks-forward',
    about: 'Small day quotas over the day of 23 hours on which California sets its clocks forward.',
    startAt: Date.UTC(2027, 2, 13, 12),
    lastsMs: 2 * DAY,
    load: [{ kind: 'poisson', perHour: [60, 80] }],
    call: NO_WAIT,
    providers: { google: { models: ['gemini-3.8-flash', 'gemini-3.5-flash-lite'], accounts: [1, 1] } },
  },
  {
    name: 'rough-road',
    about:
      'Requests take 10 to 400 ms to arrive, so that what is sent a minute apart arrives less than a minute apart.',
    startAt: MORNING,
    lastsMs: 2 * HOUR,
    load: [{ kind: 'poisson', perHour: 60 * 65 }],
    call: PATIENT,
    providers: DUO,
    roadMs: [10, 400],
  },
  {
    name: 'tokens',
    about:
      'Long prompts against limits of tokens a minute, at three quarters of what they allow; the calls line up.',
    startAt: MORNING,
    lastsMs: 3 * HOUR,
    load: [{ kind: 'poisson', perHour: 60 * 24 }],
    call: { ...PATIENT, promptTokens: [100, 1500], answerTokens: [20, 300], maxTokens: 300 },
    providers: {
      google: { models: ['gemma-4-31b-it'] },
      custom: { limits: { tpm: 18_000 }, told: { tpm: 18_000 }, quota: { tokens: 'total' } },
    },
  },
  {
    name: 'groq',
    about:
      'Models that count prompts and the longest answers, in buckets that refill, and tell it in headers; the calls line up.',
    startAt: MORNING,
    lastsMs: 40 * MINUTE,
    load: [{ kind: 'poisson', perHour: 60 * 36 }],
    call: { ...PATIENT, promptTokens: [100, 1600], answerTokens: [20, 400], maxTokens: 400 },
    providers: {
      custom: {
        as: 'groq',
        accounts: [1, 1, 1],
        models: ['openai/gpt-oss-120b', 'openai/gpt-oss-20b', 'qwen/qwen3.8-27b'],
        limits: { rpm: 30, rpd: 1000, tpm: 8000 },
        quota: { per: 'account-model', limiter: 'token-bucket', tokens: 'reserved', headers: true },
      },
    },
  },
  {
    name: 'dead-keys',
    about: 'Of nine keys three were never valid, and one account has no credit.',
    startAt: MORNING,
    lastsMs: 8 * HOUR,
    load: [{ kind: 'poisson', perHour: [500, 700] }],
    call: NO_WAIT,
    providers: {
      openrouter: {
        accounts: [1, 1, 1],
        faults: [
          { kind: 'unauthorized', key: 'openrouter-0-0' },
          { kind: 'out-of-credits', account: 'account-1' },
        ],
      },
      google: { accounts: [1, 1, 1], faults: [{ kind: 'unauthorized', key: 'google-1-0' }] },
      nim: { ...NIM, accounts: [2, 1], faults: [{ kind: 'unauthorized', key: 'nim-0-0' }] },
    },
  },
  {
    name: 'revoked-keys',
    about: 'Keys are revoked under load: one is found in public, one account closes.',
    startAt: MORNING,
    lastsMs: 4 * HOUR,
    load: [{ kind: 'poisson', perHour: [1200, 1600] }],
    call: NO_WAIT,
    providers: {
      openrouter: {
        accounts: [1, 1],
        tier: 'credit',
        faults: [{ kind: 'unauthorized', key: 'openrouter-0-0', from: [HOUR, 2 * HOUR] }],
      },
      google: { accounts: [2, 1], faults: [{ kind: 'leaked', key: 'google-0-0', from: [HOUR, 2 * HOUR] }] },
      nim: {
        ...NIM,
        accounts: [1, 1],
        faults: [{ kind: 'unauthorized', account: 'account-0', from: [HOUR, 2 * HOUR] }],
      },
    },
  },
  {
    name: 'outage-reset',
    about: 'First one provider resets every connection, later another.',
    ...ILLNESS,
    providers: ill({ kind: 'reset' }),
  },
  {
    name: 'outage-page',
    about: 'First one provider’s gateway answers with a page and status 502, later another’s.',
    ...ILLNESS,
    providers: ill({ kind: 'outage' }),
  },
  {
    name: 'outage-500',
    about: 'First every model of one provider answers 500, later of another.',
    ...ILLNESS,
    providers: ill({ kind: 'server-error', status: 500 }),
  },
  {
    name: 'outage-503',
    about: 'First every model of one provider answers 503, later of another.',
    ...ILLNESS,
    providers: ill({ kind: 'server-error', status: 503 }),
  },
  {
    name: 'outage-garbage',
    about: 'First every model of one provider answers 200 with nonsense, later of another.',
    ...ILLNESS,
    providers: ill({ kind: 'garbage' }),
  },
  {
    name: 'hanging',
    about: 'First one provider takes requests and never answers, later another.',
    ...ILLNESS,
    providers: ill({ kind: 'hang' }),
  },
  {
    name: 'blackout',
    about: 'The network is gone for everything, for some minutes, twice.',
    ...ILLNESS,
    lastsMs: 6 * HOUR,
    load: [{ kind: 'poisson', perHour: [800, 1200] }],
    providers: {
      google: { models: ['gemma-4-31b-it'], faults: BLACKOUTS },
      nim: { ...NIM, faults: BLACKOUTS },
    },
  },
  {
    name: 'congested',
    about: 'One of a provider’s models is overloaded for hours, the others are not.',
    ...ILLNESS,
    providers: {
      google: {
        faults: [
          {
            kind: 'congested',
            model: 'gemma-4-31b-it',
            from: [10 * MINUTE, HOUR],
            lastsMs: [HOUR, 2 * HOUR],
          },
        ],
      },
      openrouter: {
        tier: 'credit',
        faults: [
          { kind: 'congested', model: 'z-ai/glm-5.2:free', from: [0, HOUR], lastsMs: [2 * HOUR, 3 * HOUR] },
        ],
      },
    },
  },
  {
    name: 'congested-by-share',
    about: 'One model in each place turns away a third of all requests, all day.',
    ...ILLNESS,
    load: [{ kind: 'poisson', perHour: [1200, 1600] }],
    providers: {
      google: { faults: [{ kind: 'congested', model: 'gemma-4-31b-it', share: 0.35 }] },
      openrouter: {
        tier: 'credit',
        faults: [{ kind: 'congested', model: 'z-ai/glm-5.2:free', share: 0.35 }],
      },
    },
  },
  {
    name: 'congested-in-waves',
    about: 'A provider’s best model is overloaded for some minutes again and again.',
    ...ILLNESS,
    providers: {
      ...TRIO,
      google: {
        faults: [
          {
            kind: 'congested',
            model: 'gemma-4-31b-it',
            from: [MINUTE, 10 * MINUTE],
            lastsMs: [2 * MINUTE, 8 * MINUTE],
            everyMs: [20 * MINUTE, 40 * MINUTE],
          },
        ],
      },
    },
  },
  {
    name: 'busy-by-share',
    about:
      'There is one provider, and it turns away three requests of ten with "overloaded", whatever the model.',
    ...ALONE,
    providers: { google: { faults: [{ kind: 'congested', share: 0.3 }] } },
  },
  {
    name: 'errors-by-share',
    about: 'There is one provider, and a quarter of its answers are errors.',
    ...ALONE,
    providers: { google: { faults: [{ kind: 'server-error', share: 0.25 }] } },
  },
  {
    name: 'resets-by-share',
    about: 'There is one provider, and a quarter of the connections to it break.',
    ...ALONE,
    providers: { google: { faults: [{ kind: 'reset', share: 0.25 }] } },
  },
  {
    name: 'hangs-by-share',
    about: 'A tenth of all requests is never answered, at two providers that are both needed.',
    startAt: MORNING,
    lastsMs: 3 * HOUR,
    load: [{ kind: 'poisson', perHour: 60 * 45 }],
    call: PATIENT,
    providers: {
      google: { faults: [{ kind: 'hang', share: 0.1 }] },
      nim: { ...NIM, faults: [{ kind: 'hang', share: 0.1 }] },
    },
  },
  {
    name: 'low-limits-named',
    about:
      'Limits are a third of what is documented, and refusals name them; the calls take all that there is.',
    startAt: MORNING,
    lastsMs: 3 * HOUR,
    load: [{ kind: 'poisson', perHour: 60 * 45 }],
    call: PATIENT,
    providers: {
      google: {
        models: ['gemma-4-31b-it', 'gemma-4-26b-a4b-it'],
        accounts: [1, 1],
        limits: { rpm: 10, rpd: 14_400 },
      },
    },
  },
  {
    name: 'low-limits-unnamed',
    about:
      'Limits are a third of what is documented, and refusals say nothing; the calls take all that there is.',
    startAt: MORNING,
    lastsMs: 3 * HOUR,
    load: [{ kind: 'poisson', perHour: 60 * 25 }],
    call: PATIENT,
    providers: { nim: { accounts: [1, 1], limits: { rpm: 10 } } },
  },
  {
    name: 'limits-raised',
    about: 'Limits are low in the morning, and from about noon on as documented.',
    startAt: MORNING,
    lastsMs: DAY,
    load: [{ kind: 'poisson', perHour: 60 * 30 }],
    call: PATIENT,
    providers: {
      google: {
        models: ['gemma-4-31b-it'],
        faults: [{ kind: 'limits', rpm: 10, lastsMs: [3.5 * HOUR, 4.5 * HOUR] }],
      },
      nim: { ...NIM, faults: [{ kind: 'limits', rpm: 10, lastsMs: [3.5 * HOUR, 4.5 * HOUR] }] },
    },
  },
  {
    name: 'another-program',
    about:
      'Another program spends most of the tokens of one model, as the answers tell, and some of the day of another key.',
    startAt: MORNING,
    lastsMs: 3 * HOUR,
    load: [{ kind: 'poisson', perHour: 280 }],
    call: { ...PATIENT, promptTokens: [100, 800], answerTokens: [20, 400], maxTokens: 400 },
    providers: {
      openrouter: { elsewherePerHour: 4 },
      custom: {
        as: 'groq',
        models: ['openai/gpt-oss-120b', 'openai/gpt-oss-20b', 'qwen/qwen3.8-27b'],
        limits: { rpm: 30, rpd: 14_400, tpm: 8000 },
        told: { rpd: 14_400 },
        quota: { per: 'account-model', limiter: 'token-bucket', tokens: 'reserved', headers: true },
        elsewherePerHour: 150,
      },
    },
  },
  {
    name: 'another-program-unseen',
    about:
      'Another program spends a third of the minutes of one key, now more, now less, and no answer tells.',
    startAt: MORNING,
    lastsMs: 4 * HOUR,
    load: [{ kind: 'poisson', perHour: 60 * 25 }],
    // The oracle knows when the other program is going to spend. Whoever does not, and may waste one call in fifty, has to
    // leave it its share and three times what that varies by: 12 to 13 of 30 are left, of 20 on average.
    bar: 0.55,
    call: PATIENT,
    providers: { nim: { ...NIM, elsewherePerHour: 600 } },
  },
  {
    name: 'one-account',
    about: 'Three keys of one account at each provider, and nobody says that they belong together.',
    startAt: MORNING,
    lastsMs: 3 * HOUR,
    load: [{ kind: 'poisson', perHour: 60 * 50 }],
    call: PATIENT,
    providers: {
      openrouter: { accounts: [3], declared: false },
      google: { accounts: [3], declared: false, models: ['gemini-3.8-flash', 'gemma-4-31b-it'] },
      nim: { ...NIM, accounts: [3], declared: false },
    },
  },
  {
    name: 'retired-models',
    about: 'Models are retired under load.',
    ...ILLNESS,
    providers: {
      openrouter: {
        tier: 'credit',
        faults: [{ kind: 'retired', model: 'z-ai/glm-5.2:free', from: [HOUR, 2 * HOUR] }],
      },
      google: { faults: [{ kind: 'retired', model: 'gemma-4-31b-it', from: [HOUR, 2 * HOUR] }] },
      nim: {
        ...NIM,
        models: ['z-ai/glm-5.3', 'moonshotai/kimi-k3'],
        faults: [{ kind: 'retired', model: 'z-ai/glm-5.3', from: [HOUR, 2 * HOUR] }],
      },
    },
  },
  {
    name: 'not-entitled',
    about: 'Models that are listed, but not for these accounts.',
    ...ILLNESS,
    providers: {
      openrouter: {
        tier: 'credit',
        accounts: [1, 1],
        faults: [{ kind: 'not-entitled', as: 'closed', model: 'z-ai/glm-5.2:free' }],
      },
      google: { accounts: [1, 1], faults: [{ kind: 'not-entitled', model: 'gemma-4-31b-it' }] },
    },
  },
  {
    name: 'bad-day',
    about: 'A working day of a larger pool on which much of this happens.',
    startAt: MORNING,
    lastsMs: 10 * HOUR,
    load: [
      { kind: 'office', perHour: [700, 1000] },
      { kind: 'bursts', size: [10, 60], everyMs: 20 * MINUTE },
    ],
    call: { waitMs: 20 * SECOND },
    providers: {
      openrouter: {
        accounts: [1, 1],
        faults: [
          { kind: 'outage', from: [2 * HOUR, 3 * HOUR], lastsMs: [10 * MINUTE, HOUR] },
          { kind: 'unauthorized', key: 'openrouter-1-0', from: [3 * HOUR, 6 * HOUR] },
          { kind: 'retired', model: 'z-ai/glm-5.2:free', from: [HOUR, 8 * HOUR] },
        ],
      },
      google: {
        accounts: [1, 1],
        faults: [
          { kind: 'congested', model: 'gemma-4-31b-it', from: [HOUR, 2 * HOUR], lastsMs: [HOUR, 3 * HOUR] },
          { kind: 'server-error', from: [5 * HOUR, 6 * HOUR], lastsMs: [5 * MINUTE, 20 * MINUTE] },
          { kind: 'not-entitled', model: 'gemini-3.8-flash' },
        ],
      },
      nim: {
        ...NIM,
        accounts: [1, 1],
        faults: [
          { kind: 'hang', from: [4 * HOUR, 5 * HOUR], lastsMs: [10 * MINUTE, 30 * MINUTE] },
          { kind: 'unauthorized', account: 'account-1', from: [6 * HOUR, 8 * HOUR] },
        ],
      },
    },
  },
];
