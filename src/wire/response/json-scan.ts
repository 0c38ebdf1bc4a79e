const LEVELS: ReadonlyMap<string, number> = new Map([
  ['{', 1],
  ['[', 1],
  ['}', -1],
  [']', -1],
]);

/** Follows a JSON text that arrives in pieces, in one pass and without parsing it. */
export class JsonScan {
  #depth = 0;
  #isInText = false;
  #isEscaped = false;
  #isBegun = false;

  /** Whether there is more than white space. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Whether every list, object and text that was opened is closed. */
  get isComplete(): boolean {
    return this.#isBegun && this.#depth <= 0 && !this.#isInText;
  }

  read(piece: string): void {
    this.#isBegun ||= piece.trim() !== '';
    for (const character of piece) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (this.#isInText && character === '\\') this.#isEscaped = true;
      else if (character === '"') this.#isInText = !this.#isInText;
      else if (!this.#isInText) this.#depth += LEVELS.get(character) ?? 0;
    }
  }
}
