/** Remembers each conversation's last route, so that the next turn can use the prompt cache of the provider. */

import { createHash } from 'node:crypto';
import type { Route } from '../core/pool.ts';
import { jsonText, member } from '../core/json.ts';

/** How many conversations are remembered. */
const MAX_CONVERSATIONS = 1000;

/** The latest conversations. Each is identified by a hash, so none of its text is kept. */
export class Affinity {
  readonly #routes = new Map<string, Route>();

  routeOf(conversation: string): Route | undefined {
    return this.#routes.get(conversation);
  }

  note(conversation: string, route: Route): void {
    this.#routes.delete(conversation);
    this.#routes.set(conversation, route);
    if (this.#routes.size <= MAX_CONVERSATIONS) return;
    for (const oldest of this.#routes.keys()) {
      this.#routes.delete(oldest);
      return;
    }
  }
}

/** The messages with which a conversation begins: those up to the user's first one. */
function beginningOf(messages: readonly unknown[]): readonly unknown[] {
  return messages.slice(0, messages.findIndex((message) => member(message, 'role') === 'user') + 1);
}

/**
 * The name of a conversation. Calls for different models belong to different conversations.
 * @param mark - The client's own mark. Default: the messages with which the conversation begins.
 */
export function conversationOf(
  model: string | undefined,
  mark: string | undefined,
  messages: readonly unknown[],
): string {
  const text = jsonText([model ?? '', mark ?? beginningOf(messages)]);
  return createHash('sha256').update(text).digest('base64');
}
