/* chat.h: a chat, whatever its wire format: the request. Data only.
 *
 * What every format reads into and writes from, so that N formats need N readers and N writers.
 * Slices and arrays live in the arena that the reader was given. JSON that passes between formats
 * as it is (schemas, arguments, settings) is kept as its raw text. `path` is where a thing stood in
 * the client's document; `extra` are members that only one format knows: it writes them again, any
 * other reports them as lost; of `quiet` ones (ids, states) it need not. */
#pragma once

#include "model/chat_part.h"

struct chat_tool {
    struct str path, name, description;
    /* Raw JSON Schema, p NULL: takes nothing; and as its own format had it, where that is none. */
    struct str schema, own_schema;
    struct str raw;    /* a tool of the provider's own (search, code): only its format knows it */
    struct str cache;
    int strict; /* 1, 0; -1: not told */
    bool custom;
    struct chat_extras extra, outer; /* outer: beside the function, in formats that nest it */
    struct chat_extras quiet;        /* hints of how the calls are to be streamed */
};

enum chat_tool_choice {
    CHAT_CHOICE_DEFAULT,
    CHAT_CHOICE_AUTO,
    CHAT_CHOICE_NONE,
    CHAT_CHOICE_ANY,  /* some tool has to be called */
    CHAT_CHOICE_NAMED /* choice_name has to be called */
};

struct chat_format {
    enum { CHAT_FORMAT_DEFAULT, CHAT_FORMAT_TEXT, CHAT_FORMAT_JSON, CHAT_FORMAT_SCHEMA } kind;
    struct str path, name, description, schema, own_schema;
    int strict; /* as of tools */
};

/* Formats name either an effort or a budget of tokens. */
enum chat_effort {
    CHAT_EFFORT_DEFAULT,
    CHAT_EFFORT_NONE,
    CHAT_EFFORT_MINIMAL,
    CHAT_EFFORT_LOW,
    CHAT_EFFORT_MEDIUM,
    CHAT_EFFORT_HIGH,
    CHAT_EFFORT_XHIGH,
    CHAT_EFFORT_MAX
};
struct chat_reasoning {
    struct str path;
    enum chat_effort effort;
    struct str word; /* an effort that only its own format has */
    int64_t budget; /* tokens; -1: not told; 0: none */
    bool adaptive;  /* the model decides how long */
    int shown;      /* are thoughts or their summary wanted: 1, 0; -1: not told */
    struct str summary; /* how long, in OpenAI's words: "auto", "concise", "detailed" */
    struct chat_extras extra;
};

enum chat_setting {
#define X(ident, name, kind) CHAT_SET_##ident,
#include "model/chat_setting.def"
#undef X
    CHAT_SETTINGS
};

struct chat_value {
    struct str path, raw; /* p NULL: not given */
};

struct chat_request {
    const char *wire; /* the reader's: extras and foreign parts are of it */
    struct chat_message *messages; /* system ones stand where they stood, or first */
    size_t n_messages;
    struct chat_tool *tools;
    size_t n_tools;
    enum chat_tool_choice choice;
    struct str choice_path, choice_name, choice_raw; /* raw: as its own format had it */
    struct chat_format format;
    struct chat_reasoning reasoning;
    struct str *stops;
    size_t n_stops;
    struct str stops_path;
    int64_t output_limit; /* tokens; -1: not given */
    bool stream;
    struct chat_value setting[CHAT_SETTINGS];
    /* Of the document, and of two objects in it that are read in part. */
    struct chat_extras extra, config, metadata;
};
