/**
 * Descriptions of bytes. A case of the fuzzer is plain data, so that it can be printed in a few lines even if it stands for
 * 30 MB.
 */

/** A text, raw bytes as hexadecimal digits, the key that was sent, repetitions, or pieces one after another. */
export type Piece =
  | string
  | { readonly hex: string }
  | { readonly key: true }
  | { readonly repeat: string; readonly times: number }
  /** As a repetition, but each `#` in the text is the number of its repetition. */
  | { readonly count: string; readonly times: number }
  | readonly Piece[];

function isList(piece: Piece): piece is readonly Piece[] {
  return Array.isArray(piece);
}

/** The bytes of a piece. `key` is written where the piece asks for it. */
export function bytesOf(piece: Piece, key = ''): Buffer {
  if (typeof piece === 'string') return Buffer.from(piece, 'utf8');
  if (isList(piece)) return Buffer.concat(piece.map((part) => bytesOf(part, key)));
  if ('hex' in piece) return Buffer.from(piece.hex, 'hex');
  if ('key' in piece) return Buffer.from(key, 'utf8');
  if ('repeat' in piece) return Buffer.from(piece.repeat.repeat(piece.times), 'utf8');
  const { count, times } = piece;
  const numbered = Array.from({ length: times }, (_, index) => count.replaceAll('#', String(index)));
  return Buffer.from(numbered.join(''), 'utf8');
}

/** JSON that may hold, as a value, JSON text that no object stands for. */
export type Doc = null | boolean | number | string | Written | readonly Doc[] | DocObject;
export interface DocObject {
  readonly [name: string]: Doc;
}

/** JSON text as it is to be sent. It need not be valid. */
export class Written {
  readonly piece: Piece;

  constructor(piece: Piece) {
    this.piece = piece;
  }
}

function isDocs(doc: Doc): doc is readonly Doc[] {
  return Array.isArray(doc);
}

/** The items of a list or the members of an object, by their names. Undefined for every other value. */
function membersOf(doc: Doc): readonly (readonly [string, Doc])[] | undefined {
  if (typeof doc !== 'object' || doc === null || doc instanceof Written) return undefined;
  return isDocs(doc) ? doc.map((item, index) => [String(index), item]) : Object.entries(doc);
}

function* texts(doc: Doc): Generator<Piece, void> {
  const members = membersOf(doc);
  if (members === undefined) {
    yield doc instanceof Written ? doc.piece : JSON.stringify(doc);
    return;
  }
  const hasNames = !isDocs(doc);
  yield hasNames ? '{' : '[';
  for (const [index, [name, value]] of members.entries()) {
    yield (index === 0 ? '' : ',') + (hasNames ? `${JSON.stringify(name)}:` : '');
    yield* texts(value);
  }
  yield hasNames ? '}' : ']';
}

/** Writes JSON. */
export function jsonOf(doc: Doc): Piece {
  const pieces: Piece[] = [];
  for (const piece of texts(doc)) {
    const last = pieces.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') pieces[pieces.length - 1] = last + piece;
    else pieces.push(piece);
  }
  return pieces;
}

/** A change of one value in JSON. */
export interface Mutation {
  /** Counts the values from the outside in, and begins again after the last one. */
  readonly at: number;
  readonly how: 'replace' | 'remove' | 'add' | 'wrap';
  /** The name of an added member. */
  readonly name: string;
  readonly value: Doc;
}

/** The path of each value that another one contains. */
function pathsIn(doc: Doc): readonly (readonly string[])[] {
  const inner = (membersOf(doc) ?? []).map(([name, value]) => {
    return [[name], ...pathsIn(value).map((path) => [name, ...path])];
  });
  return inner.flat();
}

function mutatedValue(value: Doc, { how, name, value: other }: Mutation): Doc | undefined {
  if (how === 'remove') return undefined;
  if (how === 'wrap') return [value, value];
  const members = how === 'add' ? membersOf(value) : undefined;
  if (members === undefined) return other;
  return Array.isArray(value)
    ? [...members.map(([, item]) => item), other]
    : fromMembers([...members, [name, other]]);
}

/** Unlike an assignment, this makes a member of `__proto__`. */
function fromMembers(members: readonly (readonly [string, Doc])[]): Doc {
  return Object.fromEntries(members);
}

function changed(doc: Doc, [name, ...rest]: readonly string[], mutation: Mutation): Doc | undefined {
  if (name === undefined) return mutatedValue(doc, mutation);
  const members = (membersOf(doc) ?? []).flatMap(([member, value]): (readonly [string, Doc])[] => {
    const kept = member === name ? changed(value, rest, mutation) : value;
    return kept === undefined ? [] : [[member, kept]];
  });
  return Array.isArray(doc) ? members.map(([, item]) => item) : fromMembers(members);
}

/** A document after some mutations. */
export function mutated(doc: Doc, mutations: readonly Mutation[]): Doc {
  let next = doc;
  for (const mutation of mutations) {
    const paths = pathsIn(next);
    const path = paths[mutation.at % Math.max(1, paths.length)] ?? [];
    next = changed(next, path, mutation) ?? null;
  }
  return next;
}
