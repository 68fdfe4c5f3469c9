/* invoice_sql.c: reading what an invoice says, whether from the books or from a stored one. Storing
 * is in invoice_issue_sql.c.
 *
 * Usage is summed from the calls that cost something; that the ledger's transfers say the same is
 * checked before anything is issued. The balance is wallet and grants together, so that what a grant
 * covers (GRANT_USE, within the balance) is no movement of its own: the usage that it covers is. */
#include "ledger/invoice_row.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "db/rows.h"
#include "model/record.h"

/* Columns of a period and its parties; $1 is the team. */
#define FRAME_COLUMNS                                                                      \
    "t.id AS team_id, t.time_zone,"                                                        \
    " to_char(now() AT TIME ZONE i.time_zone, 'YYYY-MM-DD') AS issue_date,"                \
    " i.seller_name, i.seller_address, i.seller_country, i.seller_tax_id, i.seller_email," \
    " i.seller_note, coalesce(nullif(t.legal_name, ''), t.name) AS buyer_name,"            \
    " t.address AS buyer_address, t.country AS buyer_country, t.tax_id AS buyer_tax_id,"   \
    " t.billing_email AS buyer_email "
#define FRAME_COLS(inv)                                                                           \
    db_col_i64("team_id", &(inv)->team.v), db_col_text("time_zone", &(inv)->time_zone),           \
        db_col_text("issue_date", &(inv)->issue_date), db_col_text("month", &(inv)->month),       \
        db_col_time_us("from_at", &(inv)->from_us), db_col_time_us("until_at", &(inv)->until_us), \
        db_col_time_us("issued_at", &(inv)->issued_at_us),                                        \
        db_col_text("seller_name", &(inv)->seller.name),                                          \
        db_col_text("seller_address", &(inv)->seller.address),                                    \
        db_col_text("seller_country", &(inv)->seller.country),                                    \
        db_col_text("seller_tax_id", &(inv)->seller.tax_id),                                      \
        db_col_text("seller_email", &(inv)->seller.email),                                        \
        db_col_text("seller_note", &(inv)->seller_note),                                          \
        db_col_text("buyer_name", &(inv)->buyer.name),                                            \
        db_col_text("buyer_address", &(inv)->buyer.address),                                      \
        db_col_text("buyer_country", &(inv)->buyer.country),                                      \
        db_col_text("buyer_tax_id", &(inv)->buyer.tax_id),                                        \
        db_col_text("buyer_email", &(inv)->buyer.email)

DB_QUERY(invoice_claimed,
         "SELECT " FRAME_COLUMNS ", to_char(c.next_month, 'YYYY-MM') AS month, c.from_at,"
         "       (c.next_month + interval '1 month') AT TIME ZONE t.time_zone AS until_at,"
         "       now() AS issued_at"
         "  FROM invoice_cut c JOIN team t ON t.id = c.team_id CROSS JOIN installation i"
         " WHERE c.team_id = $1"
         "   AND now() >= (c.next_month + interval '1 month') AT TIME ZONE t.time_zone"
         "   FOR UPDATE OF c SKIP LOCKED")

int invoice_claim(struct db *db, struct arena *a, struct team_id team, struct invoice *ret)
{
    int r = db_one(db, &invoice_claimed, a, DB_ARGS(db_i64(team.v)), DB_COLS(FRAME_COLS(ret)));

    if (r == DB_E_NONE)
        return INVOICE_E_NONE;
    return r == 0 ? 0 : err_trace(db_fatal(r));
}

/* A month that is over and not cut yet leaves the running one its own first day. */
DB_QUERY(invoice_current,
         "SELECT " FRAME_COLUMNS ", to_char(m.first, 'YYYY-MM') AS month,"
         "       coalesce((SELECT c.from_at FROM invoice_cut c"
         "                  WHERE c.team_id = $1 AND c.next_month = m.first),"
         "                m.first::timestamp AT TIME ZONE t.time_zone) AS from_at,"
         "       (m.first + interval '1 month') AT TIME ZONE t.time_zone AS until_at,"
         "       NULL::timestamptz AS issued_at"
         "  FROM team t CROSS JOIN installation i"
         " CROSS JOIN LATERAL"
         "       (SELECT date_trunc('month', now() AT TIME ZONE t.time_zone)::date AS first) m"
         " WHERE t.id = $1")

int invoice_running(struct db *db, struct arena *a, struct team_id team, struct invoice *ret)
{
    int r = db_one(db, &invoice_current, a, DB_ARGS(db_i64(team.v)), DB_COLS(FRAME_COLS(ret)));

    if (r == DB_E_NONE)
        return INVOICE_E_NONE;
    return r == 0 ? 0 : err_trace(db_fatal(r));
}

/* What a transfer x did to the balance. */
#define SIGNED                                                                   \
    "CASE WHEN c.kind IN ('wallet', 'grant') THEN x.amount_nano"                 \
    "     ELSE -x.amount_nano END"
#define MOVED                                                                            \
    "FROM transfer x JOIN account c ON c.team_id = $1 AND c.id = x.credit_account"       \
    " WHERE x.team_id = $1 AND x.posted_at >= $2 AND x.posted_at < $3 AND x.code <> 'GRANT_USE'"

/* $1 team, $2 from, $3 until. */
DB_QUERY(
    invoice_totals,
    "SELECT coalesce((SELECT funds_nano FROM transfer WHERE team_id = $1 AND posted_at < $2"
    "                  ORDER BY posted_at DESC, id DESC LIMIT 1), 0) AS opening,"
    "       coalesce((SELECT funds_nano FROM transfer WHERE team_id = $1 AND posted_at < $3"
    "                  ORDER BY posted_at DESC, id DESC LIMIT 1), 0) AS closing,"
    "       coalesce(sum(v) FILTER (WHERE code = 'TOPUP'), 0)::bigint AS topups,"
    "       coalesce(sum(v) FILTER (WHERE code IN ('GRANT', 'GRANT_EXPIRE')), 0)::bigint AS grants,"
    "       coalesce(sum(v) FILTER (WHERE code IN ('ADJUST', 'REFUND', 'REFUND_REVERSED', 'CHARGEBACK',"
    "                'CHARGEBACK_REVERSED', 'CREDIT_NOTE')), 0)::bigint AS adjustments,"
    "       coalesce(-sum(v) FILTER (WHERE code IN ('USAGE', 'LATE_USAGE')), 0)::bigint AS usage"
    "  FROM (SELECT x.code, " SIGNED " AS v " MOVED ") m")

static int read_totals(struct db *db, struct invoice *inv)
{
    int r = db_one(
        db, &invoice_totals, NULL,
        DB_ARGS(db_i64(inv->team.v), db_time_us(inv->from_us), db_time_us(inv->until_us)),
        DB_COLS(db_col_money("opening", &inv->opening), db_col_money("closing", &inv->closing),
                db_col_money("topups", &inv->topups), db_col_money("grants", &inv->grants),
                db_col_money("adjustments", &inv->adjustments),
                db_col_money("usage", &inv->usage)));

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

struct line_read {
    struct invoice_line row;
    struct str kind;
    struct db_rows rows;
};

static int line_push(void *ctx)
{
    struct line_read *t = ctx;

    if (!invoice_line_kind_parse(t->kind, &t->row.kind))
        return err_origin(-EPROTO);
    if (t->rows.n == BOUND_INVOICE_LINES)
        return err_origin(-EOVERFLOW);
    return db_rows_push(&t->rows);
}

/* $4 zone, $5 movements that have a line each, the largest; the others are put together by kind, at the
 * time of the last. */
DB_QUERY(
    invoice_movements,
    "WITH moved AS ("
    "SELECT CASE x.code WHEN 'TOPUP' THEN 'topup' WHEN 'GRANT' THEN 'grant'"
    "                   WHEN 'GRANT_EXPIRE' THEN 'grant' WHEN 'ADJUST' THEN 'adjustment'"
    "                   WHEN 'CREDIT_NOTE' THEN 'credit_note' ELSE 'refund' END AS kind,"
    "       CASE x.code WHEN 'GRANT' THEN 'Grant: ' WHEN 'GRANT_EXPIRE' THEN 'Grant expired: '"
    "                   WHEN 'ADJUST' THEN 'Adjustment: ' WHEN 'REFUND' THEN 'Refund: '"
    "                   WHEN 'REFUND_REVERSED' THEN 'Refund failed: '"
    "                   WHEN 'CHARGEBACK' THEN 'Chargeback: '"
    "                   WHEN 'CHARGEBACK_REVERSED' THEN 'Chargeback reversed: '"
    "                   WHEN 'CREDIT_NOTE' THEN 'Credit note ' || x.ref || ': ' ELSE '' END"
    "           || coalesce(nullif(x.reason, ''), x.ref) AS text,"
    "       x.posted_at, x.id, " SIGNED " AS amount,"
    "       row_number() OVER (ORDER BY x.amount_nano DESC, x.id) > $5 AS small " MOVED
    "   AND x.code NOT IN ('USAGE', 'LATE_USAGE'))"
    " SELECT m.kind, m.text, to_char(m.posted_at AT TIME ZONE $4::text, 'YYYY-MM-DD') AS date,"
    "        m.posted_at, m.amount"
    "   FROM (SELECT s.kind, s.text, s.posted_at, s.id, s.amount FROM moved s WHERE NOT s.small"
    "         UNION ALL"
    "         SELECT s.kind, 'Smaller ' || CASE s.kind WHEN 'topup' THEN 'top-ups'"
    "                    WHEN 'grant' THEN 'grants' WHEN 'refund' THEN 'refunds and chargebacks'"
    "                    WHEN 'credit_note' THEN 'credit notes' ELSE 'adjustments' END"
    "                || ': ' || count(*), max(s.posted_at), max(s.id), sum(s.amount)::bigint"
    "           FROM moved s WHERE s.small GROUP BY s.kind) m"
    "  ORDER BY m.posted_at, m.id")

static int read_movements(struct db *db, const struct invoice *inv, struct line_read *t)
{
    t->row = (struct invoice_line){.provider = STR(""), .model = STR(""), .key = STR("")};
    int r = db_each(db, &invoice_movements, t->rows.a,
                    DB_ARGS(db_i64(inv->team.v), db_time_us(inv->from_us),
                            db_time_us(inv->until_us), db_text(inv->time_zone),
                            db_i64(INVOICE_MOVEMENTS)),
                    DB_COLS(db_col_text("kind", &t->kind), db_col_text("text", &t->row.text),
                            db_col_text("date", &t->row.date),
                            db_col_time_us("posted_at", &t->row.at_us),
                            db_col_money("amount", &t->row.amount)),
                    line_push, t);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

#define PLUS(name, kind, bound, label) " + coalesce(c." #name ", 0)"

/* What was charged of a team's own key is a fee of the list charge, so it has a line of its own for each fee
 * that there was: whoever sums the log gets each line again. $4: so many lines there are, of the dearest; what the
 * other keys have used is put together by provider and model, and of these beyond the dearest $5 all in one. */
DB_QUERY(
    invoice_usage,
    "WITH used AS ("
    "SELECT coalesce(c.provider, '') AS provider,"
    "       coalesce(c.served_model, c.requested_model, '') AS model, c.key_id, c.own_key,"
    "       c.own_fee_bp, count(*) AS calls, sum(0" RECORD_PROMPT(PLUS) ") AS input,"
    "       sum(0" RECORD_OUTPUT(PLUS) ") AS output, sum(c.charge_nano) AS nano"
    "  FROM call c"
    " WHERE c.team_id = $1 AND c.posted_at >= $2 AND c.posted_at < $3 AND c.charge_nano > 0"
    " GROUP BY 1, 2, 3, 4, 5"
    "), by_key AS ("
    "SELECT u.*, coalesce(k.name || ' …' || k.last4, '') AS key, row_number() OVER (ORDER BY u.nano DESC,"
    "       u.provider, u.model, u.key_id, u.own_key, u.own_fee_bp) > $4 AS small"
    "  FROM used u LEFT JOIN api_key k ON k.team_id = $1 AND k.id = u.key_id"
    "), by_model AS ("
    "SELECT u.provider, u.model, u.own_key, u.own_fee_bp, sum(u.calls) AS calls, sum(u.input) AS input,"
    "       sum(u.output) AS output, sum(u.nano) AS nano,"
    "       CASE WHEN count(*) = 1 THEN min(u.key) ELSE 'Other keys: ' || count(*) END AS key,"
    "       row_number() OVER (ORDER BY sum(u.nano) DESC, u.provider, u.model, u.own_key, u.own_fee_bp)"
    "       > $5 AS small"
    "  FROM by_key u WHERE u.small GROUP BY 1, 2, 3, 4"
    "), line AS ("
    "SELECT 0 AS place, u.provider, u.model, u.key, u.key_id, u.own_key, u.own_fee_bp, u.calls, u.input,"
    "       u.output, u.nano FROM by_key u WHERE NOT u.small"
    " UNION ALL "
    "SELECT 1, u.provider, u.model, u.key, NULL, u.own_key, u.own_fee_bp, u.calls, u.input, u.output, u.nano"
    "  FROM by_model u WHERE NOT u.small"
    " UNION ALL "
    "SELECT 2, '', 'Other models: ' || count(*), '', NULL, u.own_key, NULL, sum(u.calls), sum(u.input),"
    "       sum(u.output), sum(u.nano) FROM by_model u WHERE u.small GROUP BY u.own_key)"
    " SELECT l.provider, l.model, l.key, l.calls::bigint AS calls,"
    "        CASE WHEN l.own_key"
    "             THEN 'own key' || coalesce(', fee ' || trim_scale(l.own_fee_bp / 100.0) || '%', '')"
    "             ELSE '' END AS text, l.input::bigint AS input_tokens, l.output::bigint AS output_tokens,"
    "        -l.nano::bigint AS amount"
    "   FROM line l"
    "  ORDER BY l.place = 2, l.provider, l.model, l.place, l.key, l.key_id, l.own_key, l.own_fee_bp")

static int read_usage(struct db *db, const struct invoice *inv, struct line_read *t)
{
    t->row = (struct invoice_line){.kind = INVOICE_USAGE};
    t->kind = str_c(invoice_line_kind_name(INVOICE_USAGE));
    int r = db_each(
        db, &invoice_usage, t->rows.a,
        DB_ARGS(db_i64(inv->team.v), db_time_us(inv->from_us), db_time_us(inv->until_us),
                db_i64(INVOICE_KEYS), db_i64(INVOICE_MODELS)),
        DB_COLS(db_col_text("provider", &t->row.provider), db_col_text("model", &t->row.model),
                db_col_text("key", &t->row.key), db_col_text("text", &t->row.text),
                db_col_i64("calls", &t->row.calls), db_col_i64("input_tokens", &t->row.input_tokens),
                db_col_i64("output_tokens", &t->row.output_tokens),
                db_col_money("amount", &t->row.amount)),
        line_push, t);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

static void take_lines(struct invoice *inv, const struct line_read *t)
{
    inv->lines = t->rows.v;
    inv->n_lines = t->rows.n;
    inv->calls = 0;
    for (size_t i = 0; i < inv->n_lines; i++)
        inv->calls += inv->lines[i].calls;
}

int invoice_read_figures(struct db *db, struct arena *a, struct invoice *inv)
{
    struct line_read t = {.rows = DB_ROWS(a, &t.row)};
    int r = read_totals(db, inv);

    if (r == 0)
        r = read_movements(db, inv, &t);
    if (r == 0)
        r = read_usage(db, inv, &t);
    if (r == 0)
        take_lines(inv, &t);
    return r;
}

#define STORED_SELECT                                                                              \
    "SELECT id, team_id, number, to_char(month, 'YYYY-MM') AS month, time_zone, from_at, "         \
    "until_at,"                                                                                    \
    "       issued_at, to_char(issue_date, 'YYYY-MM-DD') AS issue_date, seller_name,"              \
    "       seller_address, seller_country, seller_tax_id, seller_email, seller_note, buyer_name," \
    "       buyer_address, buyer_country, buyer_tax_id, buyer_email, opening_nano, topups_nano,"   \
    "       grants_nano, adjustments_nano, usage_nano, closing_nano, calls FROM invoice "
#define STORED_COLS(inv)                                                                          \
    DB_COLS(db_col_i64("id", &(inv)->id), db_col_text("number", &(inv)->number), FRAME_COLS(inv), \
            db_col_money("opening_nano", &(inv)->opening),                                        \
            db_col_money("topups_nano", &(inv)->topups),                                          \
            db_col_money("grants_nano", &(inv)->grants),                                          \
            db_col_money("adjustments_nano", &(inv)->adjustments),                                \
            db_col_money("usage_nano", &(inv)->usage),                                            \
            db_col_money("closing_nano", &(inv)->closing), db_col_i64("calls", &(inv)->calls))

DB_QUERY(invoice_rows, STORED_SELECT "WHERE team_id = $1 ORDER BY month DESC LIMIT 240")

int invoice_list(struct db *db, struct arena *a, struct team_id team, struct invoice_page *ret)
{
    struct invoice row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &invoice_rows, a, DB_ARGS(db_i64(team.v)), STORED_COLS(&row), db_rows_push,
                    &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct invoice_page){rows.v, rows.n};
    return 0;
}

DB_QUERY(invoice_by_id, STORED_SELECT "WHERE team_id = $1 AND id = $2")
DB_QUERY(
    invoice_lines,
    "SELECT kind, text, coalesce(to_char(date, 'YYYY-MM-DD'), '') AS date, at, provider, model,"
    "       key_name, calls, input_tokens, output_tokens, amount_nano"
    "  FROM invoice_line WHERE team_id = $1 AND invoice_id = $2 ORDER BY ordinal LIMIT $3")

static int read_stored_lines(struct db *db, struct arena *a, struct invoice *inv)
{
    struct line_read t = {.rows = DB_ROWS(a, &t.row)};
    int r = db_each(db, &invoice_lines, a,
                    DB_ARGS(db_i64(inv->team.v), db_i64(inv->id), db_i64(BOUND_INVOICE_LINES)),
                    DB_COLS(db_col_text("kind", &t.kind), db_col_text("text", &t.row.text),
                            db_col_text("date", &t.row.date), db_col_time_us("at", &t.row.at_us),
                            db_col_text("provider", &t.row.provider),
                            db_col_text("model", &t.row.model), db_col_text("key_name", &t.row.key),
                            db_col_i64("calls", &t.row.calls),
                            db_col_i64("input_tokens", &t.row.input_tokens),
                            db_col_i64("output_tokens", &t.row.output_tokens),
                            db_col_money("amount_nano", &t.row.amount)),
                    line_push, &t);

    if (r != 0)
        return err_trace(db_fatal(r));
    take_lines(inv, &t);
    return 0;
}

int invoice_get(struct db *db, struct arena *a, struct team_id team, int64_t id,
                struct invoice *ret)
{
    struct invoice inv = {0};
    int r = db_one(db, &invoice_by_id, a, DB_ARGS(db_i64(team.v), db_i64(id)), STORED_COLS(&inv));

    if (r == DB_E_NONE)
        return INVOICE_E_NONE;
    r = r == 0 ? read_stored_lines(db, a, &inv) : db_fatal(r);
    if (r != 0)
        return err_trace(r);
    *ret = inv;
    return 0;
}

DB_QUERY(invoice_of_moment,
         STORED_SELECT "WHERE team_id = $1 AND from_at <= $2 AND until_at > $2")

int invoice_at(struct db *db, struct arena *a, struct team_id team, int64_t at_us,
               struct invoice *ret)
{
    struct invoice inv = {0};
    int r = db_one(db, &invoice_of_moment, a, DB_ARGS(db_i64(team.v), db_time_us(at_us)),
                   STORED_COLS(&inv));

    if (r == DB_E_NONE)
        return INVOICE_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = inv;
    return INVOICE_OK;
}

DB_QUERY(invoice_pdf_of, "SELECT pdf FROM invoice_file WHERE team_id = $1 AND invoice_id = $2")

int invoice_get_pdf(struct db *db, struct arena *a, struct team_id team, int64_t id,
                    struct str *ret_pdf)
{
    struct str pdf;
    int r = db_one(db, &invoice_pdf_of, a, DB_ARGS(db_i64(team.v), db_i64(id)),
                   DB_COLS(db_col_bytes("pdf", &pdf)));

    if (r == DB_E_NONE)
        return INVOICE_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret_pdf = pdf;
    return 0;
}
