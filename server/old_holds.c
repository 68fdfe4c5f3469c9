/* old_holds.c: see old_holds.h. */
#include "old_holds.h"

#include "base/arena.h"
#include "base/bounds.h"
#include "catalog/holder.h"
#include "db/tx.h"
#include "gateway/gateway.h"
#include "logs/findings.h"

/* A hold that is this much older than a call may last is kept by a call that nothing ends. */
#define HOLD_SLACK_MS 60000

/* The longest that a call may last, by the setting or the most patient model. */
static int64_t longest_call_ms(const struct services *s)
{
    struct catalog *catalog = catalog_holder_get(s->catalog);
    int64_t longest = s->total_timeout_ms;
    const struct catalog_model *v;
    size_t n = 0;

    if (!catalog)
        return longest;
    v = catalog_models(catalog, &n);
    for (size_t i = 0; i < n; i++)
        longest = MAX(longest, (int64_t)v[i].total_timeout_ms);
    catalog_unref(catalog);
    return longest;
}

struct old_hold {
    struct str node;
    int64_t minutes;
};

static int report_tx(struct db *db, void *ctx)
{
    const struct old_hold *old = ctx;
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(4));
    bool is_new;

    return finding_report(db, STR("I7 no hold outlives its call"),
                          arena_strf(a, "node %.*s", STR_FMT(old->node)),
                          arena_strf(a, "a call holds money for %lld minutes",
                                     (long long)old->minutes),
                          &is_new);
}

int old_holds_report(struct db *db, const struct services *s)
{
    int64_t age_ms = gateways_oldest_ms(s->gateways);
    struct old_hold old = {.node = s->node_name, .minutes = age_ms / 60000};

    if (age_ms <= longest_call_ms(s) + HOLD_SLACK_MS)
        return 0;
    return db_tx(db, DB_SYSTEM, "finding_report", report_tx, &old);
}
