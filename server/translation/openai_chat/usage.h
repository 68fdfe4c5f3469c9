/* usage.h: the usage object of OpenAI's format, and its relatives, read into disjoint classes.
 *
 * Sources: OpenAI's API reference (CompletionUsage), and what Mistral, DeepSeek, xAI, OpenRouter,
 * Hugging Face and Groq really send. Cached and audio tokens are parts of prompt_tokens, reasoning
 * and audio tokens parts of completion_tokens. Odd: some providers leave reasoning out of
 * completion_tokens and only count it into total_tokens; the difference is taken for it. */
#pragma once

#include "json/scan.h"
#include "model/usage.h"

enum { OPENAI_USAGE_OK = 0, OPENAI_USAGE_E_NONE = 1 };
/* object: the raw usage object. *ret_cost_at (offset within object, n 0: absent) is where a
 * provider's own `cost` stands. OPENAI_USAGE_E_NONE: no figure in it. */
int openai_usage_read(struct str object, struct usage *ret,
                      struct json_span *ret_cost_at) _must_use_;
/* The object that begins at the first byte, up to its own closing brace; p NULL when it has none. */
struct str openai_object_at(struct str s);
/* The last `"usage":{...}` in a fragment of a document; false when there is none. */
bool openai_usage_find(struct str part, struct usage *ret);
