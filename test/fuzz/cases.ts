/** The cases of the fuzzer: what they are, how they are drawn from a seed, and how one is run. */

import fc from '../support/fast-check.ts';
import { type Script, script } from './answers.ts';
import { exchange, holdBodies, type Outcome } from './exchange.ts';
import { hostileText, hostileValue, mutants } from './hostile-json.ts';
import { bytesOf, type Piece } from './piece.ts';
import type { HostileProvider } from './provider.ts';
import { type HostileRequest, hostileRequest } from './requests.ts';
import { CALL_KINDS, type ClientCall, type Subject } from './subject.ts';
import { outcomeFaults } from './verdict.ts';

/** Requests to a server of their own. */
interface ServerCase {
  readonly attacks: 'server';
  readonly requests: readonly { readonly request: HostileRequest; readonly leaves: boolean }[];
  /** Whether all requests are sent at once. */
  readonly together: boolean;
  /** Connections that meanwhile hold an unfinished body of so many bytes. */
  readonly held: { readonly connections: number; readonly bytes: number };
  readonly script: Script;
}

/** Calls of a pool of their own, one after another. */
interface ClientCase {
  readonly attacks: 'client';
  readonly calls: readonly (Omit<ClientCall, 'input' | 'options'> & {
    readonly input: Piece;
    readonly options: Piece;
  })[];
  readonly script: Script;
}

export type Case = ServerCase | ClientCase;

const plainInput = fc.constant<Piece>('Hello');
const input = fc.oneof(
  { weight: 4, arbitrary: plainInput },
  { weight: 1, arbitrary: hostileText },
  {
    weight: 2,
    arbitrary: mutants(fc.constant([{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }])),
  },
);
const options = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Piece>('{}') },
  {
    weight: 1,
    arbitrary: mutants(fc.constant({ model: 'auto', temperature: 1, stop: ['x'], extraBody: { a: 1 } })),
  },
  { weight: 1, arbitrary: mutants(fc.constant({}), hostileValue) },
);

const abortsAfterMs = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(0, 3, 40) },
);

const anyCase: fc.Arbitrary<Case> = fc.oneof(
  fc.record({
    attacks: fc.constant('server' as const),
    together: fc.boolean(),
    held: fc.oneof(
      { weight: 40, arbitrary: fc.constant({ connections: 0, bytes: 0 }) },
      {
        weight: 2,
        arbitrary: fc.constantFrom({ connections: 50, bytes: 0 }, { connections: 50, bytes: 100_000 }),
      },
      { weight: 1, arbitrary: fc.constant({ connections: 40, bytes: 30_000_000 }) },
    ),
    requests: fc.array(
      fc.record({
        request: hostileRequest,
        leaves: fc.oneof(
          { weight: 9, arbitrary: fc.constant(false) },
          { weight: 1, arbitrary: fc.constant(true) },
        ),
      }),
      { minLength: 1, maxLength: 8 },
    ),
    script,
  }),
  fc.record({
    attacks: fc.constant('client' as const),
    calls: fc.array(
      fc.record({
        how: fc.constantFrom(...CALL_KINDS),
        input,
        options,
        reads: fc.constantFrom(1, 3, 1_000_000),
        abortsAfterMs,
      }),
      { minLength: 1, maxLength: 4 },
    ),
    script,
  }),
);

/** The case with this number in the run of a seed. */
export function caseOf(seed: number, number: number): Case {
  const [drawn] = fc.sample(anyCase, { seed: seed + number * 7919, numRuns: 1 });
  if (drawn === undefined) throw new Error('fast-check has drawn no case');
  return drawn;
}

/** The pool's own limits are below one second. */
const ANSWER_TIMEOUT_MS = 15_000;

const HEALTH: HostileRequest = { method: 'GET', path: '/health', headers: [], body: '', framing: 'none' };

async function attackServer(
  subject: Subject,
  upstream: string,
  { requests, together, held }: ServerCase,
): Promise<readonly string[]> {
  const port = await subject.open(upstream);
  const send = async (request: HostileRequest, leaves = false): Promise<readonly string[]> => {
    const outcome: Outcome = await exchange(port, request, { leaves, timeoutMs: ANSWER_TIMEOUT_MS });
    return leaves ? [] : outcomeFaults(request, outcome);
  };
  const release = await holdBodies(port, held);
  const faults: string[] = [];
  if (together)
    faults.push(...(await Promise.all(requests.map(({ request, leaves }) => send(request, leaves)))).flat());
  else for (const { request, leaves } of requests) faults.push(...(await send(request, leaves)));
  release();
  faults.push(...(await send(HEALTH)).map((fault) => `afterwards, /health: ${fault}`));
  return [...faults, ...(await subject.close())];
}

/** What went wrong in a case, apart from time and memory. */
export async function faultsOf(
  subject: Subject,
  provider: HostileProvider,
  one: Case,
): Promise<readonly string[]> {
  provider.play(one.script);
  try {
    return one.attacks === 'server'
      ? await attackServer(subject, provider.url, one)
      : await subject.call(
          provider.url,
          one.calls.map(({ input: body, options: more, ...call }) => ({
            ...call,
            input: bytesOf(body).toString('utf8'),
            options: bytesOf(more).toString('utf8'),
          })),
        );
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
