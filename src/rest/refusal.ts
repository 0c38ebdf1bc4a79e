/** A request that is refused before a model is asked. */

/** What it is refused with, in the words of OpenAI's error object. */
export interface RefusalInit {
  readonly status: number;
  readonly message: string;
  /** The field of the body that is at fault. */
  readonly param?: string | undefined;
  readonly code?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Becomes an answer with OpenAI's error object. */
export class Refusal extends Error {
  static override readonly name: string = 'Refusal';
  readonly init: RefusalInit;

  constructor(init: RefusalInit) {
    super(init.message);
    this.init = init;
  }
}

/** Refuses a body because of one problem, whose text begins with the field. */
export function badBody(problem: string): Refusal {
  const param = /^[\w.[\]]+(?=:| has no )/.exec(problem)?.[0];
  return new Refusal({ status: 400, message: `${problem}.`, param });
}
