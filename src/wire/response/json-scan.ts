const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** How much deeper what follows a character is. */
function stepOf(code: number): number {
  switch (code) {
    case 0x5b:
    case 0x7b:
      return 1;
    case 0x5d:
    case 0x7d:
      return -1;
    default:
      return 0;
  }
}

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
    for (let index = 0; index < piece.length; index += 1) {
      const code = piece.charCodeAt(index);
      if (this.#isEscaped) this.#isEscaped = false;
      else if (this.#isInText && code === BACKSLASH) this.#isEscaped = true;
      else if (code === QUOTE) this.#isInText = !this.#isInText;
      else if (!this.#isInText) this.#depth += stepOf(code);
    }
  }
}
