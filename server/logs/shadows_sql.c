/* shadows_sql.c: see shadows.h. A pair is read by the shadow: there are few of them, and each names the id
 * of its call, which lies in a partition of about the same time. */
#include "logs/shadows.h"

#include "base/err.h"
#include "db/rows.h"

#define C_PLUS(name, kind, bound, label) " + coalesce(c." #name ", 0)"
#define S_PLUS(name, kind, bound, label) " + coalesce(s." #name ", 0)"

/* What both halves have, under one name each. */
#define HALF(x, PLUS_OF)                                                                           \
    x ".call_id, " x ".outcome, " x ".error_code, finish_class(" x ".finish_reason) AS finish, "   \
    x ".ttfb_us, " x ".latency_us, " x ".cost_nano,"                                               \
    " 0" RECORD_PROMPT(PLUS_OF) " AS prompt, 0" RECORD_OUTPUT(PLUS_OF) " AS output"

#define SPAN                                                                                       \
    " WITH s AS MATERIALIZED ("                                                                    \
    "   SELECT * FROM shadow_call"                                                                 \
    "    WHERE shadowed_model_id = $1 AND requested_model = $2 AND posted_at >= $3 AND posted_at < $4" \
    "    ORDER BY posted_at DESC LIMIT 20000),"                                                    \
    " pair AS MATERIALIZED ("                                                                      \
    "   SELECT s.call_id AS of, false AS is_shadow, " HALF("c", C_PLUS)                            \
    "     FROM s JOIN call c ON c.call_id = s.shadow_of AND c.team_id = s.team_id"                 \
    "    WHERE c.call_id >= call_id_floor($3 - interval '1 day') AND c.call_id < call_id_floor($4)), " \
    " half AS MATERIALIZED ("                                                                      \
    "   SELECT * FROM pair UNION ALL"                                                              \
    "   SELECT s.call_id, true, " HALF("s", S_PLUS)                                                \
    "     FROM s WHERE s.call_id IN (SELECT of FROM pair))"

#define SHARE(column, part)                                                                        \
    "coalesce(percentile_disc(" part ") WITHIN GROUP (ORDER BY h." column ")"                      \
    " FILTER (WHERE h.outcome = 'ok' AND h." column " > 0), 0)"

DB_QUERY(shadow_sides,
         SPAN
         "SELECT h.is_shadow, count(*) AS calls, count(*) FILTER (WHERE h.outcome = 'ok') AS ok,"
         "       add_up(h.prompt) AS prompt, add_up(h.output) AS output, add_up(h.cost_nano) AS cost_nano,"
         "       " SHARE("ttfb_us", "0.5") " AS ttfb_50, " SHARE("ttfb_us", "0.95") " AS ttfb_95,"
         "       " SHARE("latency_us", "0.5") " AS latency_50, " SHARE("latency_us", "0.95") " AS latency_95"
         "  FROM half h GROUP BY h.is_shadow ORDER BY h.is_shadow")
DB_QUERY(shadow_ends,
         SPAN
         "SELECT count(*) AS told, count(*) FILTER (WHERE a.finish = b.finish) AS same"
         "  FROM half a JOIN half b ON b.of = a.of AND b.is_shadow"
         " WHERE NOT a.is_shadow AND a.outcome = 'ok' AND b.outcome = 'ok'"
         "   AND a.finish IS NOT NULL AND b.finish IS NOT NULL")
DB_QUERY(shadow_word_rows,
         SPAN
         "SELECT h.outcome <> 'ok' AS is_error,"
         "       CASE WHEN h.outcome = 'ok' THEN coalesce(h.finish, '')"
         "            ELSE coalesce(h.error_code, h.outcome) END AS word,"
         "       count(*) FILTER (WHERE NOT h.is_shadow) AS original,"
         "       count(*) FILTER (WHERE h.is_shadow) AS shadow"
         "  FROM half h GROUP BY 1, 2 ORDER BY 1, count(*) DESC, 2 LIMIT 60")
DB_QUERY(shadow_model_names,
         "SELECT requested_model AS name FROM shadow_call"
         " WHERE shadowed_model_id = $1 AND posted_at >= $2 AND posted_at < $3"
         " GROUP BY requested_model ORDER BY max(posted_at) DESC LIMIT 20")
DB_QUERY(shadow_forget_old, "SELECT shadow_forget() AS gone")

/* A half under names of its own: "c_outcome", "s_outcome". */
#define WHOLE_HALF(x, PLUS_OF, model)                                                              \
    x ".call_id AS " x "_id, " model " AS " x "_model, " x ".provider AS " x "_provider, "         \
    x ".account_name AS " x "_account, " x ".outcome AS " x "_outcome, "                           \
    x ".error_code AS " x "_error, " x ".finish_reason AS " x "_finish, "                          \
    x ".upstream_request_id AS " x "_upstream, " x ".status AS " x "_status, "                     \
    x ".attempts AS " x "_attempts, 0" RECORD_PROMPT(PLUS_OF) " AS " x "_prompt, "                 \
    "0" RECORD_OUTPUT(PLUS_OF) " AS " x "_output, "                                                \
    "coalesce(" x ".reasoning_tokens, 0) AS " x "_reasoning, " x ".ttfb_us AS " x "_ttfb, "        \
    x ".latency_us AS " x "_latency, " x ".cost_nano AS " x "_cost, "                              \
    "(" x ".tries[cardinality(" x ".tries)]).error_text AS " x "_text"
#define PAIR_COLUMNS                                                                               \
    WHOLE_HALF("c", C_PLUS, "coalesce(c.served_model, c.requested_model)") ", "                    \
    WHOLE_HALF("s", S_PLUS, "s.requested_model") ","                                               \
    " s.team_id, t.name AS team_name, s.endpoint, s.stream, s.posted_at, c.charge_nano"
#define PAIR_FROM                                                                                  \
    " FROM shadow_call s JOIN call c ON c.call_id = s.shadow_of AND c.team_id = s.team_id"         \
    " JOIN team t ON t.id = s.team_id"

DB_QUERY(shadow_pair_rows,
         "SELECT " PAIR_COLUMNS PAIR_FROM
         " WHERE s.shadowed_model_id = $1 AND s.requested_model = $2 AND s.posted_at >= $3 AND s.posted_at < $4"
         "   AND c.call_id >= call_id_floor($3 - interval '1 day') AND c.call_id < call_id_floor($4)"
         " ORDER BY s.posted_at DESC, s.call_id DESC LIMIT $5")
DB_QUERY(shadow_pair_row,
         "SELECT " PAIR_COLUMNS PAIR_FROM " WHERE s.call_id = $1 OR s.shadow_of = $1"
         " ORDER BY s.posted_at DESC LIMIT 1")

#define SPAN_ARGS(span) \
    DB_ARGS(db_i64((span)->model.v), db_text((span)->to), db_time_us((span)->from_us), \
            db_time_us((span)->to_us))

struct sides {
    struct shadow_comparison *ret;
    bool is_shadow;
    struct shadow_side row;
};

static int side_row(void *ctx)
{
    struct sides *t = ctx;

    t->ret->side[t->is_shadow ? SHADOW_SHADOW : SHADOW_ORIGINAL] = t->row;
    return 0;
}

int shadow_compare(struct db *db, const struct shadow_span *span, struct shadow_comparison *ret)
{
    struct shadow_comparison c = {.told = 0};
    struct sides t = {.ret = &c};
    struct shadow_side *s = &t.row;
    int r = db_each(db, &shadow_sides, NULL, SPAN_ARGS(span),
                    DB_COLS(db_col_bool("is_shadow", &t.is_shadow), db_col_i64("calls", &s->calls),
                            db_col_i64("ok", &s->ok), db_col_i64("prompt", &s->prompt_tokens),
                            db_col_i64("output", &s->output_tokens), db_col_money("cost_nano", &s->cost),
                            db_col_i64("ttfb_50", &s->ttfb_us[0]), db_col_i64("ttfb_95", &s->ttfb_us[1]),
                            db_col_i64("latency_50", &s->latency_us[0]),
                            db_col_i64("latency_95", &s->latency_us[1])),
                    side_row, &t);

    if (r == 0)
        r = db_one(db, &shadow_ends, NULL, SPAN_ARGS(span),
                   DB_COLS(db_col_i64("told", &c.told), db_col_i64("same", &c.same)));
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = c;
    return 0;
}

int shadow_words(struct db *db, struct arena *a, const struct shadow_span *span, struct shadow_word **ret,
                 size_t *ret_n)
{
    struct shadow_word row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &shadow_word_rows, a, SPAN_ARGS(span),
                    DB_COLS(db_col_bool("is_error", &row.is_error), db_col_text("word", &row.word),
                            db_col_i64("original", &row.n[SHADOW_ORIGINAL]),
                            db_col_i64("shadow", &row.n[SHADOW_SHADOW])),
                    db_rows_push, &rows);

    *ret = rows.v;
    *ret_n = rows.n;
    return r ? err_trace(db_fatal(r)) : 0;
}

#define HALF_COLS(x, h)                                                                            \
    db_col_uuid(x "_id", &(h)->id), db_col_text(x "_model", &(h)->model),                          \
        db_col_text(x "_provider", &(h)->provider), db_col_text(x "_account", &(h)->account),      \
        db_col_text(x "_outcome", &(h)->outcome), db_col_text(x "_error", &(h)->error_code),       \
        db_col_text(x "_finish", &(h)->finish_reason), db_col_text(x "_upstream", &(h)->upstream_id), \
        db_col_i32(x "_status", &(h)->status), db_col_i32(x "_attempts", &(h)->attempts),          \
        db_col_i64(x "_prompt", &(h)->prompt_tokens), db_col_i64(x "_output", &(h)->output_tokens), \
        db_col_i64(x "_reasoning", &(h)->reasoning_tokens), db_col_i64(x "_ttfb", &(h)->ttfb_us),  \
        db_col_i64(x "_latency", &(h)->latency_us), db_col_money(x "_cost", &(h)->cost),           \
        db_col_text(x "_text", &(h)->error_text)
#define PAIR_COLS(p)                                                                               \
    DB_COLS(HALF_COLS("c", &(p)->half[SHADOW_ORIGINAL]), HALF_COLS("s", &(p)->half[SHADOW_SHADOW]), \
            db_col_i64("team_id", &(p)->team.v), db_col_text("team_name", &(p)->team_name),        \
            db_col_text("endpoint", &(p)->endpoint), db_col_bool("stream", &(p)->stream),          \
            db_col_time_us("posted_at", &(p)->posted_us), db_col_money("charge_nano", &(p)->charge))

int shadow_pairs(struct db *db, struct arena *a, const struct shadow_span *span, int32_t limit,
                 struct shadow_pair **ret, size_t *ret_n)
{
    struct shadow_pair row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &shadow_pair_rows, a,
                    DB_ARGS(db_i64(span->model.v), db_text(span->to), db_time_us(span->from_us),
                            db_time_us(span->to_us), db_i32(limit)),
                    PAIR_COLS(&row), db_rows_push, &rows);

    *ret = rows.v;
    *ret_n = rows.n;
    return r ? err_trace(db_fatal(r)) : 0;
}

int shadow_pair_get(struct db *db, struct arena *a, struct call_id id, struct shadow_pair *ret)
{
    struct shadow_pair row = {0};
    int r = db_one(db, &shadow_pair_row, a, DB_ARGS(db_uuid(id)), PAIR_COLS(&row));

    if (r == DB_E_NONE)
        return SHADOWS_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = row;
    return SHADOWS_OK;
}

int shadow_models(struct db *db, struct arena *a, const struct shadow_span *span, struct str **ret,
                  size_t *ret_n)
{
    struct str row;
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &shadow_model_names, a,
                    DB_ARGS(db_i64(span->model.v), db_time_us(span->from_us), db_time_us(span->to_us)),
                    DB_COLS(db_col_text("name", &row)), db_rows_push, &rows);

    *ret = rows.v;
    *ret_n = rows.n;
    return r ? err_trace(db_fatal(r)) : 0;
}

int shadow_forget(struct db *db, int64_t *ret_n)
{
    int r = db_one(db, &shadow_forget_old, NULL, DB_NO_ARGS, DB_COLS(db_col_i64("gone", ret_n)));

    return r ? err_trace(db_fatal(r)) : 0;
}
