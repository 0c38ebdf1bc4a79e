/** What a pool can be asked for, as data. */

import table from '../../spec/operations.json' with { type: 'json' };
import type { ModelKind } from './model.ts';

/** The rows of `spec/operations.json`. Not derived from it: declarations that import JSON ask users for an option. */
export type OperationName = 'chat' | 'stream' | 'object' | 'embed';

/** One row of `spec/operations.json`. */
export interface OperationRow {
  /** The kind of model that it needs. */
  readonly kind: ModelKind;
  /** The path below a provider's base URL. */
  readonly path: string;
  /** Whether its answer comes in parts. */
  readonly streams: boolean;
  /** What its answer is. A text costs tokens. */
  readonly answers: 'text' | 'vectors';
}

function rowOf({ kind, path, streams, answers }: (typeof table.operations)[OperationName]): OperationRow {
  return {
    path,
    streams,
    kind: kind === 'embedding' ? 'embedding' : 'chat',
    answers: answers === 'vectors' ? 'vectors' : 'text',
  };
}

/** By name: what the operation needs and sends. */
// spec 17.1
export const OPERATIONS: Readonly<Record<OperationName, OperationRow>> = {
  chat: rowOf(table.operations.chat),
  stream: rowOf(table.operations.stream),
  object: rowOf(table.operations.object),
  embed: rowOf(table.operations.embed),
};
