import fc from '../../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { estimateTokens } from '../../../src/wire/request/token-estimate.ts';
import { countText } from '../../../src/wire/request/text-tokens.ts';
import { anyConversation, anyFields } from './conversations.ts';

const anyText = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.lorem(),
  fc.base64String(),
);

describe('an estimate of tokens', () => {
  it('accepts any request and does not mutate it', () => {
    fc.assert(
      fc.property(anyConversation, anyFields, (messages, fields) => {
        const { prompt, least } = estimateTokens({ messages, fields });
        expect(Number.isInteger(prompt)).toBe(true);
        expect(least).toBeGreaterThanOrEqual(0);
        expect(prompt).toBeGreaterThanOrEqual(least);
      }),
    );
  });

  it('of a text is never below its lower bound', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { likely, least } = countText(text);
        expect(likely).toBeGreaterThanOrEqual(least);
      }),
    );
  });

  it('never shrinks when a message is added', () => {
    fc.assert(
      fc.property(anyText, anyText, (text, more) => {
        const [short, long] = [countText(text), countText(text + more)];
        expect(long.likely).toBeGreaterThanOrEqual(short.likely);
        expect(long.least).toBeGreaterThanOrEqual(short.least);
      }),
    );
  });

  it('of two separate texts is about the sum of theirs', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        const sum = countText(a).likely + countText(b).likely;
        const together = countText(`${a}\n${b}`).likely;
        expect(Math.abs(together - sum)).toBeLessThanOrEqual(2);
      }),
    );
  });

  it.each([1, 100, 100_000])('of an image does not depend on its %d bytes', (bytes) => {
    const url = `data:image/png;base64,${'A'.repeat(bytes)}`;
    const messages = [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] as const;
    expect(estimateTokens({ messages, fields: {} }).prompt).toBe(1007);
  });
});
