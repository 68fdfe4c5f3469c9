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

enum { OPENAI_USAGE_OK = 0, OPENAI_USAGE_E_NONE = 1 };
/* object: the raw usage object. Sets what *ret says of usage. *ret_cost_at (offset within object, n
 * 0: absent) is where a provider's own `cost` stands; it is never read: what a call costs is what
 * its price says. OPENAI_USAGE_E_NONE: no figure in it. */
int openai_usage_read(struct str object, struct llm_report *ret,
                      struct json_span *ret_cost_at) _must_use_;
/* The same of the Responses format, whose figures have other names. */
int responses_usage_read(struct str object, struct llm_report *ret,
                         struct json_span *ret_cost_at) _must_use_;
/* The last `"usage":{...}` in a fragment of a document; false when there is none. */
bool openai_usage_find(struct str part, struct llm_report *ret);
bool responses_usage_find(struct str part, struct llm_report *ret);
