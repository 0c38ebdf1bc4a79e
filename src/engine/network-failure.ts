import { codeOf, messageOf } from '../adapters/thrown.ts';
import type { Failure } from '../core/failure.ts';

/** Codes of errors that occur before the request is sent, so that the provider cannot have counted it. */
const BEFORE_SENDING: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/**
 * Classifies a connection error. The error itself is not kept: it may hold the request, which holds a key. spec 7.11
 * @param answered - Whether the status had arrived, which means that the body broke.
 */
export function networkFailure(error: unknown, answered: boolean): Failure {
  const code = codeOf(error);
  const text = messageOf(error);
  return {
    kind: answered ? 'broken_stream' : 'network',
    scope: 'provider',
    message: code === undefined || text.includes(code) ? text : `${text} (${code})`,
    ...(!answered && code !== undefined && BEFORE_SENDING.has(code) ? { uncounted: true } : {}),
  };
}
