/** The quick test of options and messages passes nothing that their schemas refuse. */

import * as z from 'zod/mini';
import { describe, expect, it } from 'vitest';
import { BadRequestError } from '../../src/errors.ts';
import { quickMatch } from '../../src/check.ts';
import { readMessages } from '../../src/client/messages.ts';
import fc from '../support/fast-check.ts';

const fields = { role: z.enum(['user', 'tool']), count: z.optional(z.int()), text: z.optional(z.string()) };
const schema = z.strictObject(fields);
const matches = quickMatch(fields);

describe('the quick test of an object', () => {
  it('passes nothing that the schema refuses', () => {
    const name = fc.constantFrom('role', 'count', 'text', 'other', 'constructor');
    const member = fc.constantFrom('user', 'tool', 'x', 1, 1.5, null, undefined);
    fc.assert(
      fc.property(fc.dictionary(name, member), (value) => {
        const isPlain = matches({ ...value });
        expect(!isPlain || schema.safeParse({ ...value }).success).toBe(true);
      }),
    );
  });

  it.each([
    ['all members', { role: 'user', count: 1, text: '' }],
    ['the required ones', { role: 'tool' }],
    ['an optional one that is undefined', { role: 'user', count: undefined }],
  ])('passes a plain object with %s', (_, value) => {
    expect(matches(value)).toBe(true);
  });

  it.each([
    ['inherits a member', Object.assign(Object.create({ count: 'x' }), { role: 'user' })],
    ['hides a member', Object.defineProperty({ role: 'user' }, 'count', { value: 'x' })],
    ['lacks a required member', {}],
    ['has an unknown member', { role: 'user', other: 1 }],
  ])('leaves an object that %s to the schema', (_, value: object) => {
    expect(matches(value)).toBe(false);
  });
});

describe('the messages of a call', () => {
  it('have no hole', () => {
    const messages = [{ role: 'user', content: 'Hello' } as const];
    messages.length = 2;
    expect(() => readMessages(messages)).toThrow(BadRequestError);
  });
});
