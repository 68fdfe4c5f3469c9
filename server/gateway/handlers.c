/* handlers.c: the loop's own routes that are not calls: health, metrics, and the doors to calls. */
#include "base/bounds.h"
#include "base/log.h"
#include "http/listener.h"
#include "gateway/call.h"
#include "gateway/metrics_money.h"
#include "gateway/metrics_node.h"
#include "ledger/journal.h"
#include "logs/oversight.h"

static struct gateway *gateway_of(struct request *r)
{
    return listener_ctx(r->listener);
}

void gateway_call(struct request *r)
{
    call_begin(gateway_of(r), r, r->route->what);
}

static void reply_text(struct request *r, int status, const char *type, struct str body)
{
    struct response response = {.status = status, .content_type = type, .body = body};

    request_reply(r, &response);
}

void gateway_metrics(struct request *r)
{
    struct gateways *all = gateway_of(r)->all;
    struct metrics sum = {0};
    struct str text = STR_NONE;
    struct buf out;

    for (unsigned i = 0; i < all->loops; i++)
        if (all->loop[i])
            metrics_add(&sum, &all->loop[i]->metrics);
    buf_init(&out, MIB(1));
    metrics_print(&sum, &out);
    metrics_print_money(all, &out);
    metrics_print_node(gateway_of(r), &out);
    if (all->services->oversight)
        oversight_print(all->services->oversight, &out);
    if (buf_finish(&out) == 0)
        text = arena_str(r->arena, buf_str(&out));
    buf_done(&out);
    reply_text(r, text.p ? 200 : 503, "text/plain; version=0.0.4; charset=utf-8", text);
}

void gateway_livez(struct request *r)
{
    reply_text(r, 200, "text/plain; charset=utf-8", STR("alive\n"));
}

/* Why the journal lets no call be admitted; p NULL: it does. */
static struct str journal_trouble(struct journal *journal)
{
    struct journal_view v = {0};

    if (journal)
        journal_read(journal, &v);
    if (v.broken)
        return STR("journal not synced, start this node again\n");
    return v.failure ? STR("journal takes no records\n") : STR_NONE;
}

/* Ready: not draining, a catalogue is loaded, the database has answered within the time that
 * cached keys and leases stay good, and calls can be written down. */
void gateway_readyz(struct request *r)
{
    struct gateway *g = gateway_of(r);
    const struct services *s = g->services;
    struct str trouble = journal_trouble(s->journal);
    enum { SILENCE_MAX_MS = 55000 };

    if (s->draining && s->draining(s->ctx))
        reply_text(r, 503, "text/plain; charset=utf-8", STR("draining\n"));
    else if (!g->catalog)
        reply_text(r, 503, "text/plain; charset=utf-8", STR("no catalogue yet\n"));
    else if (s->database_silence_ms && s->database_silence_ms(s->ctx) > SILENCE_MAX_MS)
        reply_text(r, 503, "text/plain; charset=utf-8", STR("database away\n"));
    else if (trouble.p)
        reply_text(r, 503, "text/plain; charset=utf-8", trouble);
    else
        reply_text(r, 200, "text/plain; charset=utf-8", STR("ready\n"));
}
