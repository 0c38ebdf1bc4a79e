/** Requests to the server that the page came from, with the token. */

const TOKEN_KEY = 'freelm.token';
export const TIMEOUT_MS = 10_000;

/** The token, kept for the session. If storage is switched off, it lasts as long as the page. */
export const token = {
  value: '',
  read() {
    try {
      this.value = sessionStorage.getItem(TOKEN_KEY) ?? '';
    } catch {
      this.value = '';
    }
  },
  /** @param {string} value */
  set(value) {
    this.value = value;
    try {
      if (value === '') sessionStorage.removeItem(TOKEN_KEY);
      else sessionStorage.setItem(TOKEN_KEY, value);
    } catch {
      // Storage is switched off.
    }
  },
};

/**
 * The header of a request.
 * @returns {Record<string, string>}
 */
export function authorization() {
  return token.value === '' ? {} : { authorization: `Bearer ${token.value}` };
}

/**
 * Sends JSON to a route of the server.
 * @param {string} path
 * @param {object} body
 * @param {AbortSignal} signal
 */
export function post(path, body, signal) {
  const headers = { ...authorization(), 'content-type': 'application/json' };
  return fetch(path, { method: 'POST', headers, body: JSON.stringify(body), signal, credentials: 'omit' });
}
