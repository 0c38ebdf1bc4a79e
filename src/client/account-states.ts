import type { PoolAccount } from '../core/pool.ts';
import { parseJson } from '../core/json.ts';
import type { Provider } from '../providers/provider.ts';
import type { AccountEndpoint } from '../providers/quirks.ts';
import { getRequest, sendBeside } from '../providers/side-request.ts';
import type { Pool } from './pool.ts';
import { HOUR_MS } from '../core/time.ts';

/** Other programs may use the account too, but asking more often is not worth a request. */
const EVERY_MS = HOUR_MS;
const TIMEOUT_MS = 15_000;
const MAX_BYTES = 256 * 1024;

/** One account and the key to ask with. */
interface Subject {
  readonly provider: Provider;
  readonly account: PoolAccount;
  readonly keyId: string;
  readonly endpoint: AccountEndpoint;
}

/**
 * Asks account endpoints beside the calls, so that the ledger knows the real daily limit and the usage of other
 * programs before the first refusal.
 */
// spec 7.13
export class AccountStates {
  readonly #pool: Pool;
  readonly #subjects: readonly Subject[];
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#subjects = [...pool.providers.values()].flatMap((provider) => {
      const endpoint = provider.spec.account;
      if (endpoint === undefined || provider.options.discover === false) return [];
      return provider.accounts.flatMap((account) => {
        const [keyId] = account.keyIds;
        return keyId === undefined ? [] : [{ provider, account, keyId, endpoint }];
      });
    });
  }

  /**
   * Starts the requests that are due. Does not wait for them and never throws.
   * @param nowMs - monotonic
   */
  refresh(nowMs: number): void {
    if (this.#subjects.length === 0 || nowMs - this.#askedMs < EVERY_MS) return;
    this.#askedMs = nowMs;
    for (const subject of this.#subjects) this.#ask(subject).catch(() => undefined);
  }

  async #ask(subject: Subject): Promise<void> {
    const { clock, transport } = this.#pool;
    const { provider, keyId, endpoint } = subject;
    const request = { ...getRequest(provider, endpoint.path, keyId), background: true };
    const bounds = { clock, transport, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES };
    const outcome = await sendBeside(request, bounds);
    if (outcome.ok && outcome.response.status === 200) await this.#learn(subject, outcome.body);
  }

  async #learn({ provider, account, keyId, endpoint }: Subject, body: string): Promise<void> {
    const { reported } = endpoint.read(parseJson(body));
    const candidate = this.#pool.everything().find((one) => one.provider.name === provider.name);
    const [model] = candidate?.models ?? [];
    if (candidate === undefined || model === undefined || reported.length === 0) return;
    const route = { provider: provider.name, account: account.id, keyId, model: model.id };
    await this.#pool.ledger.observe({ route, provider: candidate.provider, account, model }, reported);
  }
}
