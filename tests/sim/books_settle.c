/* books_settle.c: settle_batch. See books.h. */
#include "books.h"

#include "memory.h"

#define DAY_US ((int64_t)24 * 3600 * 1000000)

size_t books_call_number(struct call_id id)
{
    return (size_t)id.b[12] << 24 | (size_t)id.b[13] << 16 | (size_t)id.b[14] << 8 | id.b[15];
}

static struct book_call *row_of(struct books *b, size_t number)
{
    if (number >= b->n_calls) {
        size_t n = number + 1024;

        b->call = keep_grow(b->call, b->n_calls * sizeof(*b->call), n * sizeof(*b->call));
        b->n_calls = n;
    }
    return &b->call[number];
}

static void add_to_day(struct books *b, int64_t at_us, const struct call_record *call)
{
    for (size_t i = 0; i < b->n_days; i++)
        if (b->day[i].day == at_us / DAY_US && b->day[i].team.v == call->team_id &&
            b->day[i].key.v == call->key_id) {
            b->day[i].charge_nano += call->charge_nano.nano;
            return;
        }
    assert(b->n_days < BOOK_DAYS);
    b->day[b->n_days++] = (struct book_day){.team = {call->team_id},
                                            .key = {call->key_id},
                                            .day = at_us / DAY_US,
                                            .charge_nano = call->charge_nano.nano};
}

static void draw(struct books *b, const struct settle_call *c, size_t number, bool live,
                 const struct settle_draw *d)
{
    struct book_purse *p = books_purse(b, d->purse);
    struct book_lease *l = books_lease(p, c->session);
    bool current = p->starts_us == d->window_us;
    int64_t have = l && l->window_us == d->window_us ? l->remaining : 0, taken;

    if (p->kind == PURSE_BUDGET || (p->kind != PURSE_WALLET && current))
        p->used += d->used;
    if (!live || !current)
        return;
    if (d->taken > have && b->watch.overdrawn)
        b->watch.overdrawn(b->watch.ctx, number, p, d->taken, have);
    taken = MIN(d->taken, have);
    if (!taken)
        return;
    l->remaining -= taken;
    p->leased -= taken;
}

/* Of a share that a node gave itself: the minute that runs begins, if it has not yet. */
static void begin_minutes(struct books *b, int64_t at_us, const struct settle_entry *e)
{
    if (row_of(b, books_call_number(e->call->call_id))->booked)
        return;
    for (size_t i = 0; i < e->n_draws; i++) {
        struct book_purse *p = books_purse(b, e->draws[i].purse);

        if (!e->draws[i].taken && p->turns == TURNS_MINUTE)
            books_turn(b, p, at_us);
    }
}

static void book(struct books *b, int64_t at_us, const struct settle_call *c,
                 const struct settle_entry *e, bool live)
{
    size_t number = books_call_number(e->call->call_id);
    struct book_call *row = row_of(b, number);
    struct book_team *t = books_team(b, (struct team_id){e->call->team_id});
    int64_t charge = e->call->charge_nano.nano;

    if (row->booked)
        return;
    *row = (struct book_call){.booked = true, .late = !live, .charge_nano = charge};
    *(live ? &t->usage_nano : &t->late_nano) += charge;
    books_transfer(b, t, -charge);
    add_to_day(b, at_us, e->call);
    for (size_t i = 0; i < e->n_draws; i++)
        draw(b, c, number, live, &e->draws[i]);
    if (b->watch.booked)
        b->watch.booked(b->watch.ctx, number, row, e);
}

int books_settle(struct books *b, int64_t at_us, struct settle_call *c)
{
    struct book_session *s = books_session(b, c->session);

    for (size_t i = 0; i < c->n; i++)
        if (c->entry[i]->call->charge_nano.nano < 0)
            return PORT_E_REFUSED; /* the row's own rule: all or none */
    c->live = s && s->state == SESSION_LIVE;
    for (size_t i = 0; i < c->n; i++)
        begin_minutes(b, at_us, c->entry[i]);
    for (size_t i = 0; i < c->n; i++)
        book(b, at_us, c, c->entry[i], c->live);
    return PORT_OK;
}
