/* key_sql.c: reading a key's policy by the digest of its secret.
 *
 * A secret that was rotated away is the same key until the overlap ends, and expires then. */
#include "identity/key.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "db/tx.h"
#include "identity/text_list.h"

DB_QUERY(key_by_digest,
         "SELECT k.id, k.team_id, coalesce(k.project_id, 0) AS project_id,"
         "       coalesce(k.owner_user_id, 0) AS owner_id, k.name, k.prefix, k.last4,"
         "       array_to_string(k.models, E'\\n') AS models,"
         "       array_to_string(k.addresses, E'\\n') AS addresses, k.created_at,"
         "       CASE WHEN k.digest = $1 THEN k.expires_at"
         "            ELSE least(k.expires_at, k.overlap_until) END AS expires_at,"
         "       k.disabled_at IS NOT NULL AS disabled, coalesce(k.rpm, 0) AS rpm,"
         "       coalesce(k.tpm, 0) AS tpm, coalesce(k.concurrency, 0) AS concurrency,"
         "       k.budget_window, coalesce(k.budget_nano, 0) AS budget_nano,"
         "       t.frozen_at IS NOT NULL AS frozen, t.time_zone, t.response_days,"
         "       k.cache_seconds::bigint AS cache_seconds, k.cache_own, t.cache_cleared_at,"
         "       t.shadow_opt_out,"
         "       coalesce(k.cache_similarity_bp, 0) AS cache_similarity_bp,"
         "       EXISTS (SELECT FROM guardrail g WHERE (g.team_id IS NULL OR g.team_id = k.team_id)"
         "                                         AND NOT g.disabled) AS guarded,"
         "       k.tags::text AS tags"
         "  FROM api_key k JOIN team t ON t.id = k.team_id"
         " WHERE k.deleted_at IS NULL"
         "   AND (k.digest = $1 OR (k.previous_digest = $1 AND k.overlap_until > now()))")

struct finding {
    const struct digest *digest;
    struct key_policy *policy;
};

static int read_lists(struct key_policy *p, struct str models, struct str addresses)
{
    struct text_list names, blocks;
    int r = text_list_split(p->arena_, models, &names);

    if (r == 0)
        r = text_list_split(p->arena_, addresses, &blocks);
    if (r < 0)
        return r;
    struct key_block *v = arena_array(p->arena_, struct key_block, blocks.n + 1);

    if (!v)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < blocks.n; i++)
        if (!key_block_parse(blocks.v[i], &v[i]))
            return err_origin(-EPROTO); /* never: an unreadable block must not mean "everywhere" */
    p->models = names.v;
    p->n_models = names.n;
    p->blocks = v;
    p->n_blocks = blocks.n;
    return 0;
}

static int find_tx(struct db *db, void *ctx)
{
    struct finding *t = ctx;
    struct key_policy *p = t->policy;
    struct str models, addresses, window;
    int r = db_one(
        db, &key_by_digest, p->arena_, DB_ARGS(db_digest(t->digest)),
        DB_COLS(
            db_col_i64("id", &p->key.v), db_col_i64("team_id", &p->team.v),
            db_col_i64("project_id", &p->project.v), db_col_i64("owner_id", &p->owner.v),
            db_col_text("name", &p->name), db_col_text("prefix", &p->prefix),
            db_col_text("last4", &p->last4), db_col_text("models", &models),
            db_col_text("addresses", &addresses), db_col_time_us("created_at", &p->created_at_us),
            db_col_time_us("expires_at", &p->expires_at_us), db_col_bool("disabled", &p->disabled),
            db_col_i64("rpm", &p->rpm), db_col_i64("tpm", &p->tpm),
            db_col_i64("concurrency", &p->concurrency), db_col_text("budget_window", &window),
            db_col_money("budget_nano", &p->budget), db_col_bool("frozen", &p->team_frozen),
            db_col_text("time_zone", &p->team_time_zone),
            db_col_i64("response_days", &p->response_days),
            db_col_i64("cache_seconds", &p->cache_seconds), db_col_bool("cache_own", &p->cache_own),
            db_col_i32("cache_similarity_bp", &p->cache_similarity_bp),
            db_col_time_us("cache_cleared_at", &p->cache_cleared_us),
            db_col_bool("shadow_opt_out", &p->shadow_opt_out), db_col_bool("guarded", &p->guarded), db_col_text("tags", &p->tags)));

    if (r != 0)
        return r;
    p->budget_window = KEY_WINDOW_NONE;
    if (window.p && !key_window_parse(window, &p->budget_window))
        return err_origin(-EPROTO);
    return read_lists(p, models, addresses);
}

int key_find(struct db *db, const struct digest *digest, struct key_policy **ret)
{
    struct arena *a = arena_new(BOUND_KEY_POLICY_BYTES);
    struct key_policy *p = a ? arena_new0(a, struct key_policy) : NULL;

    if (!p) {
        arena_free(a);
        return err_origin(-ENOMEM);
    }
    p->arena_ = a;
    atomic_init(&p->refs, 1);
    struct finding t = {digest, p};
    int r = db_tx(db, DB_SYSTEM, "key_find", find_tx, &t);

    if (r == 0) {
        *ret = p;
        return KEY_OK;
    }
    key_policy_unref(p);
    if (r == DB_E_NONE)
        return KEY_E_UNKNOWN;
    if (r == DB_E_AWAY)
        return KEY_E_AWAY;
    return err_trace(db_fatal(r));
}
