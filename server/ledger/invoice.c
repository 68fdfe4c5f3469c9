/* invoice.c: cutting a month: once, by one node, from figures that can no longer change.
 *
 * First a barrier: postings take their time with the team's accounts locked, so when we have had
 * that lock after the month's end, whatever belongs to the month has committed. Then one
 * transaction claims the team's mark, reads, takes the number, draws and stores. */
#include "ledger/invoice.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "db/tx.h"
#include "ledger/invoice_pdf.h"
#include "ledger/invoice_row.h"

static const char *const kinds[] = {
    [INVOICE_TOPUP] = "topup",
    [INVOICE_GRANT] = "grant",
    [INVOICE_REFUND] = "refund",
    [INVOICE_CREDIT_NOTE] = "credit_note",
    [INVOICE_ADJUSTMENT] = "adjustment",
    [INVOICE_USAGE] = "usage",
};

const char *invoice_line_kind_name(enum invoice_line_kind kind)
{
    return kinds[kind];
}

bool invoice_line_kind_parse(struct str name, enum invoice_line_kind *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_eq_c(name, kinds[i])) {
            *ret = (enum invoice_line_kind)i;
            return true;
        }
    }
    return false;
}

/* Adds up what the invoice says, line by line; false when that is not what its totals say. */
static bool adds_up(const struct invoice *inv)
{
    struct money sums[ARRAY_LEN(kinds)] = {0}, balance = inv->opening;
    int r = 0;

    for (size_t i = 0; i < inv->n_lines; i++) {
        const struct invoice_line *l = &inv->lines[i];
        r |= money_add(sums[l->kind], l->amount, &sums[l->kind]);
        r |= money_add(balance, l->amount, &balance);
    }
    r |= money_add(sums[INVOICE_ADJUSTMENT], sums[INVOICE_REFUND], &sums[INVOICE_ADJUSTMENT]);
    r |= money_add(sums[INVOICE_ADJUSTMENT], sums[INVOICE_CREDIT_NOTE], &sums[INVOICE_ADJUSTMENT]);
    return r == 0 && balance.nano == inv->closing.nano &&
           sums[INVOICE_TOPUP].nano == inv->topups.nano &&
           sums[INVOICE_GRANT].nano == inv->grants.nano &&
           sums[INVOICE_ADJUSTMENT].nano == inv->adjustments.nano &&
           -sums[INVOICE_USAGE].nano == inv->usage.nano;
}

int invoice_preview(struct db *db, struct arena *a, struct team_id team, struct invoice *ret)
{
    struct invoice inv = {0};
    int r = invoice_running(db, a, team, &inv);

    if (r == 0)
        r = invoice_read_figures(db, a, &inv);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    *ret = inv;
    return 0;
}

struct cutting {
    struct team_id team;
    bool more; /* a month was done: the next may be due too */
    bool issued;
    bool wrong; /* the books do not add up: nothing was issued */
};

static int draw_and_store(struct db *db, const struct invoice *inv)
{
    struct buf pdf;

    buf_init(&pdf, BOUND_INVOICE_PDF_BYTES);
    int r = invoice_pdf(inv, &pdf);

    if (r == 0)
        r = invoice_store_pdf(db, inv, buf_str(&pdf));
    buf_done(&pdf);
    return r;
}

static int issue(struct db *db, struct arena *a, struct invoice *inv)
{
    int64_t serial;
    int r = invoice_take_number(db, a, inv, &serial);

    if (r == 0)
        r = failpoint_hit("invoice.numbered");
    if (r == 0)
        r = invoice_store(db, inv, serial);
    if (r == 0)
        r = draw_and_store(db, inv);
    return r;
}

static int cut_in(struct db *db, struct arena *a, struct cutting *t)
{
    struct invoice inv = {0};
    int r = invoice_claim(db, a, t->team, &inv);

    t->more = t->issued = t->wrong = false;
    if (r == INVOICE_E_NONE)
        return 0;
    if (r == 0)
        r = invoice_read_figures(db, a, &inv);
    if (r < 0)
        return r;
    if (!adds_up(&inv)) {
        t->wrong = true;
        return 0;
    }
    t->issued = inv.n_lines > 0;
    t->more = true;
    if (t->issued)
        r = issue(db, a, &inv);
    if (r == 0)
        r = invoice_advance(db, &inv);
    return r;
}

static int cut_tx(struct db *db, void *ctx)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(BOUND_INVOICE_ARENA_BYTES);

    return a ? cut_in(db, a, ctx) : err_origin(-ENOMEM);
}

static int wait_tx(struct db *db, void *ctx)
{
    const struct cutting *t = ctx;

    return invoice_wait(db, t->team);
}

static int mark_tx(struct db *db, void *ctx)
{
    return invoice_mark_teams(db);
}

/* Every month of the team that is over. */
static int issue_team(struct db *db, struct team_id team, int64_t *issued)
{
    struct cutting t = {.team = team};
    int r;

    do {
        r = db_tx(db, DB_SYSTEM, "invoice_wait", wait_tx, &t);
        if (r == 0)
            r = db_tx(db, DB_SYSTEM, "invoice_cut", cut_tx, &t);
        if (r == 0)
            *issued += t.issued;
        (void)failpoint_hit("invoice.cut");
    } while (r == 0 && t.more);
    if (r == 0 && t.wrong)
        log_error("invoice_refused", "team=%lld reason=\"ledger and calls do not add up\"",
                  (long long)team.v);
    return r;
}

struct listing {
    struct arena *a;
    struct team_id beyond;
    struct invoice_due due;
};

static int list_tx(struct db *db, void *ctx)
{
    struct listing *t = ctx;

    return invoice_list_due(db, t->a, t->beyond, &t->due);
}

struct issuing {
    struct team_id beyond; /* the last team that was looked at */
    bool more;
    int64_t issued;
    int failed; /* the first team's outcome that had to be left */
};

/* Notes what failed of one team; the next ones have their turn while there is a database. 0: there is. */
static int leave_team(struct db *db, struct issuing *all, int r)
{
    log_error("invoice_failed", "team=%lld error=%d database=%s", (long long)all->beyond.v, r,
              log_str(str_c(db_last_error(db))));
    if (!all->failed)
        all->failed = r;
    return db_ensure(db) == DB_OK ? 0 : r;
}

/* The next hundred teams, each by itself. */
static int issue_some(struct db *db, struct issuing *all)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(64));
    struct listing t = {.a = a, .beyond = all->beyond};
    int r = a ? db_tx(db, DB_SYSTEM, "invoice_due", list_tx, &t) : err_origin(-ENOMEM);

    all->more = r == 0 && t.due.n > 0;
    for (size_t i = 0; r == 0 && i < t.due.n; i++) {
        all->beyond = t.due.team[i];
        r = issue_team(db, all->beyond, &all->issued);
        if (r != 0)
            r = leave_team(db, all, r);
    }
    return r;
}

int invoice_issue_due(struct db *db, int64_t *ret_issued)
{
    struct issuing all = {.more = true};
    int r = db_tx(db, DB_SYSTEM, "invoice_mark", mark_tx, NULL);

    while (r == 0 && all.more)
        r = issue_some(db, &all);
    if (ret_issued)
        *ret_issued = all.issued;
    if (r == 0)
        r = all.failed;
    return r == 0 ? 0 : err_trace(db_fatal(r));
}
