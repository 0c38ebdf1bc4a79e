import * as z from 'zod';
import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import wordings from '../../spec/vectors/wordings.json' with { type: 'json' };
import { runAllWordings } from '../vectors/wordings.ts';

const caseShape = z.object({ name: z.string(), input: z.unknown(), expect: z.unknown() });
const cases = z.array(caseShape).parse(wordings.cases);

it('a wording has the same verdict in every shape of body, at every status and provider', () => {
  const unlike = cases.filter(
    ({ input, expect: expected }) => !isDeepStrictEqual(runAllWordings(input), expected),
  );
  expect(unlike.map(({ name }) => name)).toEqual([]);
});
