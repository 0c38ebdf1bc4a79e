import * as z from 'zod';
import { describe, expect, it } from 'vitest';
import wordings from '../../spec/vectors/wordings.json' with { type: 'json' };
import { runAllWordings } from '../vectors/wordings.ts';

const caseShape = z.object({ name: z.string(), input: z.unknown(), expect: z.unknown() });
const cases = z.array(caseShape).parse(wordings.cases);

describe('a wording has the same verdict in every shape of body, at every status and provider', () => {
  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, { input, expect: expected }) => {
    expect(runAllWordings(input)).toEqual(expected);
  });
});
