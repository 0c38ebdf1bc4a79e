/** Values of 200 schemas, of a pool of which a third of the models are weak. */

import { expect, it } from 'vitest';
import { seededRandom } from '../support/seeded-random.ts';
import { sampleOf } from '../support/schema-samples.ts';
import { simulatedPool } from '../support/simulated-pool.ts';
import type { ReplyRequest } from '../../src/testing.ts';

const SCHEMAS = 200;
const WEAK: ReadonlySet<string> = new Set(['weak/one:free', 'nvidia/weak-two']);
const OPENROUTER = ['weak/one:free', 'strong/a:free', 'strong/b:free'];
const NIM = ['nvidia/weak-two', 'nvidia/strong-c', 'nvidia/strong-d'];

/** The ways in which a weak model breaks its answer. */
const BREAKS: readonly ((text: string) => string)[] = [
  (text) => text.slice(0, text.length / 2),
  () => 'I am sorry, I cannot write JSON today.',
  (text) => `[${text}, ${text}]`,
  () => '{"unexpected": {"shape": [1, 2, 3]}}',
  () => '',
];

/** The number of the schema that a request is about. */
function numberIn({ messages }: ReplyRequest): number {
  return Number(/schema number (\d+)/.exec(JSON.stringify(messages))?.[1]);
}

it('come back valid, with few answers that break them', async () => {
  const random = seededRandom(11);
  const reply = (request: ReplyRequest): string => {
    const text = JSON.stringify(sampleOf(numberIn(request)).value);
    if (!WEAK.has(request.model)) return text;
    return BREAKS[Math.floor(random() * BREAKS.length)]?.(text) ?? text;
  };
  const pool = simulatedPool({
    openrouter: { models: OPENROUTER },
    nim: { models: NIM },
    reply,
    wait: true,
    timeoutMs: 3_600_000,
    maxWaitMs: 3_600_000,
  });
  let attempts = 0;
  for (let number = 0; number < SCHEMAS; number += 1) {
    const { schema, value } = sampleOf(number);
    const { data, response } = await pool.run(
      pool.llm.object(`Fill in schema number ${number}.`, { schema }),
    );
    expect(data, `schema ${number}: ${JSON.stringify(schema)}`).toEqual(value);
    attempts += response.attempts.length;
  }
  expect(attempts / SCHEMAS).toBeLessThanOrEqual(1.3);
});
