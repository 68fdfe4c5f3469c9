/* outbox_sql.c: the outbox as the database keeps it. */
#include "notices/outbox.h"

#include <errno.h>

#include "base/err.h"
#include "base/random.h"
#include "base/secret.h"
#include "db/rows.h"

#define KEPT_DAYS 30

static const char *const channels[] = {[OUTBOX_MAIL] = "mail", [OUTBOX_WEBHOOK] = "webhook"};

void outbox_tag(char out[OUTBOX_TAG_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[OUTBOX_TAG_BYTES / 2];

    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[OUTBOX_TAG_BYTES - 1] = '\0';
}

DB_QUERY(outbox_insert,
         "INSERT INTO outbox (team_id, channel, kind, tag, recipient, subject, sealed, useless_at)"
         " VALUES (nullif($1::bigint, 0), $2, $3, $4, $5, left($6, 400), $7,"
         "         clock_timestamp() + make_interval(secs => $8::integer))")

int outbox_add(struct db *db, struct arena *a, const struct notices *n,
               const struct outbox_item *item)
{
    struct str sealed = secret_seal(a, n->seal_key, str_c(item->tag), item->text);

    if (!sealed.p)
        return err_origin(-ENOMEM);
    int r = db_exec(db, &outbox_insert,
                    DB_ARGS(db_i64(item->team.v), db_cstr(channels[item->channel]),
                            db_cstr(item->kind), db_cstr(item->tag), db_text(item->recipient),
                            db_text(item->subject), db_bytes(sealed),
                            db_i32(item->useless_after_s)),
                    NULL);

    return r ? err_trace(db_fatal(r)) : 0;
}

DB_QUERY(outbox_noted,
         "INSERT INTO outbox (team_id, channel, kind, tag, recipient, subject, tries, useless_at,"
         "                    sent_at, given_up_at, outcome)"
         " SELECT nullif($1::bigint, 0), $2, $3, $4, $5, left($6, 400), 1, x.now_at,"
         "        CASE WHEN $7 THEN x.now_at END, CASE WHEN NOT $7 THEN x.now_at END, left($8, 400)"
         "   FROM (SELECT clock_timestamp() AS now_at) x")

int outbox_note(struct db *db, const struct outbox_item *item, bool sent, struct str outcome)
{
    int r = db_exec(db, &outbox_noted,
                    DB_ARGS(db_i64(item->team.v), db_cstr(channels[item->channel]),
                            db_cstr(item->kind), db_cstr(item->tag), db_text(item->recipient),
                            db_text(item->subject), db_bool(sent), db_text(outcome)),
                    NULL);

    return r ? err_trace(db_fatal(r)) : 0;
}

int outbox_add_text(struct db *db, struct arena *a, const struct notices *n,
                    struct outbox_item *item, struct buf *text)
{
    int r;

    item->text = buf_str(text);
    r = buf_finish(text);
    r = r ? err_origin(r) : outbox_add(db, a, n, item);
    buf_done(text);
    return r;
}

DB_QUERY(outbox_claim,
         "UPDATE outbox o SET tries = o.tries + 1,"
         "       next_at = clock_timestamp() + make_interval(secs => $2::integer)"
         " WHERE o.id = (SELECT w.id FROM outbox w"
         "                WHERE w.sealed IS NOT NULL AND w.channel = $1 AND w.next_at <= clock_timestamp()"
         "                  AND w.recipient <> ALL ($3)"
         "                ORDER BY w.next_at LIMIT 1 FOR UPDATE SKIP LOCKED)"
         " RETURNING o.id, coalesce(o.team_id, 0) AS team_id, o.tries, o.kind, o.tag, o.recipient,"
         "           o.sealed")
DB_QUERY(outbox_done,
         "UPDATE outbox SET sent_at = clock_timestamp(), sealed = NULL, outcome = left($2, 400)"
         " WHERE id = $1 AND sealed IS NOT NULL")
DB_QUERY(outbox_later,
         "UPDATE outbox o SET outcome = left($3, 400),"
         "       next_at = clock_timestamp() + make_interval(secs => $2::integer),"
         "       given_up_at = CASE WHEN x.late THEN clock_timestamp() END,"
         "       sealed = CASE WHEN x.late THEN NULL ELSE o.sealed END"
         "  FROM (SELECT w.id, clock_timestamp() + make_interval(secs => $2::integer) >= w.useless_at AS late"
         "          FROM outbox w WHERE w.id = $1) x"
         " WHERE o.id = x.id AND o.sealed IS NOT NULL RETURNING x.late")
DB_QUERY(outbox_stop,
         "UPDATE outbox SET given_up_at = clock_timestamp(), sealed = NULL, outcome = left($2, 400)"
         " WHERE id = $1 AND sealed IS NOT NULL")
DB_QUERY(outbox_useless,
         "UPDATE outbox SET given_up_at = clock_timestamp(), sealed = NULL"
         " WHERE sealed IS NOT NULL AND useless_at <= clock_timestamp()"
         "   AND next_at <= clock_timestamp()")
DB_QUERY(outbox_forget, "DELETE FROM outbox WHERE sealed IS NULL"
                        "   AND created_at < clock_timestamp() - make_interval(days => $1::integer)")

/* One statement under the system's scope. */
struct change {
    struct arena *a;
    const struct outbox_wanted *wanted;
    struct outbox_taken *taken;
    struct str sealed, outcome;
    int64_t id, rows;
    int32_t seconds;
    bool late;
};

static int claim_tx(struct db *db, void *ctx)
{
    struct change *c = ctx;
    struct outbox_taken *t = c->taken;

    return db_one(db, &outbox_claim, c->a,
                  DB_ARGS(db_cstr(channels[c->wanted->channel]), db_i32(OUTBOX_TAKEN_S),
                          db_texts(c->wanted->busy, c->wanted->n_busy)),
                  DB_COLS(db_col_i64("id", &t->id), db_col_i64("team_id", &t->team.v),
                          db_col_i32("tries", &t->tries), db_col_text("kind", &t->kind),
                          db_col_text("tag", &t->tag), db_col_text("recipient", &t->recipient),
                          db_col_bytes("sealed", &c->sealed)));
}

int outbox_take(struct db *db, struct arena *a, const struct notices *n,
                const struct outbox_wanted *wanted, struct outbox_taken *ret)
{
    struct outbox_taken taken = {0};
    struct change c = {.a = a, .wanted = wanted, .taken = &taken};
    int r = db_tx(db, DB_SYSTEM, "outbox_claim", claim_tx, &c);

    if (r == DB_E_NONE)
        return OUTBOX_E_NONE;
    if (r)
        return err_trace(db_fatal(r));
    r = secret_open(a, n->seal_key, taken.tag, c.sealed, &taken.text);
    if (r == SECRET_E_FORGED) {
        r = outbox_give_up(db, taken.id, STR("sealed under another secret"));
        return r ? err_trace(r) : OUTBOX_E_FORGED;
    }
    if (r)
        return err_trace(r);
    *ret = taken;
    return 0;
}

static int done_tx(struct db *db, void *ctx)
{
    struct change *c = ctx;

    return db_exec(db, &outbox_done, DB_ARGS(db_i64(c->id), db_text(c->outcome)), NULL);
}

int outbox_sent(struct db *db, int64_t id, struct str outcome)
{
    struct change c = {.id = id, .outcome = outcome};
    int r = db_fatal(db_tx(db, DB_SYSTEM, "outbox_done", done_tx, &c));

    return r ? err_trace(r) : 0;
}

static int later_tx(struct db *db, void *ctx)
{
    struct change *c = ctx;
    int r = db_one(db, &outbox_later, NULL,
                   DB_ARGS(db_i64(c->id), db_i32(c->seconds), db_text(c->outcome)),
                   DB_COLS(db_col_bool("late", &c->late)));

    return r == DB_E_NONE ? 0 : r;
}

int outbox_put_off(struct db *db, int64_t id, int32_t seconds, struct str outcome,
                   bool *ret_given_up)
{
    struct change c = {.id = id, .seconds = seconds, .outcome = outcome};
    int r = db_fatal(db_tx(db, DB_SYSTEM, "outbox_later", later_tx, &c));

    if (r)
        return err_trace(r);
    *ret_given_up = c.late;
    return 0;
}

static int stop_tx(struct db *db, void *ctx)
{
    struct change *c = ctx;

    return db_exec(db, &outbox_stop, DB_ARGS(db_i64(c->id), db_text(c->outcome)), NULL);
}

int outbox_give_up(struct db *db, int64_t id, struct str outcome)
{
    struct change c = {.id = id, .outcome = outcome};
    int r = db_fatal(db_tx(db, DB_SYSTEM, "outbox_stop", stop_tx, &c));

    return r ? err_trace(r) : 0;
}

static int tidy_tx(struct db *db, void *ctx)
{
    struct change *c = ctx;
    int r = db_exec(db, &outbox_useless, DB_NO_ARGS, &c->rows);

    return r ? r : db_exec(db, &outbox_forget, DB_ARGS(db_i32(KEPT_DAYS)), NULL);
}

int outbox_tidy(struct db *db, int64_t *ret_given_up)
{
    struct change c = {0};
    int r = db_fatal(db_tx(db, DB_SYSTEM, "outbox_tidy", tidy_tx, &c));

    if (r)
        return err_trace(r);
    *ret_given_up = c.rows;
    return 0;
}

DB_QUERY(outbox_rows,
         "SELECT id, channel, kind, recipient, subject, outcome, tries, created_at, sent_at, given_up_at"
         "  FROM outbox WHERE team_id IS NOT DISTINCT FROM nullif($1::bigint, 0)"
         "   AND kind IN ('alert', 'test', 'invitation')"
         " ORDER BY id DESC LIMIT $2")

int outbox_list(struct db *db, struct arena *a, struct team_id team, int32_t limit,
                struct outbox_page *ret)
{
    struct outbox_row row;
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &outbox_rows, a, DB_ARGS(db_i64(team.v), db_i32(limit)),
                    DB_COLS(db_col_i64("id", &row.id), db_col_text("channel", &row.channel),
                            db_col_text("kind", &row.kind), db_col_text("recipient", &row.recipient),
                            db_col_text("subject", &row.subject),
                            db_col_text("outcome", &row.outcome), db_col_i32("tries", &row.tries),
                            db_col_time_us("created_at", &row.created_at_us),
                            db_col_time_us("sent_at", &row.sent_at_us),
                            db_col_time_us("given_up_at", &row.given_up_at_us)),
                    db_rows_push, &rows);

    if (r)
        return err_trace(db_fatal(r));
    *ret = (struct outbox_page){rows.v, rows.n};
    return 0;
}

DB_QUERY(outbox_figures,
         "SELECT count(*) FILTER (WHERE sealed IS NOT NULL) AS waiting,"
         "       count(*) FILTER (WHERE given_up_at > now() - interval '1 day') AS given_up,"
         "       min(created_at) FILTER (WHERE sealed IS NOT NULL) AS oldest,"
         "       coalesce((SELECT w.outcome FROM outbox w WHERE w.sealed IS NOT NULL AND w.outcome <> ''"
         "                  ORDER BY w.next_at DESC LIMIT 1), '') AS trouble"
         "  FROM outbox WHERE sealed IS NOT NULL OR given_up_at > now() - interval '1 day'")

int outbox_read_state(struct db *db, struct arena *a, struct outbox_state *ret)
{
    struct outbox_state s;
    int r = db_one(db, &outbox_figures, a, DB_NO_ARGS,
                   DB_COLS(db_col_i64("waiting", &s.waiting), db_col_i64("given_up", &s.given_up),
                           db_col_time_us("oldest", &s.oldest_us),
                           db_col_text("trouble", &s.trouble)));

    if (r)
        return err_trace(db_fatal(r));
    *ret = s;
    return 0;
}
