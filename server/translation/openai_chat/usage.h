/* usage.h: the usage object of OpenAI's format, and its relatives, read into disjoint classes.
 *
 * Sources: OpenAI's API reference (CompletionUsage, ResponseUsage), and what Mistral, DeepSeek, xAI, OpenRouter,
 * Hugging Face and Groq really send. Cached, cache-written, audio and image tokens are parts of
 * prompt_tokens; reasoning, audio and image tokens parts of completion_tokens, as are predicted
 * tokens, accepted or rejected, which are billed as output. Odd: some providers leave reasoning out
 * of completion_tokens and only count it into total_tokens; the difference is taken for it.
 *
 * A figure that is no count (negative, a fraction, beyond BOUND_USAGE_QUANTITY) is as good as none:
 * its side is what total_tokens leaves of it, else marked as lacking. A part is never more than its
 * whole. */
#pragma once

#include "json/scan.h"
#include "model/llm.h"

/* The paths of the figures, for the watches of a scan of the answer or of the usage object by itself: at is
 * "usage.", or "". In the order of usage.c's figures. */
#define OPENAI_USAGE_PATHS(at) \
    at "prompt_tokens", at "completion_tokens", at "total_tokens", \
    at "prompt_tokens_details.cached_tokens", at "prompt_tokens_details.cache_write_tokens", \
    at "prompt_tokens_details.audio_tokens", at "prompt_tokens_details.image_tokens", \
    at "completion_tokens_details.reasoning_tokens", at "completion_tokens_details.audio_tokens", \
    at "completion_tokens_details.image_tokens", at "cost", \
    at "server_tool_use_details.web_search_requests" /* OpenRouter */, \
    at "prompt_cache_hit_tokens" /* DeepSeek */, at "num_cached_tokens" /* Mistral */, at "cached_tokens", \
    at "server_tool_use.web_search_requests" /* OpenRouter's earlier name */, \
    at "num_search_queries" /* Perplexity */
/* The Responses format has other names for what OpenAI itself tells. */
#define RESPONSES_USAGE_PATHS(at) \
    at "input_tokens", at "output_tokens", at "total_tokens", \
    at "input_tokens_details.cached_tokens", at "input_tokens_details.cache_write_tokens", \
    at "input_tokens_details.audio_tokens", at "input_tokens_details.image_tokens", \
    at "output_tokens_details.reasoning_tokens", at "output_tokens_details.audio_tokens", \
    at "output_tokens_details.image_tokens", at "cost", \
    at "server_tool_use_details.web_search_requests", \
    at "tool_calls_details.search_web.invocation" /* Perplexity */, \
    at "server_side_tool_usage_details.web_search_calls" /* xAI, which bills both */, \
    at "server_side_tool_usage_details.x_search_calls"
enum { OPENAI_USAGE_WATCHES = 17, RESPONSES_USAGE_WATCHES = 15 };

enum { OPENAI_USAGE_OK = 0, OPENAI_USAGE_E_NONE = 1 };
/* The n watches of a scan of doc by one of these lists, in one of those two numbers. Sets what *ret says of
 * usage. *ret_cost_at (in doc, n 0: absent) is where a provider's own `cost` stands; it is never read: what a
 * call costs is what its price says. OPENAI_USAGE_E_NONE: no figure in it. */
int openai_usage_take(struct str doc, const struct json_watch *w, size_t n, struct llm_report *ret,
                      struct json_span *ret_cost_at) _must_use_;
/* The same of a raw usage object, which is scanned. */
int openai_usage_read(struct str object, struct llm_report *ret,
                      struct json_span *ret_cost_at) _must_use_;
int responses_usage_read(struct str object, struct llm_report *ret,
                         struct json_span *ret_cost_at) _must_use_;
/* OpenAI counts searches of the web beside it, at tool_usage.web_search.num_requests, which w has
 * watched in doc. Call behind responses_usage_read; false: there is no figure. */
bool responses_searches_read(struct str doc, const struct json_watch *w, struct llm_report *ret);
/* The last `"usage":{...}` in a fragment of a document; false when there is none. */
bool openai_usage_find(struct str part, struct llm_report *ret);
bool responses_usage_find(struct str part, struct llm_report *ret);
