/* invoice.h: the monthly invoice of a team: cut once, by whichever node comes first, and then
 * fixed.
 *
 * A month is a month of the team's time zone, by posted_at. What it says comes from the ledger and
 * the calls in one transaction: opening balance + top-ups and grants + adjustments - usage =
 * closing balance (wallet and grants together; refunds and credit notes count as adjustments), to the nano-dollar; the usage lines sum to the calls posted in the month.
 * Numbers are PREFIX-YEAR-NNNNNN, one gapless series per installation and year of the issue date in
 * the installation's time zone. A month without movement gets none.
 *
 * However much there was, a month is one invoice of at most BOUND_INVOICE_LINES: the largest have a line
 * each, and smaller ones are put together, so that all still adds up: keys by provider and model ("Other
 * keys: 12"), then models, movements by kind. */
#pragma once

#include "base/bounds.h"
#include "db/db.h"

/* So many of the largest have lines of their own: movements; usage by provider, model and key; that of all
 * further keys by provider and model. At most seven lines are of the smaller ones: five kinds of movements,
 * further models with and without an own key. */
enum { INVOICE_MOVEMENTS = 500, INVOICE_KEYS = 2000, INVOICE_MODELS = 500 };
_Static_assert(INVOICE_MOVEMENTS + INVOICE_KEYS + INVOICE_MODELS + 7 == BOUND_INVOICE_LINES,
               "lines of an invoice");

struct invoice_party {
    struct str name, address, country, tax_id, email;
};

enum invoice_line_kind {
    INVOICE_TOPUP,
    INVOICE_GRANT,
    INVOICE_REFUND,
    INVOICE_CREDIT_NOTE,
    INVOICE_ADJUSTMENT,
    INVOICE_USAGE,
};
const char *invoice_line_kind_name(enum invoice_line_kind kind);
bool invoice_line_kind_parse(struct str name, enum invoice_line_kind *ret);

struct invoice_line {
    enum invoice_line_kind kind;
    /* "Top-up TO-4K7QZ2M9", the reason of an adjustment; of usage "own key, fee 5%", or empty. */
    struct str text;
    struct str date; /* of a movement, in the team's time zone: "2026-11-03" */
    int64_t at_us;   /* likewise; 0 for usage */
    /* Usage is summed by these three and by whether it went by an own key, and for which fee. */
    struct str provider, model, key;
    int64_t calls, input_tokens, output_tokens; /* prompt with cached, answer with reasoning */
    struct money amount;                        /* signed: what it does to the balance */
};

struct invoice {
    int64_t id;        /* 0: a preview */
    struct str number; /* p NULL: a preview */
    struct team_id team;
    struct str month; /* "2026-11" */
    struct str time_zone;
    int64_t from_us, until_us; /* the month, until exclusive */
    int64_t issued_at_us;      /* 0: a preview */
    struct str issue_date;     /* "2026-12-01" in the installation's zone; of a preview: today */
    struct invoice_party seller, buyer;
    struct str seller_note;
    struct money opening, topups, grants, adjustments, usage, closing;
    const struct invoice_line *lines; /* movements by time, then usage by provider, model, key */
    size_t n_lines;
    int64_t calls;
};
struct invoice_page {
    struct invoice *v; /* without lines and parties */
    size_t n;
};

enum { INVOICE_OK = 0, INVOICE_E_NONE = 1 };

/* The running month as it stands, as an invoice without number. Team scope. */
int invoice_preview(struct db *db, struct arena *a, struct team_id team,
                    struct invoice *ret) _must_use_;
/* Newest first; at most 240. Team scope, or operator for any team. */
int invoice_list(struct db *db, struct arena *a, struct team_id team,
                 struct invoice_page *ret) _must_use_;
/* INVOICE_E_NONE: no such invoice of this team. */
int invoice_get(struct db *db, struct arena *a, struct team_id team, int64_t id,
                struct invoice *ret) _must_use_;
/* The invoice whose month has the moment in it, without lines. INVOICE_E_NONE: it is not issued. */
int invoice_at(struct db *db, struct arena *a, struct team_id team, int64_t at_us,
               struct invoice *ret) _must_use_;
/* The PDF as it was stored when it was issued: the same bytes for ever. */
int invoice_get_pdf(struct db *db, struct arena *a, struct team_id team, int64_t id,
                    struct str *ret_pdf) _must_use_;

/* Issues every invoice that is due (months ended, teams not yet done); a job for the long lane that
 * any node may run at any time: exactly one issues each. Own transactions, system scope. What fails of one
 * team is logged and returned at the end, < 0; the others are done first, unless the database is away.
 * *ret_issued may be NULL and is set in any case. */
int invoice_issue_due(struct db *db, int64_t *ret_issued) _must_use_;
