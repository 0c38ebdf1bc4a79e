/** A typical program for OpenAI's SDK. Its twin differs only in the import. Both must compile and run. */
import OpenAI from 'openai';

type Message = OpenAI.ChatCompletionMessageParam;

const tools: OpenAI.Chat.ChatCompletionTool[] = [
  {
    type: 'function',
    function: {
      name: 'weather',
      description: 'The weather of a city.',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
];

/** The text of an answer. Null if the model only calls tools. */
export async function plain(client: OpenAI, question: string): Promise<string | null> {
  const parameters: OpenAI.Chat.ChatCompletionCreateParamsNonStreaming = {
    model: 'auto',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: question },
    ],
    temperature: 0.2,
    max_tokens: null,
  };
  const completion = await client.chat.completions.create(parameters);
  const [choice] = completion.choices;
  const spent: OpenAI.CompletionUsage | undefined = completion.usage;
  if (choice === undefined || spent === undefined) throw new Error('no choice, or no usage');
  return choice.message.content;
}

/** The texts of a stream and its finish reason. */
export async function streamed(client: OpenAI, question: string): Promise<[string[], string | null]> {
  const stream = await client.chat.completions.create({
    model: 'auto',
    messages: [{ role: 'user', content: [{ type: 'text', text: question }] }],
    stream: true,
    stream_options: { include_usage: true },
  });
  const texts: string[] = [];
  let reason: OpenAI.ChatCompletionChunk.Choice['finish_reason'] = null;
  for await (const chunk of stream) {
    const [choice] = chunk.choices;
    const text = choice?.delta.content ?? '';
    if (text !== '') texts.push(text);
    reason = choice?.finish_reason ?? reason;
  }
  return [texts, reason];
}

/** Leaves a stream at its first word. Also returns whether that aborted the request. */
export async function firstWord(client: OpenAI, question: string): Promise<[string, boolean]> {
  const { data: stream, response } = await client.chat.completions
    .create({ model: 'auto', messages: [{ role: 'user', content: question }], stream: true })
    .withResponse();
  let word = '';
  for await (const { choices } of stream) {
    word = choices[0]?.delta.content ?? '';
    if (word !== '') break;
  }
  return [word, response.ok && stream.controller.signal.aborted];
}

/** Calls tools until there is an answer. */
export async function agent(
  client: OpenAI,
  question: string,
  call: (name: string, input: unknown) => string,
): Promise<Message[]> {
  const messages: Message[] = [{ role: 'user', content: question }];
  for (;;) {
    const completion = await client.chat.completions.create({ model: 'auto', messages, tools });
    const message: OpenAI.ChatCompletionMessage | undefined = completion.choices[0]?.message;
    if (message === undefined) throw new Error('no message');
    messages.push(message);
    if (message.tool_calls === undefined) return messages;
    for (const toolCall of message.tool_calls) {
      if (toolCall.type !== 'function') continue;
      const { name, arguments: input } = toolCall.function;
      messages.push({ role: 'tool', tool_call_id: toolCall.id, content: call(name, JSON.parse(input)) });
    }
  }
}

/** An object that matches a JSON schema. */
export async function structured(client: OpenAI, question: string): Promise<unknown> {
  const schema = { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] };
  const completion = await client.chat.completions.create({
    model: 'auto',
    messages: [{ role: 'user', content: question }],
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } },
  });
  return JSON.parse(completion.choices[0]?.message.content ?? 'null');
}

/** The ids of all models, and the owner of one. */
export async function models(client: OpenAI, id: string): Promise<[string[], string]> {
  const ids: string[] = [];
  for await (const model of client.models.list()) ids.push(model.id);
  const { data } = await client.models.list();
  if (data.length !== ids.length) throw new Error('two lists of different lengths');
  return [ids, (await client.models.retrieve(id)).owned_by];
}

/** Describes the error of a call by its class and fields. */
export async function failure(client: OpenAI, model: string, signal?: AbortSignal): Promise<string> {
  try {
    await client.chat.completions.create(
      { model, messages: [{ role: 'user', content: 'Hello' }] },
      { signal, timeout: 5000, maxRetries: 0, headers: { 'x-mine': '1' } },
    );
    return 'none';
  } catch (error) {
    if (error instanceof OpenAI.APIUserAbortError) return 'aborted';
    if (error instanceof OpenAI.APIConnectionError) return `no answer: ${error.message}`;
    if (error instanceof OpenAI.NotFoundError) return `${error.status} ${error.code} ${error.param}`;
    if (error instanceof OpenAI.RateLimitError)
      return `${error.status} ${error.code}, again in ${error.headers.get('retry-after')} s`;
    if (error instanceof OpenAI.APIError) return `${error.status} ${error.type} ${error.code}`;
    throw error;
  }
}
