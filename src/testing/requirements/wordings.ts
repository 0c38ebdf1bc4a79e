/** How model servers word their refusals. Each form has the words of several families of servers. */

import { hashText } from '../seeded-random.ts';
import type { Requirement, RequirementName, Wording } from './requirement.ts';
import type { Offence } from './offences.ts';

type Words = (first: string, all: Offence) => Wording;

function words(message: (first: string, all: Offence) => string, status = 400): Words {
  return (first, all) => ({ status, message: message(first, all) });
}

const EXTRA_INPUTS = (first: string): string =>
  `body -> ${first}\n  Extra inputs are not permitted (type=extra_forbidden)`;

const KNOWN: Readonly<Record<RequirementName, readonly Words[]>> = {
  'no-content-lists': [
    words(() => 'Message content as a list is only supported for user messages.'),
    words((at) => `messages[${at}].content: invalid type: sequence, expected a string`, 422),
    words((at) => `'messages.${at}.content' : value must be a string`),
  ],
  'no-developer-role': [
    words(
      (at) =>
        `developer is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.[${at}].role'`,
    ),
    words(
      (at) =>
        `messages[${at}].role: unknown variant \`developer\`, expected one of \`system\`, \`user\`, \`assistant\`, \`tool\``,
      422,
    ),
    words(() => 'Unexpected message role: developer'),
  ],
  'one-system-message': [
    words(() => 'System message must be at the beginning.'),
    words(() => 'Only one system message is allowed, and it must be the first message.'),
    words(() => 'This model does not support multiple system messages.'),
  ],
  'alternating-roles': [
    words(() => 'Conversation roles must alternate user/assistant/user/assistant/...'),
    words(
      () =>
        'After the optional system message, conversation roles must alternate user and assistant roles except for tool calls and results.',
    ),
    words(
      () =>
        'messages: roles must alternate between "user" and "assistant", but found multiple "user" roles in a row',
    ),
  ],
  'no-empty-tools': [
    words(() => "[] is too short - 'tools'"),
    words(
      () =>
        "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    ),
    words(() => 'tools must not be an empty array', 422),
  ],
  'no-tool-choice-alone': [
    words(() => "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."),
    words(() => 'When using `tool_choice`, `tools` must be set.'),
    words(() => 'tool_choice requires tools to be provided', 422),
  ],
  'no-empty-assistant': [
    words(() => "Assistant message must contain either 'content' or 'tool_calls'!"),
    words(
      (at) =>
        `messages.${at}: all messages must have non-empty content except for the optional final assistant message`,
    ),
    words(() => 'Assistant message must have either content or tool_calls, but not none.'),
  ],
  'well-formed-text': [
    words(() => 'Failed to parse the request body as JSON: unexpected end of hex escape at line 1 column 84'),
    words(() => 'The request body is not valid JSON: no low surrogate in string: line 1 column 84 (char 83)'),
    words(() => "'utf-8' codec can't encode character '\\ud83d' in position 23: surrogates not allowed"),
  ],
  'unique-tool-ids': [
    words((id) => `tool_call ids must be unique, found ${id} twice`),
    words((id) => `Duplicate value for 'tool_call_id' of '${id}' in messages.`),
    words(() => 'messages: `tool_use` ids must be unique'),
  ],
  'lawful-tool-ids': [
    words((id) => `Tool call id was ${id} but must be a-z, A-Z, 0-9, with a length of 9.`),
    words(() => "messages.1.tool_calls.0.id: String should match pattern '^[a-zA-Z0-9_-]+$'"),
    words(
      () =>
        "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 64.",
    ),
  ],
  'short-tool-ids': [
    words((id) => `Tool call id was ${id} but must be a-z, A-Z, 0-9, with a length of 9.`),
    words(() => "messages.1.tool_calls.0.id: String should match pattern '^[a-zA-Z0-9]{9}$'", 422),
  ],
  'thought-signatures': [
    words(
      (at) =>
        `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly. Content block ${at}.`,
    ),
    words(
      (at) =>
        `Unable to submit request because function call \`look\` in the ${at}. content block is missing a \`thought_signature\`.`,
    ),
  ],
  'images-as-data': [
    words(() => 'Only base64 data URLs are supported for image_url.'),
    words((at) => `messages[${at}].content: remote image URLs are not supported, send the image inline`, 422),
  ],
  'no-reasoning-fields': [
    words(
      (name) =>
        `'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' : property '${name}' is unsupported)]`,
    ),
    words(
      (name) =>
        `body -> messages -> 1 -> assistant -> ${name}\n  Extra inputs are not permitted (type=extra_forbidden)`,
      422,
    ),
    words((name) => `messages.1.${name}: Extra inputs are not permitted`),
  ],
  'reasoning-content-back': [
    words(
      (at) =>
        `thinking is enabled but reasoning_content is missing in assistant tool call message at index ${at}`,
    ),
    words(() => 'The `reasoning_content` in the thinking mode must be passed back to the API.'),
    words((at) => `Missing \`reasoning_content\` field in the assistant message at message index ${at}.`),
  ],
  'max-tokens-only': [
    words((name) => `Unrecognized request argument supplied: ${name}`),
    words(EXTRA_INPUTS, 422),
    words((name) => `Unsupported parameter(s): \`${name}\``),
  ],
  'max-completion-tokens-only': [
    words(
      (name) =>
        `Unsupported parameter: '${name}' is not supported with this model. Use 'max_completion_tokens' instead.`,
    ),
    words((name) => `property '${name}' is unsupported`),
    words((name) => `Unknown parameter: '${name}'.`),
  ],
  'no-unknown-fields': [
    words((_, all) => `Unrecognized request arguments supplied: ${all.join(', ')}`),
    words((_, all) => all.map(EXTRA_INPUTS).join('\n'), 422),
    words(
      (_, all) =>
        `Invalid JSON payload received. ${all.map((name) => `Unknown name "${name}": Cannot find field.`).join('\n')}`,
    ),
  ],
  'plain-function-names': [
    words(
      () =>
        '* GenerateContentRequest.tools[0].function_declarations[0].name: Invalid function name. Must start with a letter or an underscore.',
    ),
    words(
      () =>
        "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
    ),
    words(
      (name) => `tools.0.function.name: ${name}: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'`,
      422,
    ),
  ],
  'plain-schemas': [
    words((_, all) =>
      all
        .map(
          (name) =>
            `Invalid JSON payload received. Unknown name "${name}" at 'tools[0].function_declarations[0].parameters.properties[0].value': Cannot find field.`,
        )
        .join('\n'),
    ),
    words((name) => `Invalid schema for function: unsupported keyword "${name}" in parameters`),
    words((name) => `tools[0].function.parameters: JSON schema keyword '${name}' is not supported`, 422),
  ],
  'no-last-assistant': [
    words(() => 'Requests ending with a model turn are not supported.'),
    words(
      () => 'Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant',
    ),
    words(() => 'Last role must be user or tool, got assistant', 500),
  ],
};

/** Refusals that say nothing. */
const UNKNOWN: readonly Wording[] = [
  { status: 400, message: 'Bad request.' },
  { status: 422, message: 'Unprocessable Entity' },
  { status: 400, message: 'The request could not be processed.' },
  { status: 400, message: 'Input validation error' },
  { status: 409, message: 'Conflict with the current state of the deployment.' },
];

function pick<Any>(list: readonly Any[], number: number): Any {
  const picked = list[number % list.length];
  if (picked === undefined) throw new RangeError('There is no wording.');
  return picked;
}

/** The number of known wordings of a form. */
export function wordingsOf(name: RequirementName): number {
  return KNOWN[name].length;
}

/** The refusal of a request by a model. */
export function wordingOf(
  { name, words: kind = 'known', wording }: Requirement,
  model: string,
  found: Offence,
): Wording {
  const number = wording ?? hashText(`${model} ${name}`);
  if (kind === 'unknown') return pick(UNKNOWN, number);
  return pick(KNOWN[name], number)(found[0] ?? '', found);
}
