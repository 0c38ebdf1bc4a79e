/** A request that is turned away at the door. */

/** What it is told, in OpenAI's words. */
export interface HttpErrorInit {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export class HttpError extends Error {
  static override readonly name: string = 'Denial';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor({ status, code, message, headers = {} }: HttpErrorInit) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  /** The answer with OpenAI's error object. */
  toResponse(): Response {
    const { message, code } = this;
    const type = this.status < 500 ? 'invalid_request_error' : 'server_error';
    const body = JSON.stringify({ error: { message, type, param: null, code } });
    const headers = { 'content-type': 'application/json', 'x-should-retry': 'false', ...this.headers };
    return new Response(body, { status: this.status, headers });
  }
}
