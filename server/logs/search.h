/* search.h: reading the calls: a filtered, keyset-paged list, and one call with its attempts.
 *
 * Rows come newest first by the moment they were settled (posted_at), which is the day and month that
 * they belong to everywhere else; those of one moment by id. A search looks backwards in slices until
 * a tenth of a second, with all else that the answer takes, is over, then tells how far it came: what
 * it found is a page all the same, and its cursor goes on from there. Worker thread, inside a transaction begun by the caller (db/tx.h): a
 * team's own rows under DB_TEAM, everybody's under DB_OPERATOR. */
#pragma once

#include "db/db.h"
#include "model/record.h"

#define LOG_PAGE_ROWS 50
#define LOG_BUDGET_US 100000
/* Of that, for making an answer of what was found. */
#define LOG_REST_US 15000
/* Settled calls have moments from 1970 to 2100, exclusive. */
#define LOG_LAST_US 4102444800000000

enum log_tri { LOG_ANY, LOG_YES, LOG_NO };

#define LOG_NO_PROVIDER "none"
#define LOG_NO_CACHE "none"
#define LOG_SIMILAR "similar" /* those hits whose question was another one */
#define LOG_ANY_GUARDRAIL "any" /* no guardrail may be named so */

struct log_filter {
    struct team_id team; /* 0: every team (operators only) */
    int64_t from_us, to_us; /* settled from, until before; 0: open */
    struct key_id key;
    struct project_id project;
    struct str model; /* that served it, as in the roll-ups; else that was asked for; p NULL: any */
    struct str provider; /* LOG_NO_PROVIDER: none was asked; p NULL: any */
    struct str outcome, account; /* p NULL: any */
    struct str error; /* error_code, as problem.def has it; p NULL: any */
    int status;       /* 404: exactly; 4: 4xx; 0: any */
    enum log_tri fallback, served; /* served: by a model; not: refused here, or no provider answered */
    struct money cost_above; /* charge > this; nano < 0: any */
    struct str cache; /* "hit", "miss", LOG_SIMILAR or LOG_NO_CACHE; p NULL: any */
    struct str tag; /* a tag's value, or "name=value"; p NULL: any */
    struct str guardrail; /* one that found something, by name; LOG_ANY_GUARDRAIL; p NULL: not asked */
    struct str rule; /* that had another model serve, by name; p NULL: any */
    int64_t budget_us; /* time to search, but for one slice at least; 0: LOG_BUDGET_US */
};

struct log_row {
    struct call_record call;
    int64_t posted_at_us, transfer_id;
    struct str team_name, key_name, project_name;
};

/* A place between two rows. */
struct log_cursor {
    int64_t posted_us; /* 0: none, the search begins at the newest row */
    struct call_id id; /* all zero: before every row of that moment */
    int64_t step; /* how large a slice the search that ended here had come to; 0: not known */
};
#define LOG_CURSOR_TEXT (19 + 1 + CALL_ID_TEXT + 1 + 19) /* any moment, any step */
void log_cursor_text(struct log_cursor c, char out[LOG_CURSOR_TEXT]);
bool log_cursor_parse(struct str text, struct log_cursor *ret);

struct log_page {
    struct log_row *rows;
    size_t n;
    bool older, newer;                  /* whether there may be more on either side */
    struct log_cursor before, after;    /* where the older and the newer page begin */
    /* Not 0: time was up before limit rows were found. Everything on this side of that moment was
     * looked at; older (newer, if the search went forward) goes on from there. */
    int64_t searched_us;
};

/* forward: rows newer than the cursor instead of older. */
int log_search(struct db *db, struct arena *a, const struct log_filter *filter,
               struct log_cursor cursor, bool forward, size_t limit,
               struct log_page *ret) _must_use_;

/* Every row of a team's filter, oldest first, one at a time; for exports. row's text is reused. */
int log_each(struct db *db, const struct log_filter *filter,
             int (*fn)(void *ctx, const struct log_row *row), void *ctx) _must_use_;

enum { LOG_OK = 0, LOG_E_NONE = 1 };
/* One call with its attempts filled in. team 0: any team (operators). */
int log_get(struct db *db, struct arena *a, struct team_id team, struct call_id id,
            struct log_row *ret) _must_use_;

/* The call that the gateway made to embed another's question (gateway/call_like.h), however it ended. A call
 * has one at the most; it may be settled after its own. of: the other. LOG_E_NONE: there is none. */
struct log_embedding {
    struct call_id id;
    struct str outcome;
    struct money charge, cost;
};
int log_embedding_of(struct db *db, struct arena *a, struct team_id team, struct call_id of,
                     struct log_embedding *ret) _must_use_;

/* For filter menus: a team's keys by name, at most 1000; the distinct models and providers of its last
 * 30 days. */
struct log_keys {
    struct log_key {
        struct key_id id;
        struct str name;
        bool deleted;
    } *v;
    size_t n;
};
int log_keys(struct db *db, struct arena *a, struct team_id team, struct log_keys *ret) _must_use_;
struct log_choices {
    struct str models[100], providers[40];
    size_t n_models, n_providers;
    struct log_keys keys;
};
int log_choices(struct db *db, struct arena *a, struct team_id team, struct log_choices *ret)
    _must_use_;
/* Has the team ever made a call? */
int log_has_any(struct db *db, struct team_id team, bool *ret) _must_use_;
