/* credit_note_sql.c: credit notes as the database keeps them, and issuing one. */
#include "ledger/credit_note.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/csv.h"
#include "base/err.h"
#include "db/rows.h"
#include "ledger/credit_note_pdf.h"

#define NOTE_SELECT                                                                              \
    "SELECT c.id, c.team_id, c.number, c.invoice_id, i.number AS invoice_number,"                \
    "       to_char(i.month, 'YYYY-MM') AS invoice_month,"                                       \
    "       to_char(i.issue_date, 'YYYY-MM-DD') AS invoice_date, c.amount_nano,"                 \
    "       i.usage_nano AS invoiced_nano, c.reason,"                                            \
    "       to_char(c.issue_date, 'YYYY-MM-DD') AS issue_date, c.issued_at, c.transfer_id,"      \
    "       c.actor_name, i.seller_name, i.seller_address, i.seller_country, i.seller_tax_id,"   \
    "       i.seller_email, i.seller_note, i.buyer_name, i.buyer_address, i.buyer_country,"      \
    "       i.buyer_tax_id, i.buyer_email"                                                       \
    "  FROM credit_note c JOIN invoice i ON i.team_id = c.team_id AND i.id = c.invoice_id "
#define NOTE_COLS(c)                                                                              \
    DB_COLS(db_col_i64("id", &(c)->id), db_col_i64("team_id", &(c)->team.v),                      \
            db_col_text("number", &(c)->number), db_col_i64("invoice_id", &(c)->invoice_id),      \
            db_col_text("invoice_number", &(c)->invoice_number),                                  \
            db_col_text("invoice_month", &(c)->invoice_month),                                    \
            db_col_text("invoice_date", &(c)->invoice_date),                                      \
            db_col_money("amount_nano", &(c)->amount),                                            \
            db_col_money("invoiced_nano", &(c)->invoiced), db_col_text("reason", &(c)->reason),   \
            db_col_text("issue_date", &(c)->issue_date),                                          \
            db_col_time_us("issued_at", &(c)->issued_at_us),                                      \
            db_col_i64("transfer_id", &(c)->transfer_id), db_col_text("actor_name", &(c)->by),    \
            db_col_text("seller_name", &(c)->seller.name),                                        \
            db_col_text("seller_address", &(c)->seller.address),                                  \
            db_col_text("seller_country", &(c)->seller.country),                                  \
            db_col_text("seller_tax_id", &(c)->seller.tax_id),                                    \
            db_col_text("seller_email", &(c)->seller.email),                                      \
            db_col_text("seller_note", &(c)->seller_note),                                        \
            db_col_text("buyer_name", &(c)->buyer.name),                                          \
            db_col_text("buyer_address", &(c)->buyer.address),                                    \
            db_col_text("buyer_country", &(c)->buyer.country),                                    \
            db_col_text("buyer_tax_id", &(c)->buyer.tax_id),                                      \
            db_col_text("buyer_email", &(c)->buyer.email))

DB_QUERY(credit_note_rows,
         NOTE_SELECT "WHERE c.team_id = $1 AND ($2::bigint = 0 OR c.invoice_id = $2)"
                     " ORDER BY c.id DESC LIMIT 240")

int credit_note_list(struct db *db, struct arena *a, struct team_id team, int64_t invoice_id,
                     struct credit_note_page *ret)
{
    struct credit_note row = {0};
    struct db_rows rows = DB_ROWS(a, &row);
    int r = db_each(db, &credit_note_rows, a, DB_ARGS(db_i64(team.v), db_i64(invoice_id)),
                    NOTE_COLS(&row), db_rows_push, &rows);

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = (struct credit_note_page){rows.v, rows.n};
    return CREDIT_NOTE_OK;
}

DB_QUERY(credit_note_by_id, NOTE_SELECT "WHERE c.team_id = $1 AND c.id = $2")

int credit_note_get(struct db *db, struct arena *a, struct team_id team, int64_t id,
                    struct credit_note *ret)
{
    struct credit_note row = {0};
    int r =
        db_one(db, &credit_note_by_id, a, DB_ARGS(db_i64(team.v), db_i64(id)), NOTE_COLS(&row));

    if (r == DB_E_NONE)
        return CREDIT_NOTE_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = row;
    return CREDIT_NOTE_OK;
}

DB_QUERY(credit_note_pdf_of,
         "SELECT pdf FROM credit_note_file WHERE team_id = $1 AND credit_note_id = $2")

int credit_note_get_pdf(struct db *db, struct arena *a, struct team_id team, int64_t id,
                        struct str *ret_pdf)
{
    struct str pdf;
    int r = db_one(db, &credit_note_pdf_of, a, DB_ARGS(db_i64(team.v), db_i64(id)),
                   DB_COLS(db_col_bytes("pdf", &pdf)));

    if (r == DB_E_NONE)
        return CREDIT_NOTE_E_NONE;
    if (r != 0)
        return err_trace(db_fatal(r));
    *ret_pdf = pdf;
    return CREDIT_NOTE_OK;
}

DB_QUERY(credit_note_rest,
         "SELECT i.usage_nano - coalesce((SELECT sum(c.amount_nano) FROM credit_note c"
         "                                 WHERE c.team_id = i.team_id AND c.invoice_id = i.id),"
         "                               0)::bigint AS rest"
         "  FROM invoice i WHERE i.team_id = $1 AND i.id = $2")

int credit_note_left(struct db *db, struct team_id team, int64_t invoice_id, struct money *ret)
{
    struct money rest = MONEY_ZERO;
    int r = db_one(db, &credit_note_rest, NULL, DB_ARGS(db_i64(team.v), db_i64(invoice_id)),
                   DB_COLS(db_col_money("rest", &rest)));

    if (r != 0 && r != DB_E_NONE)
        return err_trace(db_fatal(r));
    *ret = rest;
    return CREDIT_NOTE_OK;
}

DB_QUERY(credit_note_add_file,
         "INSERT INTO credit_note_file (team_id, credit_note_id, pdf, pdf_digest)"
         " VALUES ($1, $2, $3, $4)")

/* Draws it as it will be read for ever, and keeps that. */
static int store_pdf(struct db *db, struct arena *a, struct team_id team, int64_t id)
{
    struct credit_note note = {0};
    struct buf pdf;
    int r = credit_note_get(db, a, team, id, &note);

    if (r != 0)
        return r < 0 ? err_trace(r) : err_origin(-ENOENT);
    buf_init(&pdf, BOUND_INVOICE_PDF_BYTES);
    r = credit_note_pdf(&note, &pdf);
    if (r == 0) {
        struct digest digest = digest_plain(buf_str(&pdf));
        r = db_fatal(db_exec(db, &credit_note_add_file,
                             DB_ARGS(db_i64(team.v), db_i64(id), db_bytes(buf_str(&pdf)),
                                     db_digest(&digest)),
                             NULL));
    }
    buf_done(&pdf);
    return r == 0 ? 0 : err_trace(r);
}

DB_QUERY(credit_note_post,
         "SELECT note_id, is_new FROM post_credit_note($1, $2, $3, $4, $5, $6, $7, $8)")

int credit_note_issue(struct db *db, struct arena *a, struct team_id team,
                      const struct credit_note_wish *wish, const struct posting_actor *actor,
                      int64_t *ret_id, bool *ret_new)
{
    int64_t id;
    bool is_new;
    int r = db_one(db, &credit_note_post, NULL,
                   DB_ARGS(db_i64(team.v), db_i64(wish->invoice_id), db_text(wish->reference),
                           db_money(wish->amount), db_text(wish->reason), db_text(actor->kind),
                           actor->id ? db_i64(actor->id) : db_null(DB_I64), db_text(actor->name)),
                   DB_COLS(db_col_i64("note_id", &id), db_col_bool("is_new", &is_new)));

    if (r == DB_E_REFUSED)
        return CREDIT_NOTE_E_REFUSED;
    r = r == 0 && is_new ? store_pdf(db, a, team, id) : db_fatal(r);
    if (r != 0)
        return err_trace(r);
    *ret_id = id;
    *ret_new = is_new;
    return CREDIT_NOTE_OK;
}

void credit_note_csv(const struct credit_note *note, struct buf *out)
{
    static const char *const titles[] = {"credit_note", "date",  "invoice", "month",
                                         "reason",      "buyer", "amount_usd"};

    for (size_t i = 0; i < ARRAY_LEN(titles); i++)
        csv_text(out, str_c(titles[i]));
    csv_end(out);
    csv_text(out, note->number);
    csv_text(out, note->issue_date);
    csv_text(out, note->invoice_number);
    csv_text(out, note->invoice_month);
    csv_text(out, note->reason);
    csv_text(out, note->buyer.name);
    csv_money(out, note->amount);
    csv_end(out);
}
