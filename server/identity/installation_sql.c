/* installation_sql.c: the installation's one row. */
#include "identity/installation.h"

#include "base/err.h"
#include "identity/field.h"
#include "identity/team.h"

DB_QUERY(installation_row,
         "SELECT sandbox, time_zone, invoice_prefix, seller_name, seller_address, seller_country,"
         "       seller_tax_id, seller_email, seller_note,"
         "       coalesce(call_retention_months, 0) AS call_retention_months, own_fee_bp,"
         "       own_base_urls, similarity_model FROM installation")

int installation_get(struct db *db, struct arena *a, struct installation *ret)
{
    struct installation row = {0};
    int r = db_one(db, &installation_row, a, DB_NO_ARGS,
                   DB_COLS(db_col_bool("sandbox", &row.sandbox),
                           db_col_text("time_zone", &row.time_zone),
                           db_col_text("invoice_prefix", &row.invoice_prefix),
                           db_col_text("seller_name", &row.seller_name),
                           db_col_text("seller_address", &row.seller_address),
                           db_col_text("seller_country", &row.seller_country),
                           db_col_text("seller_tax_id", &row.seller_tax_id),
                           db_col_text("seller_email", &row.seller_email),
                           db_col_text("seller_note", &row.seller_note),
                           db_col_i32("call_retention_months", &row.call_retention_months),
                           db_col_i32("own_fee_bp", &row.own_fee_bp),
                           db_col_bool("own_base_urls", &row.own_base_urls),
                           db_col_text("similarity_model", &row.similarity_model)));

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = row;
    return 0;
}

#define RETENTION_MIN_MONTHS 2
#define RETENTION_MAX_MONTHS 240
#define OWN_FEE_WHOLE_BP 10000

static bool prefix_formed(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
            return false;
    }
    return s.n >= 1 && s.n <= 8;
}

static bool retention_formed(int32_t months)
{
    return months == 0 || (months >= RETENTION_MIN_MONTHS && months <= RETENTION_MAX_MONTHS);
}

static int check_figures(const struct installation *w, struct identity_fault *fault)
{
    if (!prefix_formed(w->invoice_prefix))
        return identity_fault_set(fault, "invoice_prefix",
                                  "One to eight capital letters and digits, such as TG.");
    if (!retention_formed(w->call_retention_months))
        return identity_fault_set(fault, "call_retention_months",
                                  "2 to 240 months; leave it empty to keep everything.");
    if (w->own_fee_bp < 0 || w->own_fee_bp > OWN_FEE_WHOLE_BP)
        return identity_fault_set(fault, "own_fee_percent", "0 to 100 percent.");
    return 0;
}

DB_QUERY(installation_embeds, "SELECT EXISTS (SELECT FROM model WHERE name = $1 AND kind = 'embedding') AS known")

static int check_model(struct db *db, struct arena *a, struct installation *w,
                       struct identity_fault *fault)
{
    bool known = true;
    int r = 0;

    if (!w->similarity_model.n)
        w->similarity_model = STR_NONE;
    else
        r = db_one(db, &installation_embeds, a, DB_ARGS(db_text(w->similarity_model)),
                   DB_COLS(db_col_bool("known", &known)));
    if (r == 0 && !known)
        return identity_fault_set(fault, "similarity_model", "No embedding model has this name.");
    return r;
}

static int check(struct db *db, struct arena *a, struct installation *w,
                 struct identity_fault *fault)
{
    bool known = false;
    int r = field_line(&w->seller_name, "seller_name", 0, PARTY_NAME_MAX, fault);

    if (r == 0)
        r = field_lines(&w->seller_address, "seller_address", 0, PARTY_ADDRESS_MAX, fault);
    if (r == 0)
        r = field_country(a, w->seller_country, "seller_country", &w->seller_country, fault);
    if (r == 0)
        r = field_line(&w->seller_tax_id, "seller_tax_id", 0, PARTY_TAX_ID_MAX, fault);
    if (r == 0)
        r = field_line(&w->seller_email, "seller_email", 0, EMAIL_MAX, fault);
    if (r == 0 && w->seller_email.n > 0)
        r = field_email(a, w->seller_email, "seller_email", &w->seller_email, fault);
    if (r == 0)
        r = field_lines(&w->seller_note, "seller_note", 0, 1000, fault);
    if (r == 0)
        r = check_figures(w, fault);
    if (r == 0)
        r = team_zone_known(db, w->time_zone, &known);
    if (r == 0 && !known)
        return identity_fault_set(fault, "time_zone", "This time zone is not known.");
    return r ? r : check_model(db, a, w, fault);
}

DB_QUERY(installation_json,
         "SELECT (to_jsonb(i) - 'secret_fingerprint')::text AS row FROM installation i")
DB_QUERY(installation_set,
         "UPDATE installation SET time_zone = $1, invoice_prefix = $2, seller_name = $3,"
         "       seller_address = $4, seller_country = $5, seller_tax_id = $6, seller_email = $7,"
         "       seller_note = $8, call_retention_months = nullif($9::integer, 0),"
         "       own_fee_bp = $10, own_base_urls = $11, similarity_model = $12")
DB_QUERY(installation_note_catalog, "SELECT note_change('catalogue')")

int installation_update(struct db *db, struct arena *a, const struct actor *actor,
                        const struct installation *wish, struct identity_fault *fault)
{
    struct audit_entry entry = {
        .action = "installation.update", .kind = "installation", .object_id = 1};
    struct installation w = *wish;
    int r = check(db, a, &w, fault);

    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    r = db_one(db, &installation_json, a, DB_NO_ARGS, DB_COLS(db_col_text("row", &entry.before)));
    if (r == 0)
        r = db_exec(db, &installation_set,
                    DB_ARGS(db_text(w.time_zone), db_text(w.invoice_prefix), db_text(w.seller_name),
                            db_text(w.seller_address), db_text(w.seller_country),
                            db_text(w.seller_tax_id), db_text(w.seller_email),
                            db_text(w.seller_note), db_i32(w.call_retention_months),
                            db_i32(w.own_fee_bp), db_bool(w.own_base_urls), db_text(w.similarity_model)),
                    NULL);
    if (r == 0) /* fee and model are part of the catalogue that the nodes go by */
        r = db_exec(db, &installation_note_catalog, DB_NO_ARGS, NULL);
    if (r == 0)
        r = db_one(db, &installation_json, a, DB_NO_ARGS,
                   DB_COLS(db_col_text("row", &entry.after)));
    r = db_fatal(r);
    if (r == 0)
        r = audit_write(db, actor, &entry);
    return r < 0 ? err_trace(r) : r;
}

DB_QUERY(installation_set_sandbox,
         "UPDATE installation SET sandbox = $1 WHERE sandbox IS DISTINCT FROM $1")

int installation_mark_sandbox(struct db *db, bool sandbox)
{
    int r = db_exec(db, &installation_set_sandbox, DB_ARGS(db_bool(sandbox)), NULL);

    return r == 0 ? 0 : err_trace(db_fatal(r));
}

DB_QUERY(installation_claim, "SELECT installation_claim_secret($1) AS ours")

int installation_claim_secret(struct db *db, const struct digest *fingerprint, bool *ret)
{
    bool ours;
    int r = db_one(db, &installation_claim, NULL, DB_ARGS(db_digest(fingerprint)),
                   DB_COLS(db_col_bool("ours", &ours)));

    if (r != 0)
        return err_trace(db_fatal(r));
    *ret = ours;
    return 0;
}
