/** Messages as OpenAI's SDK types them: what is sent, and the assistant's own, which can be sent back as it came. */

/** A text within a message. */
export interface ChatCompletionContentPartText {
  type: 'text';
  text: string;
  prompt_cache_breakpoint?: { mode: 'explicit' } | undefined;
}

/** A picture: an `https:` or `data:` URL. It takes a model with vision. */
export interface ChatCompletionContentPartImage {
  type: 'image_url';
  image_url: ChatCompletionContentPartImage.ImageURL;
  prompt_cache_breakpoint?: { mode: 'explicit' } | undefined;
}

export declare namespace ChatCompletionContentPartImage {
  interface ImageURL {
    url: string;
    detail?: 'auto' | 'low' | 'high' | undefined;
  }
}

/** Sound, base64. */
export interface ChatCompletionContentPartInputAudio {
  type: 'input_audio';
  input_audio: ChatCompletionContentPartInputAudio.InputAudio;
  prompt_cache_breakpoint?: { mode: 'explicit' } | undefined;
}

export declare namespace ChatCompletionContentPartInputAudio {
  interface InputAudio {
    data: string;
    format: 'wav' | 'mp3';
  }
}

/** What a model said instead of an answer. */
export interface ChatCompletionContentPartRefusal {
  type: 'refusal';
  refusal: string;
}

/** What a user's message may consist of. */
export type ChatCompletionContentPart =
  | ChatCompletionContentPartText
  | ChatCompletionContentPartImage
  | ChatCompletionContentPartInputAudio
  | ChatCompletionContentPart.File;

export declare namespace ChatCompletionContentPart {
  interface File {
    type: 'file';
    file: {
      file_data?: string | undefined;
      file_id?: string | undefined;
      filename?: string | undefined;
    };
    prompt_cache_breakpoint?: { mode: 'explicit' } | undefined;
  }
}

/** A call of a function. */
export interface ChatCompletionMessageFunctionToolCall {
  id: string;
  type: 'function';
  function: ChatCompletionMessageFunctionToolCall.Function;
}

export declare namespace ChatCompletionMessageFunctionToolCall {
  interface Function {
    name: string;
    /** JSON text, as the model wrote it. */
    arguments: string;
  }
}

/** A call of a tool that takes free text. */
export interface ChatCompletionMessageCustomToolCall {
  id: string;
  type: 'custom';
  custom: ChatCompletionMessageCustomToolCall.Custom;
}

export declare namespace ChatCompletionMessageCustomToolCall {
  interface Custom {
    name: string;
    input: string;
  }
}

/** A call of a tool. */
export type ChatCompletionMessageToolCall =
  | ChatCompletionMessageFunctionToolCall
  | ChatCompletionMessageCustomToolCall;

export interface ChatCompletionDeveloperMessageParam {
  role: 'developer';
  content: string | Array<ChatCompletionContentPartText>;
  name?: string | undefined;
}

export interface ChatCompletionSystemMessageParam {
  role: 'system';
  content: string | Array<ChatCompletionContentPartText>;
  name?: string | undefined;
}

export interface ChatCompletionUserMessageParam {
  role: 'user';
  content: string | Array<ChatCompletionContentPart>;
  name?: string | undefined;
}

export interface ChatCompletionAssistantMessageParam {
  role: 'assistant';
  content?:
    | string
    | Array<ChatCompletionContentPartText | ChatCompletionContentPartRefusal>
    | null
    | undefined;
  audio?: { id: string } | null | undefined;
  function_call?: ChatCompletionMessage.FunctionCall | null | undefined;
  name?: string | undefined;
  refusal?: string | null | undefined;
  tool_calls?: Array<ChatCompletionMessageToolCall> | undefined;
}

/** The answer of a tool to the call of that id. */
export interface ChatCompletionToolMessageParam {
  role: 'tool';
  content: string | Array<ChatCompletionContentPartText>;
  tool_call_id: string;
}

/** The answer of a function, from the time before tools. */
export interface ChatCompletionFunctionMessageParam {
  role: 'function';
  content: string | null;
  name: string;
}

/** A message of a request. */
export type ChatCompletionMessageParam =
  | ChatCompletionDeveloperMessageParam
  | ChatCompletionSystemMessageParam
  | ChatCompletionUserMessageParam
  | ChatCompletionAssistantMessageParam
  | ChatCompletionToolMessageParam
  | ChatCompletionFunctionMessageParam;

export type ChatCompletionRole = 'developer' | 'system' | 'user' | 'assistant' | 'tool' | 'function';

/** Sound that a model made. */
export interface ChatCompletionAudio {
  id: string;
  data: string;
  expires_at: number;
  transcript: string;
}

/** The assistant's message. */
export interface ChatCompletionMessage {
  role: 'assistant';
  content: string | null;
  refusal: string | null;
  /** What the model thought aloud, where the provider sends it apart. */
  reasoning_content?: string;
  annotations?: Array<ChatCompletionMessage.Annotation>;
  audio?: ChatCompletionAudio | null;
  function_call?: ChatCompletionMessage.FunctionCall | null;
  tool_calls?: Array<ChatCompletionMessageToolCall>;
}

export declare namespace ChatCompletionMessage {
  interface Annotation {
    type: 'url_citation';
    url_citation: Annotation.URLCitation;
  }
  namespace Annotation {
    interface URLCitation {
      title: string;
      url: string;
      start_index: number;
      end_index: number;
    }
  }
  interface FunctionCall {
    name: string;
    arguments: string;
  }
}
