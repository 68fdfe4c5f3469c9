/* chat.h: a chat, whatever its wire format: the request. Data only.
 *
 * What every format reads into and writes from, so that N formats need N readers and N writers.
 * Slices and arrays live in the arena that the reader was given. JSON that passes between formats
 * as it is (schemas, arguments, settings) is kept as its raw text. `path` is where a thing stood in
 * the client's document; `extra` are members that only one format knows: it writes them again, any
 * other reports them as lost. */
#pragma once

#include "base/str.h"

struct chat_extras {
    const struct chat_extra {
        struct str path, name, raw;
    } * v;
    size_t n;
};

enum chat_part_kind {
    CHAT_TEXT,
    CHAT_REFUSAL,
    CHAT_THINKING, /* text: what may be read of it; signature: what the provider wants back */
    CHAT_REDACTED, /* thinking that only its provider can read: text is the opaque data */
    CHAT_IMAGE,
    CHAT_AUDIO,
    CHAT_VIDEO,
    CHAT_DOCUMENT,
    CHAT_TOOL_CALL,   /* of the assistant */
    CHAT_TOOL_RESULT, /* of the caller: parts */
    CHAT_FOREIGN,     /* raw: a part that only its own format knows */
    CHAT_PART_KINDS
};

struct chat_media {
    enum { CHAT_BASE64, CHAT_URL, CHAT_FILE, CHAT_PLAIN } source; /* FILE: an id at the provider */
    struct str data;   /* base64, URL, id or text */
    struct str mime;   /* "image/png"; p NULL: not told */
    struct str name;   /* of a file, or a title */
    struct str detail; /* how closely an image is looked at: "low", "high", "auto" */
};

struct chat_part {
    enum chat_part_kind kind;
    struct str path;
    struct str text;
    struct str signature; /* THINKING, and calls of providers that sign them */
    struct chat_media media;
    struct {
        struct str id, name, arguments; /* JSON of an object; of a custom tool: any text */
        bool custom;
    } tool;
    struct chat_part *parts; /* of a result */
    size_t n_parts;
    bool is_error;      /* of a result */
    struct str cache;   /* "5m" or "1h": a cached prefix ends here; p NULL: none */
    struct str sources; /* citations: the format's own raw JSON */
    struct str raw;     /* FOREIGN */
    struct chat_extras extra;
};

enum chat_role { CHAT_SYSTEM, CHAT_DEVELOPER, CHAT_USER, CHAT_ASSISTANT, CHAT_TOOL };

/* CHAT_TOOL messages hold results only; a user's may hold some too. Readers join and cut nothing:
 * that is for the writers, whose formats want turns. */
struct chat_message {
    enum chat_role role;
    struct str path, name;
    struct chat_part *parts;
    size_t n_parts;
    bool plain;         /* the content was a string, not a list */
    struct str details; /* thoughts as OpenRouter lists them, raw */
    struct chat_extras extra;
};

struct chat_tool {
    struct str path, name, description;
    /* Raw JSON Schema, p NULL: takes nothing; and as its own format had it, where that is none. */
    struct str schema, own_schema;
    struct str raw;    /* a tool of the provider's own (search, code): only its format knows it */
    struct str cache;
    int strict; /* 1, 0; -1: not told */
    bool custom;
    struct chat_extras extra, outer; /* outer: beside the function, in formats that nest it */
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
