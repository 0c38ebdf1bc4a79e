/** A request that was refused before it became a call. */
export interface Refusal {
  readonly status: number;
  /** The code of the error. */
  readonly code: string | undefined;
  readonly message: string;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Why a response refuses its request. The Messages API has the code among the details, and Ollama's beside a text. */
export async function refusalIn(response: Response): Promise<Refusal> {
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  const error = isObject(body) ? body['error'] : undefined;
  const { message = error, details, ...rest } = isObject(error) ? error : {};
  const code =
    rest['code'] ?? (isObject(details) ? details['error_code'] : isObject(body) ? body['code'] : undefined);
  return {
    status: response.status,
    code: typeof code === 'string' ? code : undefined,
    message: typeof message === 'string' ? message : '',
  };
}
