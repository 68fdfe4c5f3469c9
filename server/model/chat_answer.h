/* chat_answer.h: a chat's answer, whole or as the events of a stream. Data only; see chat.h. */
#pragma once

#include "model/chat.h"
#include "model/llm.h"

enum chat_finish {
    CHAT_FINISH_NONE, /* not told yet */
    CHAT_FINISH_STOP,
    CHAT_FINISH_SEQUENCE, /* one of the stop sequences */
    CHAT_FINISH_LENGTH,
    CHAT_FINISH_TOOLS,
    CHAT_FINISH_FILTER, /* the provider's policy */
    CHAT_FINISH_REFUSAL,
    CHAT_FINISH_CONTEXT, /* the model's window is full */
    CHAT_FINISH_PAUSE,   /* a long turn that the caller goes on with */
    CHAT_FINISH_OTHER    /* the provider's word is in finish_word */
};

struct chat_choice {
    int64_t index;
    struct chat_part *parts;
    size_t n_parts;
    enum chat_finish finish;
    struct str finish_word; /* as the provider said it */
    struct str sequence;    /* of SEQUENCE */
    struct str logprobs;    /* raw JSON of OpenAI's form: {"content":[...]}; p NULL: none */
    struct chat_extras extra;
};

struct chat_answer {
    struct str id, model;
    int64_t created_s; /* 0: not told */
    struct chat_choice *choices;
    size_t n_choices;
    bool has_usage;
    struct usage usage;
    bool lacks_prompt, lacks_output; /* as of llm_report */
    bool has_service;
    enum service_tier service; /* that served, where has_service */
    struct str service_tier;   /* the provider's word */
    struct chat_extras extra;
};

/* The order of a stream: BEGIN, then for each part PART, DELTA..., PART_END, then FINISH for each
 * choice, USAGE whenever figures come (the last one counts), END. Parts of one choice are numbered
 * from 0 and do not overlap, except calls of tools that a provider streams side by side. A stream that
 * is cut by the gateway has CUT behind its FINISH, wherever it stood, and no END. */
enum chat_event_kind {
    CHAT_EVENT_BEGIN, /* id, model, created_s */
    CHAT_EVENT_PART,  /* part: kind; of a tool call its id and name; may have text already */
    CHAT_EVENT_DELTA, /* text of the part, or a piece of a call's arguments */
    CHAT_EVENT_SIGNATURE, /* text: of a thinking part; whole */
    CHAT_EVENT_SOURCES,   /* text: raw JSON of citations of the part */
    CHAT_EVENT_PART_END,
    CHAT_EVENT_LOGPROBS, /* text: raw JSON, a piece of OpenAI's form */
    CHAT_EVENT_FINISH,
    CHAT_EVENT_USAGE,
    CHAT_EVENT_ERROR, /* text: the sentence; word: the provider's type */
    CHAT_EVENT_CUT,
    CHAT_EVENT_END
};

struct chat_event {
    enum chat_event_kind kind;
    int64_t choice;
    size_t number; /* of the part within its choice */
    enum chat_part_kind part_kind;
    struct str text, word;
    struct str id, name; /* BEGIN: id; PART of a call: its id and name */
    struct str model;
    int64_t created_s;
    bool custom; /* a custom tool's call: its arguments are any text */
    enum chat_finish finish;
    struct str sequence;
    struct usage usage; /* of USAGE: of the whole call so far */
    bool lacks_prompt, lacks_output;
    bool has_service; /* of USAGE and END */
    enum service_tier service;
};
