/* keyring_read_sql.c: reading the virtual keys of a team, with what they have spent.
 *
 * Spend comes from the daily roll-up, whose days are those of the team's time zone. */
#include "identity/keyring.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "db/rows.h"
#include "identity/text_list.h"

/* Spending is summed up once, and not for each key. */
#define KEY_SELECT                                                                                 \
    "WITH s AS MATERIALIZED ("                                                                     \
    "   SELECT u.key_id, sum(u.charge_nano) AS total, max(u.day) AS last_day,"                     \
    "          sum(u.charge_nano) FILTER (WHERE u.day = n.today) AS today,"                        \
    "          sum(u.charge_nano) FILTER (WHERE u.day >= n.week) AS week,"                         \
    "          sum(u.charge_nano) FILTER (WHERE u.day >= n.month) AS month"                        \
    "     FROM spent_day u,"                                                                       \
    "          (SELECT (now() AT TIME ZONE time_zone)::date AS today,"                             \
    "                  date_trunc('week', now() AT TIME ZONE time_zone)::date AS week,"            \
    "                  date_trunc('month', now() AT TIME ZONE time_zone)::date AS month"           \
    "             FROM team WHERE id = $1) n"                                                      \
    "    WHERE u.team_id = $1 AND ($2::bigint = 0 OR u.key_id = $2) GROUP BY u.key_id) "           \
    "SELECT k.id, k.name, coalesce(k.project_id, 0) AS project_id, j.name AS project_name,"        \
    "       coalesce(k.owner_user_id, 0) AS owner_id, p.name AS owner_name, k.prefix, k.last4,"    \
    "       array_to_string(k.models, E'\\n') AS models,"                                          \
    "       array_to_string(k.addresses, E'\\n') AS addresses, k.expires_at,"                      \
    "       coalesce(k.rpm, 0) AS rpm, coalesce(k.tpm, 0) AS tpm,"                                 \
    "       coalesce(k.concurrency, 0) AS concurrency, coalesce(k.budget_nano, 0) AS budget_nano," \
    "       k.cache_seconds::bigint AS cache_seconds, k.cache_own,"                                \
    "       coalesce(k.cache_similarity_bp, 0) AS cache_similarity_bp,"                            \
    "       k.budget_window, g.tags, k.disabled_at IS NOT NULL AS disabled,"                       \
    "       k.deleted_at IS NOT NULL AS deleted, coalesce(k.expires_at <= now(), false) AS "       \
    "expired,"                                                                                     \
    "       CASE WHEN k.overlap_until > now() THEN k.overlap_until END AS overlap_until,"          \
    "       k.created_at, k.rotated_at, s.last_day::timestamp AT TIME ZONE t.time_zone AS "        \
    "used_at,"                                                                                     \
    "       coalesce(s.today, 0) AS today, coalesce(s.week, 0) AS week,"                           \
    "       coalesce(s.month, 0) AS month,"                                                        \
    "       coalesce(s.total, 0) AS total"                                                         \
    "  FROM api_key k JOIN team t ON t.id = k.team_id"                                             \
    "  LEFT JOIN project j ON j.team_id = k.team_id AND j.id = k.project_id"                       \
    "  LEFT JOIN person p ON p.id = k.owner_user_id"                                               \
    "  LEFT JOIN LATERAL (SELECT string_agg(key || E'\\n' || value, E'\\n' ORDER BY key) AS tags"  \
    "                       FROM jsonb_each_text(k.tags)) g ON true"                               \
    "  LEFT JOIN s ON s.key_id = k.id"                                                             \
    " WHERE k.team_id = $1 AND ($2::bigint = 0 OR k.id = $2) "

struct key_read {
    struct key_view row;
    struct str models, addresses, window, tags;
    struct arena *a;
    struct db_rows rows;
};

#define KEY_COLS(t)                                                                               \
    DB_COLS(db_col_i64("id", &(t)->row.id.v), db_col_text("name", &(t)->row.settings.name),       \
            db_col_i64("project_id", &(t)->row.settings.project.v),                               \
            db_col_text("project_name", &(t)->row.project_name),                                  \
            db_col_i64("owner_id", &(t)->row.owner.v),                                            \
            db_col_text("owner_name", &(t)->row.owner_name),                                      \
            db_col_text("prefix", &(t)->row.prefix), db_col_text("last4", &(t)->row.last4),       \
            db_col_text("models", &(t)->models), db_col_text("addresses", &(t)->addresses),       \
            db_col_time_us("expires_at", &(t)->row.settings.expires_at_us),                       \
            db_col_i64("rpm", &(t)->row.settings.rpm), db_col_i64("tpm", &(t)->row.settings.tpm), \
            db_col_i64("concurrency", &(t)->row.settings.concurrency),                            \
            db_col_money("budget_nano", &(t)->row.settings.budget),                               \
            db_col_text("budget_window", &(t)->window), db_col_text("tags", &(t)->tags),          \
            db_col_i64("cache_seconds", &(t)->row.settings.cache_seconds),                        \
            db_col_bool("cache_own", &(t)->row.settings.cache_own),                               \
            db_col_i32("cache_similarity_bp", &(t)->row.settings.cache_similarity_bp),            \
            db_col_bool("disabled", &(t)->row.disabled),                                          \
            db_col_bool("deleted", &(t)->row.deleted), db_col_bool("expired", &(t)->row.expired), \
            db_col_time_us("overlap_until", &(t)->row.overlap_until_us),                          \
            db_col_time_us("created_at", &(t)->row.created_at_us),                                \
            db_col_time_us("rotated_at", &(t)->row.rotated_at_us),                                \
            db_col_time_us("used_at", &(t)->row.last_day_us),                                     \
            db_col_money("today", &(t)->row.spent_today),                                         \
            db_col_money("week", &(t)->row.spent_week),                                           \
            db_col_money("month", &(t)->row.spent_month),                                         \
            db_col_money("total", &(t)->row.spent_total))

/* Name, value, name, value ... */
static int read_tags(struct key_read *t)
{
    struct text_list list;
    int r = text_list_split(t->a, t->tags.p ? t->tags : STR(""), &list);
    struct key_tag *tags = r == 0 ? arena_array(t->a, struct key_tag, list.n / 2 + 1) : NULL;

    if (!tags)
        return r < 0 ? r : err_origin(-ENOMEM);
    for (size_t i = 0; i < list.n / 2; i++)
        tags[i] = (struct key_tag){list.v[2 * i], list.v[2 * i + 1]};
    t->row.settings.tags = tags;
    t->row.settings.n_tags = list.n / 2;
    return 0;
}

static int key_push(void *ctx)
{
    struct key_read *t = ctx;
    struct key_settings *s = &t->row.settings;
    struct text_list models, addresses;
    int r = text_list_split(t->a, t->models, &models);

    if (r == 0)
        r = text_list_split(t->a, t->addresses, &addresses);
    if (r == 0)
        r = read_tags(t);
    if (r < 0)
        return r;
    s->models = models.v;
    s->n_models = models.n;
    s->addresses = addresses.v;
    s->n_addresses = addresses.n;
    s->budget_window = KEY_WINDOW_NONE;
    if (t->window.p && !key_window_parse(t->window, &s->budget_window))
        return err_origin(-EPROTO);
    return db_rows_push(&t->rows);
}

DB_QUERY(key_rows, KEY_SELECT " AND (k.deleted_at IS NULL OR $3)"
                              " ORDER BY k.deleted_at IS NOT NULL, k.id DESC LIMIT $4")

static int read_keys(struct db *db, struct arena *a, struct team_id team, struct key_id key,
                     bool with_deleted, struct key_page *ret)
{
    struct key_read t = {.a = a, .rows = DB_ROWS(a, &t.row)};
    int r = db_each(
        db, &key_rows, a,
        DB_ARGS(db_i64(team.v), db_i64(key.v), db_bool(with_deleted), db_i32(BOUND_KEYS_PER_TEAM)),
        KEY_COLS(&t), key_push, &t);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct key_page){t.rows.v, t.rows.n};
    return 0;
}

struct money key_spent_in_window(const struct key_view *k)
{
    switch (k->settings.budget_window) {
    case KEY_WINDOW_DAY:
        return k->spent_today;
    case KEY_WINDOW_WEEK:
        return k->spent_week;
    case KEY_WINDOW_MONTH:
        return k->spent_month;
    case KEY_WINDOW_LIFETIME:
        return k->spent_total;
    case KEY_WINDOW_NONE:
        break;
    }
    return (struct money){0};
}

int keyring_get(struct db *db, struct arena *a, struct team_id team, struct key_id key,
                struct key_view *ret)
{
    struct key_page page;
    int r = key.v > 0 ? read_keys(db, a, team, key, true, &page) : IDENTITY_E_NONE;

    if (r != 0)
        return r;
    if (page.n == 0)
        return IDENTITY_E_NONE;
    *ret = page.v[0];
    return 0;
}

int keyring_list(struct db *db, struct arena *a, struct team_id team, bool with_deleted,
                 struct key_page *ret)
{
    return read_keys(db, a, team, (struct key_id){0}, with_deleted, ret);
}
