/** The sources that an answer cites. */

import { elementsOf, isJsonObject, type JsonObject } from '../../core/json.ts';

/** In Chat Completions a citation is a member of its annotation. */
export function annotationsOf(given: unknown): readonly JsonObject[] {
  return elementsOf(given).flatMap((annotation) => {
    if (!isJsonObject(annotation)) return [];
    const { url_citation: citation, ...rest } = annotation;
    return [isJsonObject(citation) ? { ...rest, ...citation } : rest];
  });
}
