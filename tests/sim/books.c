/* books.c: see books.h. Sessions, teams and what is moved by hand; books_lease.c has the leases,
 * books_settle.c the calls. */
#include "books.h"

#include "memory.h"

void books_init(struct books *b)
{
    memset(b, 0, sizeof(*b));
}

void books_done(struct books *b)
{
    keep_free(b->session);
    keep_free(b->call);
    memset(b, 0, sizeof(*b));
}

struct book_team *books_team_add(struct books *b, struct team_id id)
{
    struct book_team *t = &b->team[b->n_teams++];

    assert(b->n_teams <= BOOK_TEAMS);
    *t = (struct book_team){.id = id};
    return t;
}

struct book_purse *books_purse_add(struct books *b, struct book_team *t, struct purse_id id,
                                   struct key_id key, enum purse_kind kind, enum purse_turns turns,
                                   int64_t capacity)
{
    struct book_purse *p = &b->purse[b->n_purses++];

    assert(b->n_purses <= BOOK_PURSES);
    p->team = t->id;
    p->id = id;
    p->key = key;
    p->kind = kind;
    p->turns = turns;
    p->in_database = false;
    p->capacity = capacity;
    p->used = p->leased = 0;
    p->starts_us = NEVER_US;
    p->ends_us = FOREVER_US;
    p->recall_until_us = NEVER_US;
    p->n_leases = 0;
    return p;
}

struct book_team *books_team(struct books *b, struct team_id id)
{
    for (size_t i = 0; i < b->n_teams; i++)
        if (b->team[i].id.v == id.v)
            return &b->team[i];
    assert(!"a team");
    return NULL;
}

struct book_purse *books_purse(struct books *b, struct purse_id id)
{
    for (size_t i = 0; i < b->n_purses; i++)
        if (b->purse[i].id.v == id.v)
            return &b->purse[i];
    assert(!"a purse");
    return NULL;
}

struct book_session *books_session(struct books *b, int64_t id)
{
    for (size_t i = b->n_sessions; i-- > 0;)
        if (b->session[i].id == id)
            return &b->session[i];
    return NULL;
}

struct book_lease *books_lease(struct book_purse *p, int64_t session)
{
    for (size_t i = 0; i < p->n_leases; i++)
        if (p->lease[i].session == session)
            return &p->lease[i];
    return NULL;
}

unsigned books_live(const struct books *b)
{
    unsigned n = 0;

    for (size_t i = 0; i < b->n_sessions; i++)
        n += b->session[i].state == SESSION_LIVE;
    return n;
}

/* --- sessions --- */

int books_open(struct books *b, struct session_call *c)
{
    int64_t last = b->n_sessions ? b->session[b->n_sessions - 1].id : 0;

    if (b->n_sessions == b->cap_sessions) {
        size_t cap = b->cap_sessions + 64;

        b->session = keep_grow(b->session, b->cap_sessions * sizeof(*b->session),
                               cap * sizeof(*b->session));
        b->cap_sessions = cap;
    }
    if (c->session <= last)
        c->session = last + 1; /* else PostgreSQL has numbered it */
    b->session[b->n_sessions++] = (struct book_session){.id = c->session};
    return PORT_OK;
}

int books_heartbeat(struct books *b, struct session_call *c)
{
    struct book_session *s = books_session(b, c->session);
    bool live = s && s->state == SESSION_LIVE;

    if (live)
        s->hb++;
    c->nodes = books_live(b);
    return live ? PORT_OK : PORT_E_FENCED;
}

static bool end_session(struct books *b, struct book_session *s, enum session_state how)
{
    if (!s || s->state != SESSION_LIVE)
        return false;
    for (size_t i = 0; i < b->n_purses; i++) {
        struct book_purse *p = &b->purse[i];
        struct book_lease *l = books_lease(p, s->id);

        if (!l)
            continue;
        if (how == SESSION_REAPED && b->watch.reaped)
            b->watch.reaped(b->watch.ctx, p, l);
        if (how == SESSION_REAPED && p->kind == PURSE_WALLET)
            s->exposed_nano += l->remaining;
        if (l->window_us == p->starts_us)
            p->leased -= l->remaining;
        *l = p->lease[--p->n_leases];
    }
    s->state = how;
    return true;
}

int books_close(struct books *b, struct session_call *c)
{
    (void)end_session(b, books_session(b, c->session), SESSION_CLOSED);
    return PORT_OK;
}

int books_reap(struct books *b, struct reap_call *c)
{
    struct book_session *s = books_session(b, c->session);

    c->reaped = s && s->hb == c->hb && end_session(b, s, SESSION_REAPED);
    return PORT_OK;
}

int books_look(struct books *b, int64_t at_us, struct look_call *c)
{
    for (size_t i = 0; i < b->n_purses; i++) {
        struct book_purse *p = &b->purse[i];
        struct book_lease *l = p->recall_until_us > at_us ? books_lease(p, c->session) : NULL;

        if (!l || l->remaining <= 0 || l->window_us != p->starts_us ||
            c->n_recalls == LOOK_RECALLS)
            continue;
        c->recall[c->n_recalls].team = p->team;
        c->recall[c->n_recalls++].purse = p->id;
    }
    for (size_t i = 0; c->sessions && i < b->n_sessions; i++) {
        if (b->session[i].state != SESSION_LIVE || c->n_seen == LOOK_SESSIONS)
            continue;
        c->seen[c->n_seen].id = b->session[i].id;
        c->seen[c->n_seen++].hb = b->session[i].hb;
    }
    return PORT_OK;
}

/* --- by hand --- */

static struct book_purse *wallet_of(struct books *b, const struct book_team *t)
{
    for (size_t i = 0; i < b->n_purses; i++)
        if (b->purse[i].team.v == t->id.v && b->purse[i].kind == PURSE_WALLET)
            return &b->purse[i];
    assert(!"a wallet");
    return NULL;
}

void books_transfer(struct books *b, struct book_team *t, int64_t nano)
{
    struct book_purse *wallet = wallet_of(b, t);

    if (nano > 0) {
        t->credits_nano += nano;
        wallet->capacity += nano;
    } else {
        t->debits_nano -= nano;
        wallet->used -= nano;
    }
}

void books_capacity(struct book_purse *p, int64_t capacity)
{
    p->capacity = capacity;
}

/* --- rules --- */

static const char *purse_finding(const struct books *b, const struct book_purse *p)
{
    int64_t leased = 0;

    for (size_t i = 0; i < p->n_leases; i++) {
        const struct book_lease *l = &p->lease[i];
        const struct book_session *s = books_session((struct books *)b, l->session);

        if (l->remaining < 0)
            return "remaining_is_not_negative";
        if (!s || s->state != SESSION_LIVE)
            return "no_lease_of_an_ended_session";
        if (l->window_us == p->starts_us)
            leased += l->remaining;
    }
    if (leased != p->leased)
        return "leased_is_the_leases";
    return p->used < 0 ? "used_is_not_negative" : NULL;
}

const char *books_finding(const struct books *b)
{
    for (size_t i = 0; i < b->n_purses; i++) {
        const char *finding = purse_finding(b, &b->purse[i]);

        if (finding)
            return finding;
    }
    for (size_t i = 0; i < b->n_teams; i++) {
        const struct book_team *t = &b->team[i];
        const struct book_purse *wallet = wallet_of((struct books *)b, t);

        if (wallet->capacity - wallet->used != t->credits_nano - t->debits_nano)
            return "wallet_purse_is_its_account";
    }
    return NULL;
}
