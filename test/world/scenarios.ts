/** The scenarios. The pool has the documented limits unless a scenario configures others. */

import { DAY, HOUR, MINUTE, SECOND } from '../support/simulated-pool.ts';
import type { FaultEffect } from '../../src/testing.ts';
import { FINDING_SCENARIOS } from './finding-scenarios.ts';
import type { DayProvider, Scenario } from './scenario.ts';

/** Eight in the morning in London on a Tuesday, the same day in California. */
const MORNING = Date.UTC(2026, 9, 13, 8);

/** One key each: 90 requests a minute without a daily limit, and some with a small daily limit. The user states NIM's. */
const OPENROUTER: DayProvider = {};
const GOOGLE: DayProvider = {};
const NIM: DayProvider = { limits: { rpm: 30 }, configured: { rpm: 30 } };
const TRIO = { openrouter: OPENROUTER, google: GOOGLE, nim: NIM };

/** One of Google's models and NIM: 60 requests a minute. */
const DUO = { google: { models: ['gemma-4-31b-it'] }, nim: NIM };

const NO_WAIT = { waitMs: 0 };
/** Longer than a minute, so that a call can wait until the quota of a minute is back. */
const PATIENT = { waitMs: 70 * SECOND, timeoutMs: 2 * MINUTE };

/** Two providers with 60 and 30 requests a minute. First one fails, so that quota is short, then the other. */
const TWO_FAILURES = {
  startAt: MORNING,
  lastsMs: 2.5 * HOUR,
  load: [{ kind: 'poisson', perHour: [1800, 2600] }],
  call: NO_WAIT,
} as const;
const FIRST = { from: [10 * MINUTE, 25 * MINUTE], lastsMs: [10 * MINUTE, 30 * MINUTE] } as const;
const SECOND_TIME = { from: [80 * MINUTE, 100 * MINUTE], lastsMs: [10 * MINUTE, 30 * MINUTE] } as const;

/** One provider, and calls that do not wait. */
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

/** Three of nine keys were never valid, and one account has no credit: a process that forgets pays for it again. */
const DEAD_KEYS: Scenario['providers'] = {
  openrouter: {
    accounts: [1, 1, 1],
    faults: [
      { kind: 'unauthorized', key: 'openrouter-0-0' },
      { kind: 'out-of-credits', account: 'account-1' },
    ],
  },
  google: { accounts: [1, 1, 1], faults: [{ kind: 'unauthorized', key: 'google-1-0' }] },
  nim: { ...NIM, accounts: [2, 1], faults: [{ kind: 'unauthorized', key: 'nim-0-0' }] },
};

/** Bursts that need all of a minute's quota and wait for the next. */
const SHARED_BURSTS = {
  startAt: MORNING,
  lastsMs: 3 * HOUR,
  load: [{ kind: 'bursts', size: [60, 180], everyMs: 4 * MINUTE }],
  call: PATIENT,
  providers: TRIO,
} as const;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'steady',
    about: 'A working day below the capacity of the keys.',
    startAt: MORNING,
    lastsMs: 12 * HOUR,
    load: [{ kind: 'office', perHour: [900, 1200] }],
    call: NO_WAIT,
    providers: TRIO,
  },
  {
    name: 'conversations',
    about: 'The steady day, where each call is a turn of one of a dozen conversations.',
    startAt: MORNING,
    lastsMs: 12 * HOUR,
    load: [{ kind: 'office', perHour: [900, 1200] }],
    call: { ...NO_WAIT, conversations: 12 },
    providers: TRIO,
  },
  {
    name: 'cold-bursts',
    about:
      'Bursts from a cold start and every few minutes, mostly below the capacity of the keys, sometimes above.',
    startAt: MORNING,
    lastsMs: 3 * HOUR,
    load: [{ kind: 'bursts', size: [40, 130], everyMs: 3 * MINUTE }],
    call: NO_WAIT,
    providers: TRIO,
  },
  {
    name: 'bursts-that-wait',
    about: 'Bursts of up to twice a minute’s quota that wait for a minute.',
    startAt: MORNING,
    lastsMs: 3 * HOUR,
    load: [{ kind: 'bursts', size: [60, 180], everyMs: 4 * MINUTE }],
    call: PATIENT,
    providers: TRIO,
  },
  {
    name: 'overload',
    about: 'Three times as many calls as the keys can serve, without waiting.',
    startAt: MORNING,
    lastsMs: 2 * HOUR,
    load: [{ kind: 'poisson', perHour: 3 * 60 * 60 }],
    call: NO_WAIT,
    providers: DUO,
  },
  {
    name: 'overload-that-waits',
    about: 'Three times as many calls as the keys can serve, and all wait.',
    startAt: MORNING,
    lastsMs: 2 * HOUR,
    load: [{ kind: 'poisson', perHour: 3 * 60 * 60 }],
    call: PATIENT,
    providers: DUO,
  },
  {
    name: 'two-midnights',
    about: 'Small daily quotas for two days, with midnights in UTC and in California.',
    startAt: Date.UTC(2026, 9, 13, 15),
    lastsMs: 2 * DAY,
    load: [{ kind: 'poisson', perHour: [60, 80] }],
    call: NO_WAIT,
    providers: {
      openrouter: { accounts: [1, 1] },
      google: { models: ['gemini-3.8-flash', 'gemini-3.6-flash', 'gemini-3.5-flash-lite'], accounts: [1, 1] },
    },
  },
  {
    name: 'clocks-back',
    about: 'Small daily quotas over the 25-hour day on which California sets its clocks back.',
    startAt: Date.UTC(2026, 9, 31, 12),
    lastsMs: 2 * DAY,
    load: [{ kind: 'poisson', perHour: [60, 80] }],
    call: NO_WAIT,
    providers: { google: { models: ['gemini-3.8-flash', 'gemini-3.5-flash-lite'], accounts: [1, 1] } },
  },
  {
    name: 'clocks-forward',
    about: 'Small daily quotas over the 23-hour day on which California sets its clocks forward.',
    startAt: Date.UTC(2027, 2, 13, 12),
    lastsMs: 2 * DAY,
    load: [{ kind: 'poisson', perHour: [60, 80] }],
    call: NO_WAIT,
    providers: { google: { models: ['gemini-3.8-flash', 'gemini-3.5-flash-lite'], accounts: [1, 1] } },
  },
  {
    name: 'rough-road',
    about:
      'Network delays of 10 to 400 ms, so that requests sent a minute apart may arrive less than a minute apart.',
    startAt: MORNING,
    lastsMs: 2 * HOUR,
    load: [{ kind: 'poisson', perHour: 60 * 65 }],
    call: PATIENT,
    providers: DUO,
    networkMs: [10, 400],
  },
  {
    name: 'tokens',
    about: 'Long prompts at three quarters of the limits in tokens per minute. The calls wait.',
    startAt: MORNING,
    lastsMs: 3 * HOUR,
    load: [{ kind: 'poisson', perHour: 60 * 24 }],
    call: { ...PATIENT, promptTokens: [100, 1500], answerTokens: [20, 300], maxTokens: 300 },
    providers: {
      google: { models: ['gemma-4-31b-it'] },
      custom: { limits: { tpm: 18_000 }, configured: { tpm: 18_000 }, quota: { tokens: 'total' } },
    },
  },
  {
    name: 'groq',
    about: 'Token buckets that count prompts and max_tokens and are reported in headers. The calls wait.',
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
    about: 'Three of nine keys were never valid, and one account has no credit.',
    startAt: MORNING,
    lastsMs: 8 * HOUR,
    load: [{ kind: 'poisson', perHour: [500, 700] }],
    call: NO_WAIT,
    providers: DEAD_KEYS,
  },
  {
    name: 'revoked-keys',
    about: 'Keys are revoked under load: one was leaked, one account is closed.',
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
    ...TWO_FAILURES,
    providers: ill({ kind: 'reset' }),
  },
  {
    name: 'outage-page',
    about: 'First one provider’s gateway answers with an HTML page and status 502, later another’s.',
    ...TWO_FAILURES,
    providers: ill({ kind: 'outage' }),
  },
  {
    name: 'outage-500',
    about: 'First every model of one provider answers 500, later those of another.',
    ...TWO_FAILURES,
    providers: ill({ kind: 'server-error', status: 500 }),
  },
  {
    name: 'outage-503',
    about: 'First every model of one provider answers 503, later those of another.',
    ...TWO_FAILURES,
    providers: ill({ kind: 'server-error', status: 503 }),
  },
  {
    name: 'outage-garbage',
    about: 'First every model of one provider answers 200 with garbage, later those of another.',
    ...TWO_FAILURES,
    providers: ill({ kind: 'garbage' }),
  },
  {
    name: 'hanging',
    about: 'First one provider accepts requests and never answers, later another.',
    ...TWO_FAILURES,
    providers: ill({ kind: 'hang' }),
  },
  {
    name: 'blackout',
    about: 'The whole network fails for some minutes, twice.',
    ...TWO_FAILURES,
    lastsMs: 6 * HOUR,
    load: [{ kind: 'poisson', perHour: [800, 1200] }],
    providers: {
      google: { models: ['gemma-4-31b-it'], faults: BLACKOUTS },
      nim: { ...NIM, faults: BLACKOUTS },
    },
  },
  {
    name: 'congested',
    about: 'One model of a provider is overloaded for hours, the others are not.',
    ...TWO_FAILURES,
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
    about: 'One model of each provider refuses a third of its requests all day.',
    ...TWO_FAILURES,
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
    about: 'A provider’s best model is repeatedly overloaded for some minutes.',
    ...TWO_FAILURES,
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
    about: 'One provider, with errors in a quarter of its answers.',
    ...ALONE,
    providers: { google: { faults: [{ kind: 'server-error', share: 0.25 }] } },
  },
  {
    name: 'resets-by-share',
    about: 'One provider, with resets of a quarter of its connections.',
    ...ALONE,
    providers: { google: { faults: [{ kind: 'reset', share: 0.25 }] } },
  },
  {
    name: 'hangs-by-share',
    about: 'Two providers, both needed, that never answer a tenth of their requests.',
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
    about: 'Limits are low in the morning and as documented from about noon on.',
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
        configured: { rpd: 14_400 },
        quota: { per: 'account-model', limiter: 'token-bucket', tokens: 'reserved', headers: true },
        elsewherePerHour: 150,
      },
    },
  },
  {
    name: 'another-program-unseen',
    about: 'Another program uses a varying third of one key’s quota per minute, and no answer reports it.',
    startAt: MORNING,
    lastsMs: 4 * HOUR,
    load: [{ kind: 'poisson', perHour: 60 * 25 }],
    // The oracle knows the other program's requests in advance. A scheduler that may waste one request in fifty has to
    // reserve their mean and three standard deviations, so 12 to 13 of 30 are left instead of 20 on average.
    bar: 0.55,
    call: PATIENT,
    providers: { nim: { ...NIM, elsewherePerHour: 600 } },
  },
  {
    name: 'one-account',
    about: 'Three keys of one account at each provider, which the pool does not know.',
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
    ...TWO_FAILURES,
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
    about: 'Models are listed but closed to these accounts.',
    ...TWO_FAILURES,
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
    name: 'requirements',
    about:
      'Each model refuses some forms of requests that the others take, half of the models without a reason.',
    startAt: MORNING,
    lastsMs: 12 * HOUR,
    load: [{ kind: 'office', perHour: [700, 900] }],
    call: { ...NO_WAIT, mixed: 0.5, streamed: 0.3 },
    providers: {
      openrouter: { requirements: 0.3 },
      google: { requirements: 0.3 },
      nim: { ...NIM, requirements: 0.3 },
      custom: {
        models: ['custom-large', 'custom-small'],
        limits: { rpm: 30 },
        configured: { rpm: 30 },
        requirements: 0.3,
      },
    },
  },
  {
    name: 'oddities',
    about:
      'Each provider writes a third of its answers oddly, in ways of its own, and one sometimes spends its tokens early.',
    startAt: MORNING,
    lastsMs: 12 * HOUR,
    load: [{ kind: 'office', perHour: [900, 1200] }],
    call: { ...NO_WAIT, mixed: 0.2, streamed: 0.5 },
    providers: {
      openrouter: { oddities: 0.3 },
      google: { oddities: 0.3 },
      nim: { ...NIM, oddities: 0.3, faults: [{ kind: 'empty', as: 'length', share: 0.02 }] },
    },
  },
  {
    name: 'bad-day',
    about: 'A working day of a larger pool with many of these faults.',
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
  {
    name: 'restarts',
    about: 'The day of dead keys with a process that is restarted every five minutes.',
    startAt: MORNING,
    lastsMs: 8 * HOUR,
    load: [{ kind: 'poisson', perHour: [500, 700] }],
    call: NO_WAIT,
    providers: DEAD_KEYS,
    deployment: { restartEveryMs: 5 * MINUTE },
  },
  {
    name: 'four-processes',
    about: 'Bursts that wait, at four processes that share a store.',
    ...SHARED_BURSTS,
    deployment: { processes: 4 },
  },
  {
    name: 'eight-processes',
    about: 'Bursts that wait, at eight processes that share a store.',
    ...SHARED_BURSTS,
    deployment: { processes: 8 },
  },
  {
    name: 'clocks-differ',
    about: 'Bursts that wait, at two machines that share a store and whose clocks differ by five minutes.',
    ...SHARED_BURSTS,
    deployment: { processes: 2, clocksDifferByMs: 5 * MINUTE },
  },
  {
    name: 'store-fails',
    about: 'Bursts that wait, and a store that fails for an hour.',
    ...SHARED_BURSTS,
    deployment: { store: 'fails' },
  },
  {
    name: 'store-slow',
    about: 'Bursts that wait, at two processes with a store that takes 20 ms for each operation.',
    ...SHARED_BURSTS,
    deployment: { processes: 2, store: 'slow' },
  },
  ...FINDING_SCENARIOS,
];
