/* guardrail.h: the rules by which texts of requests and answers are looked through: a team's own, and those
 * of the installation, which hold for every team and which no team can switch off.
 *
 * A rule looks for kinds of findings (detect.h), words and patterns (pattern.h), in what clients send, in
 * what models answer or in both, for all keys of the team, for those of one project or for one key. What
 * is made of a finding is its action. Names are what clients, the log and the list of calls are told.
 * Every change tells the nodes. Team scope, or operator for the installation's (team 0). */
#pragma once

#include "guard/detect.h"
#include "identity/audit.h"

enum guard_action {
    GUARD_LOG,    /* only the record says it */
    GUARD_REDACT, /* a mark stands in its place */
    GUARD_BLOCK,  /* the request is refused; the answer is kept back */
    GUARD_ACTIONS
};
const char *guard_action_name(enum guard_action action); /* "log", "redact", "block" */
bool guard_action_parse(struct str name, enum guard_action *ret);

enum { GUARD_REQUEST = 1, GUARD_ANSWER = 2 }; /* where; bits */

/* What replaces a word or a pattern's finding. */
#define GUARD_MARK STR("[REDACTED]")

/* Of a team, and of the installation. All that hold for a key are looked for in each of its calls. */
#define GUARDRAILS_MAX 20
#define GUARD_RULES_MAX (2 * GUARDRAILS_MAX)
#define GUARDRAIL_WORDS_MAX 100
#define GUARDRAIL_PATTERNS_MAX 10
#define GUARDRAIL_NAME_MAX 40

struct guardrail_settings {
    struct str name;
    unsigned finds; /* bits by enum detect_kind */
    const struct str *words, *patterns;
    size_t n_words, n_patterns;
    unsigned where;
    enum guard_action action;
    struct project_id project; /* 0: any */
    struct key_id key;         /* 0: any */
    bool disabled;
};

struct guardrail {
    int64_t id;
    struct team_id team; /* 0: of the installation */
    struct guardrail_settings is;
    struct str place; /* the project's or the key's name; p NULL: every key */
};
struct guardrail_page {
    struct guardrail *v;
    size_t n;
};

/* Trims the name, words and patterns in place and compiles what is to be compiled. Fields: name, finds, words, patterns,
 * where, key_id. 0, IDENTITY_E_FAULT or < 0. Pure. */
int guardrail_check(struct arena *a, struct guardrail_settings *settings,
                    struct identity_fault *fault) _must_use_;

/* The installation's first, then the team's, by name. team 0: the installation's only. */
int guardrail_list(struct db *db, struct arena *a, struct team_id team,
                   struct guardrail_page *ret) _must_use_;
int guardrail_get(struct db *db, struct arena *a, struct team_id team, int64_t id,
                  struct guardrail *ret) _must_use_;
/* id 0: a new one. Fields as above, and project_id. */
int guardrail_save(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   int64_t id, const struct guardrail_settings *settings, int64_t *ret_id,
                   struct identity_fault *fault) _must_use_;
int guardrail_drop(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   int64_t id) _must_use_;

/* All that hold for a key, in the order of guardrail_list. Runs its own transaction (system scope); any
 * worker lane. 0, DB_E_AWAY or < 0. */
int guardrails_of_key(struct db *db, struct arena *a, struct team_id team, struct project_id project,
                      struct key_id key, struct guardrail_page *ret) _must_use_;
