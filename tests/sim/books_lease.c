/* books_lease.c: lease_grant, lease_return and purse_turn. See books.h. */
#include "books.h"

#define MINUTE_US ((int64_t)60 * 1000000)
#define DAY_US (24 * 60 * MINUTE_US)
#define RECALL_US ((int64_t)2 * 1000000)
/* Below this much money several nodes get exactly what they need. */
#define LITTLE_NANO ((int64_t)1000000000)
#define FEW_NEEDS 20

static int64_t budget_spent(const struct books *b, const struct book_purse *p, int64_t since_us)
{
    int64_t spent = 0;

    for (size_t i = 0; i < b->n_days; i++)
        if (b->day[i].team.v == p->team.v && b->day[i].key.v == p->key.v &&
            b->day[i].day >= since_us / DAY_US)
            spent += b->day[i].charge_nano;
    return spent;
}

void books_turn(const struct books *b, struct book_purse *p, int64_t at_us)
{
    int64_t length_us = p->turns == TURNS_MINUTE ? MINUTE_US : DAY_US;

    if (p->turns == TURNS_NEVER || (at_us < p->ends_us && p->starts_us != NEVER_US))
        return;
    p->starts_us = at_us / length_us * length_us;
    p->ends_us = p->starts_us + length_us;
    p->used = p->kind == PURSE_BUDGET ? budget_spent(b, p, p->starts_us) : 0;
    p->leased = 0;
}

static int64_t missed(const struct book_purse *p, const struct book_lease *l, int64_t seen)
{
    return l && l->grant_no > seen && l->window_us == p->starts_us ? l->grant_amount : 0;
}

static int64_t available(const struct book_purse *p)
{
    return p->capacity - p->used - p->leased;
}

static int64_t portion(const struct book_purse *p, int64_t need, int64_t want, unsigned nodes)
{
    int64_t have = available(p);

    if (nodes == 1)
        return MAX(need, MIN(want, have));
    if (have < FEW_NEEDS * need)
        return need;
    if ((p->kind == PURSE_WALLET || p->kind == PURSE_BUDGET) && have < LITTLE_NANO)
        return need;
    return MAX(need, MIN(want, have / (4 * (int64_t)nodes)));
}

static bool elsewhere(struct books *b, const struct book_purse *p, int64_t session)
{
    for (size_t i = 0; i < p->n_leases; i++) {
        const struct book_lease *l = &p->lease[i];
        const struct book_session *s = books_session(b, l->session);

        if (l->session != session && l->remaining > 0 && l->window_us == p->starts_us && s &&
            s->state == SESSION_LIVE)
            return true;
    }
    return false;
}

static void add_lease(struct book_purse *p, struct book_lease *l, const struct grant_call *c,
                      const struct grant_line *line)
{
    if (!l) {
        l = &p->lease[p->n_leases++];
        assert(p->n_leases <= BOOK_LEASES);
        *l = (struct book_lease){.session = c->session, .window_us = p->starts_us};
    }
    if (l->window_us != p->starts_us)
        l->remaining = 0;
    l->remaining += line->granted;
    l->window_us = p->starts_us;
    l->grant_no = c->no;
    l->grant_amount = line->granted + line->missed;
    p->leased += line->granted;
}

static void answer(struct books *b, int64_t at_us, const struct grant_call *c,
                   struct grant_line *line, bool any_short)
{
    struct book_purse *p = books_purse(b, line->cell->purse);
    struct book_lease *l = books_lease(p, c->session);
    int64_t need;

    line->missed = missed(p, l, line->cell->seen_no);
    need = MAX(line->need - line->missed, (int64_t)0);
    line->shorted =
        available(p) < need || (p->kind == PURSE_WALLET && books_team(b, c->team)->frozen);
    line->elsewhere = line->shorted && available(p) < need && elsewhere(b, p, c->session);
    line->granted = any_short || !need ? 0 : portion(p, need, line->want, books_live(b));
    if (line->granted > 0 || line->missed > 0 || !line->want)
        add_lease(p, l, c, line);
    else if (line->elsewhere && p->recall_until_us < at_us + RECALL_US / 2)
        p->recall_until_us = at_us + RECALL_US;
    line->capacity = p->capacity;
    line->spoken_for = p->used + p->leased;
    line->window_us = p->starts_us;
    line->left_us = p->ends_us == FOREVER_US ? -1 : MAX(p->ends_us - at_us, (int64_t)0);
}

int books_grant(struct books *b, int64_t at_us, struct grant_call *c)
{
    struct book_session *s = books_session(b, c->session);
    bool frozen = books_team(b, c->team)->frozen, any_short = false;

    if (!s || s->state != SESSION_LIVE)
        return PORT_E_FENCED;
    for (size_t i = 0; i < c->n; i++) {
        struct book_lease *l = books_lease(books_purse(b, c->line[i].cell->purse), c->session);

        if (l && l->grant_no >= c->no)
            return PORT_E_AWAY; /* overtaken: nothing is done, nor turned */
    }
    for (size_t i = 0; i < c->n; i++) {
        struct grant_line *line = &c->line[i];
        struct book_purse *p = books_purse(b, line->cell->purse);
        int64_t known;

        books_turn(b, p, at_us);
        known = missed(p, books_lease(p, c->session), line->cell->seen_no);
        any_short = any_short || available(p) < MAX(line->need - known, (int64_t)0) ||
                    (p->kind == PURSE_WALLET && frozen);
    }
    for (size_t i = 0; i < c->n; i++)
        answer(b, at_us, c, &c->line[i], any_short);
    return PORT_OK;
}

int books_back(struct books *b, struct back_call *c)
{
    struct book_session *s = books_session(b, c->session);

    if (!s || s->state != SESSION_LIVE)
        return PORT_E_FENCED;
    for (size_t i = 0; i < c->n; i++) {
        const struct back_line *line = &c->line[i];
        struct book_purse *p = books_purse(b, line->cell->purse);
        struct book_lease *l = books_lease(p, c->session);
        int64_t amount;

        if (!l || p->starts_us != line->window_us || l->window_us != line->window_us ||
            l->return_no >= line->no)
            continue;
        amount = MIN(l->remaining, line->amount);
        l->remaining -= amount;
        l->return_no = line->no;
        p->leased -= amount;
    }
    return PORT_OK;
}
