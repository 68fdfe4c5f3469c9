/* search.h: reading the calls: a filtered, keyset-paged list, and one call with its attempts.
 *
 * Rows come newest first by call id, which is time-ordered, so a time range is an id range and reads
 * only the partitions it touches. Worker thread, inside a transaction begun by the caller
 * (db/tx.h): a team's own rows under DB_TEAM, everybody's under DB_OPERATOR. */
#pragma once

#include "db/db.h"
#include "model/record.h"

#define LOG_PAGE_ROWS 50

enum log_tri { LOG_ANY, LOG_YES, LOG_NO };

struct log_filter {
    struct team_id team; /* 0: every team (operators only) */
    int64_t from_us, to_us; /* start of the call; 0: open */
    struct key_id key;
    struct project_id project;
    struct str model, provider, outcome, account; /* p NULL: any */
    int status;       /* 404: exactly; 4: 4xx; 0: any */
    enum log_tri fallback;
    struct money cost_above; /* charge > this; nano < 0: any */
    struct str tag; /* text of one tag value; p NULL: any */
};

struct log_row {
    struct call_record call;
    int64_t posted_at_us, transfer_id;
    struct str team_name, key_name, project_name;
};

struct log_page {
    struct log_row *rows;
    size_t n;
    bool older, newer;               /* whether there is more on either side */
    struct call_id oldest, newest;   /* cursors: before oldest, after newest */
};

/* cursor: all zero for the first page. `after`: rows newer than the cursor instead of older. */
int log_search(struct db *db, struct arena *a, const struct log_filter *filter,
               struct call_id cursor, bool after, size_t limit, struct log_page *ret) _must_use_;

/* Every row of the filter, oldest first, one at a time; for exports. row's text is reused. */
int log_each(struct db *db, const struct log_filter *filter,
             int (*fn)(void *ctx, const struct log_row *row), void *ctx) _must_use_;

enum { LOG_OK = 0, LOG_E_NONE = 1 };
/* One call with its attempts filled in. team 0: any team (operators). */
int log_get(struct db *db, struct arena *a, struct team_id team, struct call_id id,
            struct log_row *ret) _must_use_;

/* The distinct models, providers and keys of a team's last 30 days, for filter menus. */
struct log_choices {
    struct str models[100], providers[40];
    size_t n_models, n_providers;
};
int log_choices(struct db *db, struct arena *a, struct team_id team, struct log_choices *ret)
    _must_use_;
