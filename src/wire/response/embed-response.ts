/** Reads the vectors of an answer with status 200. */

import { elementsOf, member } from '../../core/json.ts';
import { readDocument, refused, type RefusedAnswer, refusedWithout } from './chat-response.ts';
import { readUsage, type TokenUsage } from './token-usage.ts';

export type Vector = readonly number[];

/** The vectors of a batch, in the order of its texts. */
export interface EmbeddedBatch {
  readonly vectors: readonly Vector[];
  /** Undefined if the provider reports none. */
  readonly usage: TokenUsage | undefined;
}

export type EmbedAnswer = ({ readonly ok: true } & EmbeddedBatch) | RefusedAnswer;

/** What an answer must have. */
export interface ExpectedVectors {
  /** How many texts were sent. */
  readonly count: number;
  /** How many numbers each vector must have, if that is known. */
  readonly dimensions: number | undefined;
  /** Whether vectors are scaled to length 1. */
  readonly scales: boolean;
}

const BYTES_PER_NUMBER = 4;

/** The numbers of a text in Base64: 32-bit floating point, little-endian. Undefined if it is something else. */
function decoded(text: string): Vector | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  if (binary.length % BYTES_PER_NUMBER !== 0) return undefined;
  const view = new DataView(new ArrayBuffer(binary.length));
  for (let at = 0; at < binary.length; at += 1) view.setUint8(at, binary.charCodeAt(at));
  return Array.from({ length: binary.length / BYTES_PER_NUMBER }, (_, index) =>
    view.getFloat32(index * BYTES_PER_NUMBER, true),
  );
}

function isVector(value: unknown): value is Vector {
  return Array.isArray(value) && value.every((number: unknown) => Number.isFinite(number));
}

/** The length of a vector, in the sense of geometry. */
function lengthOf(vector: Vector): number {
  let sum = 0;
  for (const number of vector) sum += number * number;
  return Math.sqrt(sum);
}

/** A vector that can be used: it has numbers, and not only zeros. */
function readVector(entry: unknown, scales: boolean): Vector | undefined {
  const given = member(entry, 'embedding');
  const vector = typeof given === 'string' ? decoded(given) : given;
  if (!isVector(vector)) return undefined;
  const length = lengthOf(vector);
  if (!(length > 0)) return undefined;
  return scales ? vector.map((number) => number / length) : vector;
}

/**
 * The entries in the order of the texts; undefined if their numbers contradict each other. Some servers leave out the
 * number 0, or number every entry with 0: then the order of the list counts.
 */
function inOrder(entries: readonly unknown[]): readonly unknown[] | undefined {
  const given = entries.map((entry) => member(entry, 'index'));
  if (given.every((index) => index === undefined || index === 0)) return entries;
  const ordered: unknown[] = [];
  for (const [position, index] of given.entries()) {
    const at = index ?? 0;
    if (typeof at !== 'number' || !Number.isInteger(at) || at < 0 || at >= entries.length) return undefined;
    if (ordered[at] !== undefined) return undefined;
    ordered[at] = entries[position];
  }
  return ordered;
}

/** Judges the vectors of an answer. */
function judge(
  entries: readonly unknown[],
  { count, dimensions, scales }: ExpectedVectors,
): readonly Vector[] | string {
  if (entries.length !== count) return `the answer had ${entries.length} vectors for ${count} texts`;
  const ordered = inOrder(entries);
  if (ordered === undefined) return 'the vectors of the answer were numbered wrongly';
  const vectors: Vector[] = [];
  for (const [index, entry] of ordered.entries()) {
    const vector = readVector(entry, scales);
    if (vector === undefined)
      return `vector ${index} of the answer was no list of finite numbers, or all zeros`;
    const wanted = dimensions ?? vectors[0]?.length ?? vector.length;
    if (vector.length !== wanted)
      return `vector ${index} of the answer had ${vector.length} numbers instead of ${wanted}`;
    vectors.push(vector);
  }
  return vectors;
}

/** Reads and judges the body of an answer with status 200. Never throws. */
// spec 17.7
export function readEmbedResponse(body: string, expected: ExpectedVectors): EmbedAnswer {
  const document = readDocument(body);
  if (!document.ok) return document;
  const { json, content } = document;
  const data = member(json, 'data');
  if (!Array.isArray(data)) return refusedWithout('vectors', json, content);
  const vectors = judge(elementsOf(data), expected);
  const usage = readUsage(json);
  if (typeof vectors !== 'string') return { ok: true, vectors, usage };
  return { ...refused('malformed', vectors), ...(usage === undefined ? {} : { usage }) };
}
