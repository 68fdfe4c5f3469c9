/* searches.h: what asks a provider to search the web by itself, which it sells apart from tokens, and
 * how many searches it tells of. Pure; any thread.
 *
 * Sources: Claude API docs, "Web search tool" (`max_uses`; billed by `server_tool_use`, fetching is
 * free); OpenAI, guide "Web search" ("search actions incur a tool call cost") and reference of
 * `max_tool_calls`, `web_search_options`; OpenRouter, "Web search" (plugin `web`, which always runs
 * once, and the tool `openrouter:web_search`); xAI, "Web search" and "X search"; Perplexity, Agent and
 * Sonar API; Z.AI, "Web search in chat"; Google, "Grounding with Google Search". */
#pragma once

#include "base/arena.h"
#include "json/scan.h"
#include "model/llm.h"

/* Held for where the request sets no bound: twice what models make of a question that needs several. */
enum { SEARCHES_UNBOUND = 10 };

/* Reads one element of a list (any value): does it ask for searches? *ret_most: how many at most, where
 * it says so. > 0: yes, 0: no, < 0: fatal. */
typedef int search_asked(struct arena *a, struct str element, struct llm_request *llm,
                         uint64_t *ret_most);
/* A tool of a type of OpenAI's, Anthropic's, OpenRouter's, xAI's, Perplexity's or Z.AI's; a plugin of
 * OpenRouter's; a tool of Google's. */
search_asked searches_tool, searches_chat_tool, searches_plugin, searches_google;

/* Looks through a request's list (its raw bytes; p NULL: there is none) and notes in llm what its
 * elements ask for; name: the field's, for the path. 0 or < 0. */
int searches_read(struct arena *a, const char *name, struct str list, search_asked *asked,
                  struct llm_request *llm) _must_use_;
/* The field at that path asks for them. */
void searches_ask(struct llm_request *llm, struct str path, uint64_t most);

/* How many items of a response's output (the raw array) are searches: pages that were opened are not. */
uint32_t searches_of_output(struct str output);
/* Is the item one? By its type and its action's. */
bool searches_item(struct str doc, struct json_span type, struct json_span action);
/* The same of the blocks of Anthropic's content: results of searches, an error in their place not. */
uint32_t searches_of_content(struct str content);
bool searches_block(struct str doc, struct json_span type, struct json_span found);
/* How many searches Google bills for an answer's candidates (the raw array): one for a prompt by models
 * before Gemini 3, one for each query by later ones, the empty and the repeated ones left out. version:
 * the answer's modelVersion; p NULL: not told. */
uint32_t searches_of_candidates(struct str candidates, struct str version);
