import { elementsOf, type JsonObject } from '../../core/json.ts';
import { MOST, moreThan } from './answer-bounds.ts';
import type { StreamPart } from './stream-part.ts';

/** Adds up what the parts of one answer hold. */
// spec 14.11
export class AnswerMeter {
  #characters = 0;
  #callCharacters = 0;
  #entries = 0;
  readonly #fields = new Set<string>();

  /** The first of some more parts with which the answer exceeds a bound, and the bound. */
  excessIn(parts: readonly StreamPart[]): { readonly at: number; readonly message: string } | undefined {
    for (const [at, part] of parts.entries()) {
      const message = this.#excessWith(part);
      if (message !== undefined) return { at, message };
    }
    return undefined;
  }

  #excessWith(part: StreamPart): string | undefined {
    if (part.type === 'text' || part.type === 'reasoning') return this.#withText(part.text);
    if (part.type === 'extra') return this.#withFields(part.fields);
    if (part.type !== 'tool-call') return undefined;
    const { argumentsDelta, extra } = part;
    return this.#withArguments(argumentsDelta) ?? (extra && this.#withFields(extra));
  }

  #withArguments(delta: string): string | undefined {
    this.#callCharacters += delta.length;
    if (this.#callCharacters > MOST.callCharacters)
      return moreThan(MOST.callCharacters, 'characters of arguments');
    return this.#withText(delta);
  }

  #withText({ length }: string): string | undefined {
    this.#characters += length;
    return this.#characters > MOST.characters ? moreThan(MOST.characters, 'characters') : undefined;
  }

  #withFields(fields: JsonObject): string | undefined {
    for (const name of Object.keys(fields)) {
      this.#fields.add(name);
      this.#entries += elementsOf(fields[name]).length;
    }
    if (this.#fields.size > MOST.extraFields) return moreThan(MOST.extraFields, 'other fields');
    return this.#entries > MOST.extraEntries
      ? moreThan(MOST.extraEntries, 'entries in lists of other fields')
      : undefined;
  }
}
