/** How clients mark the requests of one conversation. */

/** Of Codex, Claude Code, OpenCode, and those that some gateways know. */
const HEADERS: readonly string[] = [
  'session_id',
  'session-id',
  'x-session-id',
  'x-claude-code-session-id',
  'x-opencode-session',
  'x-session-affinity',
  'conversation_id',
];

/**
 * The mark of a request's conversation; undefined if the client gives none.
 * @param own - What the body has.
 */
export function sessionOf(headers: Headers, own: unknown): string | undefined {
  if (typeof own === 'string' && own !== '') return own;
  for (const name of HEADERS) {
    const value = headers.get(name);
    if (value !== null && value !== '') return value;
  }
  return undefined;
}
