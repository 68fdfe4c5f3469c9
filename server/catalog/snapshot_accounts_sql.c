/* snapshot_accounts_sql.c: the provider accounts of a snapshot, ready to be asked: URLs whole, the
 * credential opened. A kind that this binary does not know (one of a newer version, during an upgrade) is left
 * out, and its targets with it; of such an account it is known that it is there. */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/secret.h"
#include "catalog/accounts.h"
#include "catalog/snapshot_parts.h"

/* One row at a time; its strings are in the snapshot's arena already. */
struct accounts_load {
    struct db *db;
    const struct catalog_options *options;
    struct catalog *c;
    int64_t id, team_id, rpm, tpm;
    int32_t priority, weight;
    int32_t own_fee_bp;
    bool own_only, forbidden, enabled, private_network, team_none, rpm_none, tpm_none;
    struct str kind, name, base_url, region, project, data_policy, key_sealed, value;
};

DB_QUERY(catalog_accounts_all,
         "SELECT id, team_id, kind, name, base_url, region, project, key_sealed,"
         "       network = 'private' AS private, data_policy, enabled, priority, weight, rpm,"
         "       tpm, own_only,"
         "       CASE WHEN team_id IS NULL THEN 0"
         "            ELSE (SELECT own_fee_bp FROM installation) END AS own_fee_bp,"
         "       team_id IS NOT NULL AND base_url <> ''"
         "         AND NOT (SELECT own_base_urls FROM installation) AS forbidden"
         "  FROM provider_account"
         " WHERE deleted_at IS NULL AND (team_id IS NULL OR $1::bigint IN (0, id))"
         " ORDER BY id")

/* The opened text is wiped at once; what the credential needs of it is with the snapshot. */
static int account_key(struct accounts_load *l, struct catalog_account *a)
{
    struct str key = STR("");
    int r;

    if (l->key_sealed.p) {
        r = account_key_open(l->c->arena, l->options->seal_key, a->id, l->key_sealed, &key);
        if (r < 0)
            return err_trace(r);
        if (r > 0)
            a->unusable = "The credential cannot be opened with this installation's secret.";
    } else if (!provider_has(a->provider, PROVIDER_KEY_OPTIONAL)) {
        a->unusable = "It has no credential.";
    }
    r = credential_open(a->provider, l->c->arena, key, &a->credential);
    if (r == CREDENTIAL_E_BAD)
        a->unusable = "Its credential is none of its kind’s.";
    if (key.n)
        secret_wipe((void *)(uintptr_t)key.p, key.n);
    return r < 0 ? err_trace(r) : 0;
}

static int account_ways(struct accounts_load *l, struct catalog_account *a, struct str base)
{
    const struct provider *p = a->provider;
    struct arena *arena = l->c->arena;
    struct catalog_way *ways = arena_array(arena, struct catalog_way, PROVIDER_WAYS_MAX);
    int r = ways ? 0 : err_origin(-ENOMEM);

    a->ways = ways;
    for (size_t i = 0; r == 0 && i < PROVIDER_WAYS_MAX && p->ways[i].format; i++) {
        struct catalog_way *w = &ways[i];

        *w = (struct catalog_way){.way = &p->ways[i]};
        r = provider_way_url(p, arena, &a->place, base, w->way, false, &w->url);
        if (r == 0)
            r = provider_way_url(p, arena, &a->place, base, w->way, true, &w->stream_url);
        a->n_ways += r == 0;
    }
    if (r == 0 && p->models_path)
        r = provider_url(p, arena, &a->place, base, p->models_path, &a->models_url);
    return r;
}

static int account_urls(struct accounts_load *l, struct catalog_account *a)
{
    const struct provider *p = a->provider;
    struct str base = l->base_url;
    int r;

    if (provider_has(p, PROVIDER_DEMO)) {
        if (!l->options->demo_port) {
            a->unusable = "There is no demo upstream on this node.";
            return 0;
        }
        base = arena_strf(l->c->arena, "http://127.0.0.1:%u", (unsigned)l->options->demo_port);
        if (!base.p)
            return err_origin(-ENOMEM);
    }
    r = account_ways(l, a, base);
    if (r == PROVIDER_E_NO_URL)
        a->unusable = "It has no base URL.";
    else if (r == PROVIDER_E_NO_PLACE)
        a->unusable = "It lacks a region or a project.";
    return r < 0 ? err_trace(r) : 0;
}

static int account_row(void *ctx)
{
    struct accounts_load *l = ctx;
    struct catalog *c = l->c;
    const struct provider *p = provider_find(l->kind);
    struct catalog_account *a = &c->accounts[c->n_accounts];
    struct provider_header *headers = NULL;
    int r;

    if (!p) {
        c->strangers[c->n_strangers++] = (struct account_id){l->id};
        return 0;
    }
    if (l->team_none) { /* a team's own has none */
        headers = arena_array(c->arena, struct provider_header, BOUND_ACCOUNT_HEADERS);
        if (!headers)
            return err_origin(-ENOMEM);
    }
    *a = (struct catalog_account){
        .id = {l->id},
        .team = {l->team_none ? 0 : l->team_id},
        .name = l->name,
        .own_only = l->own_only && l->enabled,
        .own_url = !l->team_none && l->base_url.n > 0,
        .own_fee_bp = l->own_fee_bp,
        .provider = p,
        .place = {.region = l->region, .project = l->project},
        .headers = headers,
        .private_network = l->private_network || provider_has(p, PROVIDER_DEMO),
        .unusable = !l->enabled    ? "It is disabled."
                    : l->forbidden ? "This installation takes teams' keys at their provider's usual address only."
                                   : NULL,
        .priority = l->priority,
        .weight = l->weight,
        .rpm = l->rpm_none ? 0 : l->rpm,
        .tpm = l->tpm_none ? 0 : l->tpm,
    };
    if (data_policy_parse(l->data_policy, &a->data_policy) != WORD_OK)
        a->data_policy = DATA_UNKNOWN; /* of a newer version */
    c->n_accounts++;
    r = account_key(l, a);
    if (r == 0)
        r = account_urls(l, a);
    return r < 0 ? err_trace(r) : 0;
}

static int each_account(struct accounts_load *l)
{
    return db_each(
        l->db, &catalog_accounts_all, l->c->arena, DB_ARGS(db_i64(l->options->only.v)),
        DB_COLS(db_col_i64("id", &l->id), db_col_i64_null("team_id", &l->team_id, &l->team_none),
                db_col_text("kind", &l->kind), db_col_text("name", &l->name),
                db_col_text("base_url", &l->base_url), db_col_text("region", &l->region),
                db_col_text("project", &l->project), db_col_bytes("key_sealed", &l->key_sealed),
                db_col_bool("private", &l->private_network),
                db_col_text("data_policy", &l->data_policy), db_col_bool("enabled", &l->enabled),
                db_col_bool("own_only", &l->own_only), db_col_bool("forbidden", &l->forbidden),
                db_col_i32("own_fee_bp", &l->own_fee_bp),
                db_col_i32("priority", &l->priority), db_col_i32("weight", &l->weight),
                db_col_i64_null("rpm", &l->rpm, &l->rpm_none),
                db_col_i64_null("tpm", &l->tpm, &l->tpm_none)),
        account_row, l);
}

DB_QUERY(catalog_account_headers, "SELECT a.id, h.key AS name, h.value"
                                  "  FROM provider_account a, jsonb_each_text(a.extra_headers) h"
                                  " WHERE a.deleted_at IS NULL AND a.team_id IS NULL"
                                  " ORDER BY a.id, h.key")

static int header_row(void *ctx)
{
    struct accounts_load *l = ctx;
    struct catalog_account *a =
        (struct catalog_account *)catalog_find_account(l->c, (struct account_id){l->id});
    struct provider_header *h;

    if (!a || a->n_headers >= BOUND_ACCOUNT_HEADERS || !l->value.p)
        return 0;
    h = (struct provider_header *)&a->headers[a->n_headers++];
    h->name = l->name.p; /* the arena's copies end in NUL */
    h->value = l->value;
    return 0;
}

static int each_header(struct accounts_load *l)
{
    return db_each(l->db, &catalog_account_headers, l->c->arena, DB_NO_ARGS,
                   DB_COLS(db_col_i64("id", &l->id), db_col_text("name", &l->name),
                           db_col_text("value", &l->value)),
                   header_row, l);
}

int snapshot_load_accounts(struct db *db, const struct catalog_options *options, struct catalog *c)
{
    struct accounts_load l = {.db = db, .options = options, .c = c};
    int r = each_account(&l);

    return r ? r : each_header(&l);
}
