/* conversation.h: what a request of the Responses API says of the answers before it, and the items
 * that are put in their place, so that any provider can serve it. Pure: bytes in, bytes out.
 *
 * Providers are always asked to store nothing: what is kept is kept here, where the team's retention
 * and deletion hold for it, and where a call may go on whoever serves it. */
#pragma once

#include "base/arena.h"
#include "json/scan.h"

enum conversation_store { CONVERSATION_STORE_UNSAID, CONVERSATION_STORE_NO, CONVERSATION_STORE_YES };

struct conversation_request {
    struct str body;
    struct str model;       /* p NULL: not said */
    struct str previous_id; /* the answer that it goes on from; p NULL: none */
    enum conversation_store store;
    bool stream;
    struct json_span input, store_at;
    struct json_span out[2]; /* members that providers do not get; nulls pass */
    size_t n_out;
    uint32_t root_open;
    bool editable; /* members stay when those are taken out */
};

enum {
    CONVERSATION_OK = 0,
    CONVERSATION_E_SYNTAX = 1,      /* no JSON object: the format's own reader says what is wrong */
    CONVERSATION_E_FIELD = 2,       /* *fault names a field of a wrong kind */
    CONVERSATION_E_UNSUPPORTED = 3, /* *fault names a field that asks for what is not done here */
    CONVERSATION_E_LARGE = 4,       /* with the items before it the body is too large */
};

/* Text lives in the body or the arena. */
int conversation_read(struct arena *a, struct str body, struct conversation_request *ret,
                      struct json_fault *fault) _must_use_;

/* The body as providers get it: `before` stands in front of its input, nothing is to be stored.
 * *ret_input: the array of all items, what came before and the request's own; p NULL where the input
 * is none, which the format's reader refuses; ret_input NULL: not wanted. before: items with commas between them, as
 * conversation_items() gives them; n 0: none. CONVERSATION_OK, _E_LARGE, or < 0. Text in the arena
 * or the body. */
int conversation_write(struct arena *a, const struct conversation_request *request,
                       struct str before, struct str *ret_body, struct str *ret_input) _must_use_;

/* The items that a next request goes on from: input is the array before an answer, response the
 * answer. Thoughts that only their provider could look up are left out. CONVERSATION_OK,
 * CONVERSATION_E_SYNTAX when these are no such documents, or < 0. */
int conversation_items(struct arena *a, struct str input, struct str response,
                       struct str *ret_items) _must_use_;
