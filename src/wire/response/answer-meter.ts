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

  /** Which bound the answer exceeds with one more part. */
  excessWith(part: StreamPart): string | undefined {
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
