/* call_ids.h: ids for the calls of tools that a provider gave none (Gemini, older versions of Ollama).
 *
 * A client sends them back in later turns, where the results are found by them, and some providers
 * refuse an id that occurs twice in a conversation. So they are made of the call of the gateway, and
 * no two answers share one. They fit what formats allow: [A-Za-z0-9_-], at most 40 characters. One
 * owner. */
#pragma once

#include "translation/chat_dialect.h"

#define CALL_IDS_MARK 24

struct call_ids {
    struct str mark; /* of the call: at most CALL_IDS_MARK characters of [A-Za-z0-9_-] */
    uint32_t n;      /* made so far */
};

/* The ids live in `keep`. Calls that have one keep it. */
void call_ids_answer(struct call_ids *ids, struct arena *keep, struct chat_answer *answer);
/* Of one frame of a stream; ids is the same for all of them. */
void call_ids_events(struct call_ids *ids, struct arena *keep, struct chat_events *events);
