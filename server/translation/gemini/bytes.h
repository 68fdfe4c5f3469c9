/* bytes.h: Google's generateContent format passed on as it is, put together in dialect.c.
 *
 * Sources: Gemini API reference, "Generating content", "Optimization: inference tiers"; Vertex AI's
 * GenerateContentResponse. Requests are read in camelCase and snake_case, as Google's servers do;
 * answers have camelCase. Contracts: dialect.h.
 *
 * Odd: the path has the model and says whether the answer is streamed, so that the caller fills
 * llm.model and llm.stream. Streams are asked for, and sent, as server-sent events (alt=sse) and have
 * no end mark: `done` is never set. Any chunk may be the last one that has a finish reason, but need
 * not be: each candidate has its own, and older models give one in every chunk. A stream is whole
 * when it has had one and its connection has been closed in order. */
#pragma once

#include "translation/dialect.h"

int gemini_bytes_read_request(struct arena *a, struct str body, struct wire_request *ret,
                              struct json_fault *fault) _must_use_;
void gemini_bytes_edit_request(const struct wire_request *request,
                               const struct wire_request_edit *edit, struct buf *out);
/* contents: the raw list, or a single content. */
struct media;
void gemini_count_media(struct str contents, struct media *media);
int gemini_bytes_read_reply(struct str body, struct wire_report *ret) _must_use_;
int gemini_bytes_read_event(const struct sse_event *event, struct wire_report *ret) _must_use_;
void gemini_bytes_put_error(struct str document, struct buf *out);
void gemini_bytes_put_stop(const struct wire_stop *stop, struct buf *out);
bool gemini_bytes_edit_error(struct str body, const struct wire_error *otherwise,
                             struct buf *out);

/* A model's name as a resource, "models/NAME" unless it is one, as a JSON string. */
void gemini_put_model(struct str model, struct buf *out);

/* The paths of what usageMetadata tells: at is "usageMetadata.", or "" of the object by itself. In the order of
 * usage.c's figures. */
#define GEMINI_USAGE_PATHS(at) \
    at "promptTokenCount", at "cachedContentTokenCount", at "candidatesTokenCount", \
    at "thoughtsTokenCount", at "toolUsePromptTokenCount", at "totalTokenCount", \
    at "promptTokensDetails", at "promptTokenDetails" /* of embeddings */, at "cacheTokensDetails", \
    at "candidatesTokensDetails", at "serviceTier", at "trafficType", at "cost"
enum { GEMINI_USAGE_WATCHES = 13 };
/* What a scan of doc by these paths has found, in disjoint classes. final: no text comes behind it, so that a figure that is not
 * there is 0, as Google leaves zeros out; before, the answer's figure is lacking. False: no figure
 * in it. ret_cost_at as of openai_usage_take. */
bool gemini_usage_take(struct str doc, const struct json_watch *w, bool final,
                       struct llm_report *ret, struct json_span *ret_cost_at) _must_use_;
/* The same of a raw usageMetadata, which is scanned. */
bool gemini_usage_read(struct str object, bool final, struct llm_report *ret,
                       struct json_span *ret_cost_at) _must_use_;
bool gemini_usage_find(struct str part, struct llm_report *ret);
