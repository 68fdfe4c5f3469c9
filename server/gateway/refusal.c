/* refusal.c: see refusal.h. */
#include "gateway/refusal.h"

#include "base/bounds.h"
#include "base/log.h"
#include "gateway/call_flow.h"

/* A record that stands for many, with the texts that would die with its call. */
struct refusal_sample {
    struct list link;      /* gateway->held_back */
    struct known_key *key; /* a reference */
    struct catalog *catalog; /* another: names of models, rules and accounts are its own; NULL: none */
    struct call_record record;
    char model[200], agent[200], address[NET_ADDRESS_TEXT], guardrails[300];
};

static int64_t second_of(const struct gateway *g)
{
    return loop_now_ms(g->loop) / 1000;
}

void refusal_early(struct gateway *g, struct request *r, const struct problem *p,
                   enum metrics_refusal why)
{
    char address[NET_ADDRESS_TEXT];
    int64_t now = second_of(g);

    metrics_refused(&g->metrics, why);
    if (g->refusals_logged_s == now) {
        g->refusals_quiet++;
    } else {
        net_address_text(&r->peer, address);
        log_info("refused", "code=%s peer=%s path=%s quiet=%u", problem_slug(p->code), address,
                 log_str(r->path), g->refusals_quiet);
        g->refusals_logged_s = now;
        g->refusals_quiet = 0;
    }
    request_fail(r, p);
}

/* Each loop has its part of what the node may write for one key. */
static unsigned rows_per_second(const struct gateway *g)
{
    return MAX(BOUND_REFUSALS_PER_S / MAX(g->all->loops, 1u), 1u);
}

static struct str keep(char *to, size_t size, struct str s)
{
    size_t n = MIN(s.n, size);

    if (!s.p)
        return STR_NONE;
    memcpy(to, s.p, n);
    return str_n(to, n);
}

static void hold_back(struct call *c)
{
    struct known_key *k = c->key;
    struct refusal_sample *s = k->tally.sample;

    if (s) {
        s->record.repeat++;
        return;
    }
    s = calloc(1, sizeof(*s));
    if (!s) {
        call_money_write(c->g, &c->record);
        return;
    }
    s->key = known_key_ref(k);
    s->record = c->record;
    s->record.requested_model = keep(s->model, sizeof(s->model), c->record.requested_model);
    s->record.user_agent = keep(s->agent, sizeof(s->agent), c->record.user_agent);
    s->record.client_address = keep(s->address, sizeof(s->address), c->record.client_address);
    s->record.guardrails = keep(s->guardrails, sizeof(s->guardrails), c->record.guardrails);
    s->record.tags = STR_NONE;
    s->catalog = c->catalog ? catalog_ref(c->catalog) : NULL;
    for (int32_t i = 0; i < s->record.attempts; i++) { /* these may be the call's */
        s->record.attempt[i].error_text = STR_NONE;
        s->record.attempt[i].upstream_request_id = STR_NONE;
    }
    list_add_tail(&c->g->held_back, &s->link);
    gateway_wind(c->g);
    k->tally.sample = s;
}

void refusal_record(struct call *c)
{
    struct refusal_tally *t = &c->key->tally;
    int64_t now = second_of(c->g);

    if (t->second != now) {
        t->second = now;
        t->recorded = 0;
    }
    if (t->recorded < rows_per_second(c->g)) {
        t->recorded++;
        call_money_write(c->g, &c->record);
    } else {
        hold_back(c);
    }
}

static void write_sample(struct gateway *g, struct refusal_sample *s)
{
    call_money_write(g, &s->record);
    list_del(&s->link);
    s->key->tally.sample = NULL;
    known_key_unref(s->key);
    catalog_unref(s->catalog);
    free(s);
}

void refusal_flush(struct gateway *g)
{
    while (!list_empty(&g->held_back))
        write_sample(g, container_of(g->held_back.next, struct refusal_sample, link));
}
