/* invoice_issue_sql.c: what is due, and storing an invoice. */
#include "ledger/invoice_row.h"

#include <errno.h>

#include "base/err.h"
#include "db/rows.h"

DB_QUERY(
    invoice_add_marks,
    "INSERT INTO invoice_cut (team_id, next_month, from_at)"
    " SELECT t.id, m.first, m.first::timestamp AT TIME ZONE t.time_zone FROM team t"
    "  CROSS JOIN LATERAL"
    "        (SELECT date_trunc('month', t.created_at AT TIME ZONE t.time_zone)::date AS first) m"
    "  WHERE NOT EXISTS (SELECT FROM invoice_cut c WHERE c.team_id = t.id)"
    "  ORDER BY t.id ON CONFLICT DO NOTHING")

int invoice_mark_teams(struct db *db)
{
    int r = db_exec(db, &invoice_add_marks, DB_NO_ARGS, NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(invoice_teams_due,
         "SELECT c.team_id FROM invoice_cut c JOIN team t ON t.id = c.team_id"
         " WHERE c.team_id > $1"
         "   AND now() >= (c.next_month + interval '1 month') AT TIME ZONE t.time_zone"
         " ORDER BY c.team_id LIMIT 100")

int invoice_list_due(struct db *db, struct arena *a, struct team_id beyond, struct invoice_due *ret)
{
    struct team_id row;
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &invoice_teams_due, a, DB_ARGS(db_i64(beyond.v)),
                    DB_COLS(db_col_i64("team_id", &row.v)), db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct invoice_due){rows.v, rows.n};
    return 0;
}

DB_QUERY(invoice_pass_barrier, "SELECT invoice_barrier($1)")

int invoice_wait(struct db *db, struct team_id team)
{
    int r = db_exec(db, &invoice_pass_barrier, DB_ARGS(db_i64(team.v)), NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(invoice_count_up,
         "INSERT INTO invoice_counter AS c (year, last) VALUES (left($1::text, 4)::integer, 1)"
         " ON CONFLICT (year) DO UPDATE SET last = c.last + 1"
         " RETURNING last, (SELECT invoice_prefix FROM installation) || '-' || year || '-'"
         "                 || lpad(last::text, 6, '0') AS number")

int invoice_take_number(struct db *db, struct arena *a, struct invoice *inv, int64_t *ret_serial)
{
    int r = db_one(db, &invoice_count_up, a, DB_ARGS(db_text(inv->issue_date)),
                   DB_COLS(db_col_i64("last", ret_serial), db_col_text("number", &inv->number)));

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(
    invoice_add,
    "INSERT INTO invoice (team_id, number, year, serial, month, time_zone, from_at, until_at,"
    "       issued_at, issue_date, seller_name, seller_address, seller_country, seller_tax_id,"
    "       seller_email, seller_note, buyer_name, buyer_address, buyer_country, buyer_tax_id,"
    "       buyer_email, opening_nano, topups_nano, grants_nano, adjustments_nano, usage_nano,"
    "       closing_nano, calls)"
    " VALUES ($1, $2, left($8::text, 4)::integer, $3, ($4::text || '-01')::date, $5, $6, $7,"
    "         now(), $8::text::date, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,"
    "         $21, $22, $23, $24, $25, $26)"
    " RETURNING id")

static int store_head(struct db *db, struct invoice *i, int64_t serial)
{
    return db_one(db, &invoice_add, NULL,
                  DB_ARGS(db_i64(i->team.v), db_text(i->number), db_i64(serial), db_text(i->month),
                          db_text(i->time_zone), db_time_us(i->from_us), db_time_us(i->until_us),
                          db_text(i->issue_date), db_text(i->seller.name),
                          db_text(i->seller.address), db_text(i->seller.country),
                          db_text(i->seller.tax_id), db_text(i->seller.email),
                          db_text(i->seller_note), db_text(i->buyer.name),
                          db_text(i->buyer.address), db_text(i->buyer.country),
                          db_text(i->buyer.tax_id), db_text(i->buyer.email), db_money(i->opening),
                          db_money(i->topups), db_money(i->grants), db_money(i->adjustments),
                          db_money(i->usage), db_money(i->closing), db_i64(i->calls)),
                  DB_COLS(db_col_i64("id", &i->id)));
}

DB_QUERY(invoice_add_line,
         "INSERT INTO invoice_line (team_id, invoice_id, ordinal, kind, text, date, at, provider,"
         "       model, key_name, calls, input_tokens, output_tokens, amount_nano)"
         " VALUES ($1, $2, $3, $4, $5, nullif($6::text, '')::date, $7, $8, $9, $10, $11, $12, $13,"
         "         $14)")

static int store_line(struct db *db, const struct invoice *i, size_t n)
{
    const struct invoice_line *l = &i->lines[n];

    return db_exec(db, &invoice_add_line,
                   DB_ARGS(db_i64(i->team.v), db_i64(i->id), db_i32((int32_t)n + 1),
                           db_cstr(invoice_line_kind_name(l->kind)), db_text(l->text),
                           db_text(l->date), l->at_us ? db_time_us(l->at_us) : db_null(DB_TIME_US),
                           db_text(l->provider), db_text(l->model), db_text(l->key),
                           db_i64(l->calls), db_i64(l->input_tokens), db_i64(l->output_tokens),
                           db_money(l->amount)),
                   NULL);
}

int invoice_store(struct db *db, struct invoice *inv, int64_t serial)
{
    int r = store_head(db, inv, serial);

    for (size_t n = 0; r == 0 && n < inv->n_lines; n++)
        r = store_line(db, inv, n);
    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(invoice_add_file,
         "INSERT INTO invoice_file (team_id, invoice_id, pdf, pdf_digest) VALUES ($1, $2, $3, $4)")

int invoice_store_pdf(struct db *db, const struct invoice *inv, struct str pdf)
{
    struct digest digest = digest_plain(pdf);
    int r = db_exec(
        db, &invoice_add_file,
        DB_ARGS(db_i64(inv->team.v), db_i64(inv->id), db_bytes(pdf), db_digest(&digest)), NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(invoice_move_mark,
         "UPDATE invoice_cut SET next_month = (next_month + interval '1 month')::date, from_at = $2"
         " WHERE team_id = $1")

int invoice_advance(struct db *db, const struct invoice *inv)
{
    int r = db_exec(db, &invoice_move_mark, DB_ARGS(db_i64(inv->team.v), db_time_us(inv->until_us)),
                    NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}
