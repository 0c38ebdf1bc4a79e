/** The forms of a request that some models insist on, although most accept any. */

export type RequirementName =
  /** Text only as a string, not as a list of parts. */
  | 'no-content-lists'
  /** No role `developer`. */
  | 'no-developer-role'
  /** At most one system message, and only as the first message. */
  | 'one-system-message'
  /** User and assistant in turn, without counting tool calls and their results. */
  | 'alternating-roles'
  /** No `tools: []`. */
  | 'no-empty-tools'
  /** No `tool_choice` without `tools`. */
  | 'no-tool-choice-alone'
  /** No assistant message without content and tool calls. */
  | 'no-empty-assistant'
  /** No lone surrogate in a string. */
  | 'well-formed-text'
  /** No two tool calls of a conversation with the same id. */
  | 'unique-tool-ids'
  /** Ids of tool calls of letters, digits, `_` and `-`, at most 64 of them, and not empty. */
  | 'lawful-tool-ids'
  /** Ids of tool calls of exactly nine letters and digits. */
  | 'short-tool-ids'
  /**
   * In each assistant message with tool calls, the first call with its signature: the one that Google sent, or the one
   * that Google documents for calls of other models.
   */
  | 'thought-signatures'
  /** Images as data URLs, not by address. */
  | 'images-as-data'
  /** No reasoning in messages. */
  | 'no-reasoning-fields'
  /** `reasoning_content`, at least an empty one, in assistant messages with tool calls. */
  | 'reasoning-content-back'
  /** `max_tokens`, not `max_completion_tokens`. */
  | 'max-tokens-only'
  /** `max_completion_tokens`, not `max_tokens`. */
  | 'max-completion-tokens-only'
  /** Only the usual fields of a request. */
  | 'no-unknown-fields'
  /** Function names that begin with a letter or `_`, and consist of letters, digits, `_` and `-`. At most 64 characters. */
  | 'plain-function-names'
  /** Only the basic keywords of JSON Schema. */
  | 'plain-schemas'
  /** No last message by the assistant. */
  | 'no-last-assistant';

/** A form that a model insists on. It refuses all other requests. */
export interface Requirement {
  readonly name: RequirementName;
  /**
   * Whether the refusal says what is wrong, or only that something is.
   * @defaultValue 'known'
   */
  readonly words?: 'known' | 'unknown' | undefined;
  /** The number of the wording, cyclically. @defaultValue one that depends on the model */
  readonly wording?: number | undefined;
}

/** A status and a message. */
export interface Wording {
  readonly status: number;
  readonly message: string;
}
