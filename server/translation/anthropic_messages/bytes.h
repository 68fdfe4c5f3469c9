/* bytes.h: Anthropic's Messages format passed on as it is, put together in dialect.c.
 *
 * Sources: Claude API reference, "Create a Message", "Streaming messages", "Errors", "Service
 * tiers", "Fast mode"; both versions in use (2023-06-01, 2026-10-21) have the same frames. Contracts:
 * dialect.h. */
#pragma once

#include "translation/dialect.h"

int anthropic_bytes_read_request(struct arena *a, struct str body, struct wire_request *ret,
                                struct json_fault *fault) _must_use_;
/* The same without a limit of the answer. */
int anthropic_bytes_read_prompt(struct arena *a, struct str body, struct wire_request *ret,
                                struct json_fault *fault) _must_use_;
void anthropic_bytes_edit_request(const struct wire_request *request,
                                 const struct wire_request_edit *edit, struct buf *out);
/* What of the media in messages is looked at; messages: the raw array. */
struct media;
void anthropic_count_media(struct str messages, struct media *media);
int anthropic_bytes_read_reply(struct str body, struct wire_report *ret) _must_use_;
int anthropic_bytes_read_event(const struct sse_event *event, struct wire_report *ret) _must_use_;
void anthropic_bytes_put_error(struct str document, struct buf *out);
void anthropic_bytes_put_stop(const struct wire_stop *stop, struct buf *out);
bool anthropic_bytes_edit_error(struct str body, const struct wire_error *otherwise,
                               struct buf *out);

/* The paths of the usage object's figures: at is "usage.", or "" of the object by itself. In the order of
 * usage.c's. */
#define ANTHROPIC_USAGE_PATHS(at) \
    at "input_tokens", at "cache_read_input_tokens", at "cache_creation_input_tokens", \
    at "cache_creation.ephemeral_5m_input_tokens", at "cache_creation.ephemeral_1h_input_tokens", \
    at "output_tokens", at "output_tokens_details.thinking_tokens", \
    at "server_tool_use.web_search_requests", at "service_tier", at "speed", at "cost"
enum { ANTHROPIC_USAGE_WATCHES = 11 };
/* The figures that a scan of doc by these paths has found, in disjoint classes. Its input is the uncached part
 * alone; what a stream's end leaves out (`silent`, llm.h) was told with its start. False: no figure in it.
 * ret_cost_at as of openai_usage_take. */
bool anthropic_usage_take(struct str doc, const struct json_watch *w, struct llm_report *ret,
                          struct json_span *ret_cost_at) _must_use_;
/* The same of a raw usage object, which is scanned. */
bool anthropic_usage_read(struct str object, struct llm_report *ret,
                          struct json_span *ret_cost_at) _must_use_;
bool anthropic_usage_find(struct str part, struct llm_report *ret);
