/** Parts of requests, of which each member is tried with two values. */

/** Two values for each member: a call that is the same with both has lost it. */
type Values<Whole> = { readonly [Name in keyof Whole]-?: readonly [Whole[Name], Whole[Name]] };

/** A part of a request: its name in the manual, and the requests in which one member has one value or the other. */
export interface Place {
  readonly name: string;
  readonly requests: Readonly<Record<string, readonly [object, object]>>;
}

/** @param base - A part that is complete. `values` must have all members of its type but the one that tells the type. */
export function place<Part extends object>(
  name: string,
  base: Part,
  values: Values<Omit<Part, 'type'>>,
  request: (part: Part) => object,
): Place {
  const requests: Record<string, readonly [object, object]> = {};
  for (const [member, [one, other]] of Object.entries<readonly [unknown, unknown]>(values))
    requests[member] = [request({ ...base, [member]: one }), request({ ...base, [member]: other })];
  return { name, requests };
}

export const TEXTS = ['a', 'b'] as const;
export const FLAGS = [true, false] as const;
