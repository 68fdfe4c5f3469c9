/* shadows.h: shadows beside the calls that they shadow (migrations/0015_shadow.sql). Operators only: under
 * any other scope there are none. Worker thread, inside the caller's transaction.
 *
 * Texts of answers are not kept, so nothing here tells whether two answers say the same: what is compared
 * are times, tokens, costs, errors, and why the answers ended. */
#pragma once

#include "db/db.h"
#include "model/record.h"

struct shadow_span {
    struct model_id model;  /* whose calls */
    struct str to;          /* by which model */
    int64_t from_us, to_us; /* settled from, until before */
};

/* Of more pairs in the span the newest are compared. */
#define SHADOW_PAIRS 20000

enum shadow_of { SHADOW_ORIGINAL, SHADOW_SHADOW, SHADOW_SIDES };
struct shadow_side {
    int64_t calls, ok;
    int64_t prompt_tokens, output_tokens;
    int64_t ttfb_us[2], latency_us[2]; /* of those that ended well: half, and nineteen of twenty, were as fast */
    struct money cost;                 /* of all; the operator's */
};
struct shadow_comparison {
    struct shadow_side side[SHADOW_SIDES];
    int64_t told, same; /* pairs of which both ended well and say why they ended, and those that say the same */
};
int shadow_compare(struct db *db, const struct shadow_span *span, struct shadow_comparison *ret) _must_use_;

/* How the answers ended, and what went wrong, by how often: a row for each word. */
struct shadow_word {
    bool is_error;  /* an error code, or how the call ended where there is none; else why an answer ended */
    struct str word;
    int64_t n[SHADOW_SIDES];
};
int shadow_words(struct db *db, struct arena *a, const struct shadow_span *span, struct shadow_word **ret,
                 size_t *ret_n) _must_use_;

/* One call and its shadow. */
struct shadow_half {
    struct call_id id;
    struct str model, provider, account, outcome, error_code, finish_reason, upstream_id;
    int32_t status, attempts;
    int64_t prompt_tokens, output_tokens, reasoning_tokens, ttfb_us, latency_us;
    struct money cost;
    struct str error_text; /* of the last try */
};
struct shadow_pair {
    struct shadow_half half[SHADOW_SIDES];
    struct team_id team;
    struct str team_name, endpoint;
    bool stream;
    int64_t posted_us;
    struct money charge; /* what the team was charged for its call */
};
/* The newest of a span. */
int shadow_pairs(struct db *db, struct arena *a, const struct shadow_span *span, int32_t limit,
                 struct shadow_pair **ret, size_t *ret_n) _must_use_;
/* By the shadow's id, or by that of its call. */
enum { SHADOWS_OK = 0, SHADOWS_E_NONE = 1 };
int shadow_pair_get(struct db *db, struct arena *a, struct call_id id, struct shadow_pair *ret) _must_use_;

/* The models that shadowed the model's calls in the span, that of the newest first; to of the span is not
 * read. At most 20. */
int shadow_models(struct db *db, struct arena *a, const struct shadow_span *span, struct str **ret,
                  size_t *ret_n) _must_use_;

/* Lets those leave that are older than 90 days. */
int shadow_forget(struct db *db, int64_t *ret_n) _must_use_;
