/* chat_part.h: the messages of a chat and their parts, whatever the wire format. Data only; the rules
 * of slices, paths and extras are in chat.h. */
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
    struct chat_extras extra, quiet;
};

enum chat_role { CHAT_SYSTEM, CHAT_DEVELOPER, CHAT_USER, CHAT_ASSISTANT, CHAT_TOOL };

/* CHAT_TOOL messages hold results only; a user's may hold some too. Readers join and cut nothing:
 * that is for the writers, whose formats want turns. */
struct chat_message {
    enum chat_role role;
    struct str path, name;
    struct chat_part *parts;
    size_t n_parts;
    bool plain; /* the content was a string, not a list */
    struct chat_extras extra, quiet;
};
