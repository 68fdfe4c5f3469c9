/* provider.h: what an endpoint is: where it lives, how it wants to be asked, and its oddities.
 *
 * One row of the table in provider_table.c per kind; adding a compatible provider is adding a row.
 * Immutable; any thread. */
#pragma once

#include "base/arena.h"
#include "translation/format.h"

enum provider_auth {
    PROVIDER_AUTH_BEARER, /* Authorization: Bearer KEY; without a key no header */
    PROVIDER_AUTH_HEADER, /* auth_header: KEY */
    PROVIDER_AUTH_NONE,
    PROVIDER_AUTH_AWS,    /* each request is signed (sigv4.h), or a Bedrock API key as a bearer */
    PROVIDER_AUTH_GOOGLE, /* a bearer token that a service account is lent (google.h, tokens.h) */
};

enum provider_quirk {
    /* Refuses stream_options (and says what was used without being asked): it is neither put into
     * the request nor left in it. */
    PROVIDER_NO_STREAM_OPTIONS = 1 << 0,
    /* A key is not needed: the account may be saved without one. */
    PROVIDER_KEY_OPTIONAL = 1 << 1,
    /* Runs on the operator's own machines: network private is the usual choice. */
    PROVIDER_SELF_HOSTED = 1 << 2,
    /* Refuses settings that are not OpenAI's own (top_k, min_p, repetition_penalty). */
    PROVIDER_PLAIN_OPENAI = 1 << 4,
    /* Embeddings have Voyage's input_type and truncation beside OpenAI's fields. */
    PROVIDER_INPUT_TYPE = 1 << 5,
    /* Has no URL in the database: each node resolves it to its own demo upstream. */
    PROVIDER_DEMO = 1 << 3,
};

/* A header that stands in the table. */
struct provider_fixed {
    const char *name, *value;
};

/* One wire format that a provider speaks, and where. */
struct provider_way {
    const struct wire_format *format;
    /* Behind the root: "/chat/completions". `{model}` stands for the upstream's name of the model. */
    const char *path;
    const char *stream_path; /* of streamed answers, where that is another; NULL: the same */
    /* The key goes in this one, as it is; NULL: as the provider's auth says. */
    const char *key_header;
    /* Sent with every request that does not have them from its client or from the operator. Up to
     * one without a name; NULL: none. */
    const struct provider_fixed *headers;
    /* A client of the same format may choose these itself. Up to a NULL; NULL: none. */
    const char *const *client_headers;
    /* Only models whose name there starts with this go this way, and those no other; NULL: all that
     * are left. */
    const char *models;
    /* The path stands beside the root, not behind it. */
    bool beside_root;
    /* The body has no `model` (it is in the path), but this as `anthropic_version`; NULL: as it is. */
    const char *version_in_body;
};
#define PROVIDER_WAYS_MAX 16
#define PROVIDER_CLIENT_HEADERS_MAX 4

struct provider {
    const char *kind;  /* as stored: "openai" */
    const char *label; /* for people: "OpenAI" */
    /* Scheme and host; NULL: has to be given. `{region}` and `{project}` are the account's, also in
     * the root; `{region-}` is the region with a hyphen behind it, but nothing for "global". */
    const char *origin;
    /* The path of the API's root, put behind a base URL that has no path: "/v1". */
    const char *root;
    const char *docs; /* where its API is described, for people who set an account up; NULL: nowhere */
    /* Up to one without a format. Chats of clients that speak none of these are translated into
     * the first that has a neutral form, embeddings into the first that has one of theirs. */
    struct provider_way ways[PROVIDER_WAYS_MAX];
    const char *models_path; /* where the models are listed, asked with the first way's headers;
                              * NULL: nowhere */
    enum provider_auth auth;
    const char *auth_header; /* for PROVIDER_AUTH_HEADER, lower case */
    /* The name of the output limit that all of its models take. */
    const char *output_limit_field; /* "max_tokens" or "max_completion_tokens" */
    /* The name for the length of embeddings in OpenAI's format; NULL: "dimensions". */
    const char *dimensions_field;
    unsigned quirks; /* of enum provider_quirk */
    /* Is generation, and with it the bill, stopped when the connection is closed: of a stream, and
     * of a plain answer that has not begun to come? See provider_table.c for who says so. */
    bool cancel_stops_billing, cancel_stops_plain;
};

extern const struct provider providers[];
extern const size_t providers_count;
/* NULL if there is no such kind. */
const struct provider *provider_find(struct str kind);

static inline bool provider_has(const struct provider *p, enum provider_quirk quirk)
{
    return (p->quirks & quirk) != 0;
}

const struct provider_way *provider_way_of(const struct provider *p,
                                           const struct wire_format *format);
/* May this model of the provider go this way? */
bool provider_way_takes(const struct provider *p, const struct provider_way *way, struct str model);

/* What else an account has to say of where it is. */
struct provider_place {
    struct str region, project; /* empty: not told */
};
bool provider_wants_region(const struct provider *p);
bool provider_wants_project(const struct provider *p);

/* The part of a URL before its path: scheme, host and port as they are written. */
struct str provider_origin(struct str url);
/* The URL to ask: base (empty: the provider's own) and path joined. A base without a path gets the
 * root; a trailing slash, or a way's path that somebody pasted along, does no harm; a query of the
 * base stays at the end, behind one of the path. PROVIDER_E_NO_URL: neither the account nor the
 * kind has one; PROVIDER_E_NO_PLACE: the region or project that is part of it is not told. */
enum { PROVIDER_OK = 0, PROVIDER_E_NO_URL = 1, PROVIDER_E_NO_PLACE = 2 };
int provider_url(const struct provider *p, struct arena *a, const struct provider_place *place,
                 struct str base, const char *path, struct str *ret) _must_use_;
/* The same of a way's path, or of its path for streams. */
int provider_way_url(const struct provider *p, struct arena *a, const struct provider_place *place,
                     struct str base, const struct provider_way *way, bool stream,
                     struct str *ret) _must_use_;

struct provider_header {
    const char *name;
    struct str value;
};
/* Can a header have this value upstream? At most 2000 bytes of ASCII, no control characters but tabs:
 * fetch/ sends no other bytes. */
bool provider_value_allowed(struct str value);
/* May an operator set this header for an account? Names are tokens (RFC 9110 5.6.2), and what frames or
 * routes a request is ours. */
bool provider_header_allowed(struct str name, struct str value);
