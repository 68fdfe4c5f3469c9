/* operator_system.c: see operator_system.h. */
#include "web/pages/operator_system.h"

#include "base/err.h"
#include "catalog/holder.h"
#include "gateway/operate.h"
#include "logs/findings.h"
#include "logs/installation.h"
#include "logs/retention.h"
#include "notices/outbox.h"
#include "web/links.h"
#include "web/pages/operator_account_form.h"
#include "web/pages/operator_area.h"
#include "web/pages/operator_models.h"
#include "web/view.h"

/* A live node that missed this many heartbeats is worth a look. */
#define SILENT_MS (3 * NODE_HEARTBEAT_MS)
/* What waits to be sent for longer is told of. */
#define OUTBOX_PATIENCE_US (INT64_C(600) * 1000000)

/* --- replicas --- */

static struct json_object *node_view(struct web *w, const struct node_row *row, int64_t ours)
{
    struct json_object *o = json_new_object();

    json_set_str(o, "name", row->name);
    json_set_str(o, "version", row->version);
    json_set_bool(o, "is_this", row->id == ours);
    if (str_eq_c(row->state, "closed"))
        view_badge(o, "state", VIEW_NEUTRAL, "Stopped");
    else if (str_eq_c(row->state, "reaped"))
        view_badge(o, "state", VIEW_BAD, "Died");
    else if (row->silence_ms > SILENT_MS)
        view_badge(o, "state", VIEW_WARN, "Silent");
    else
        view_badge(o, "state", VIEW_GOOD, "Live");
    view_time(o, "beat", w->now_us - MAX(row->silence_ms, 0) * 1000, w->zone, w->now_us);
    view_time(o, "opened", row->opened_us, w->zone, w->now_us);
    view_count(o, "leases", row->leases);
    return o;
}

static int add_nodes(struct web *w, int64_t ours, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct node_page page;
    int64_t live = 0;
    int r = installation_nodes(w->db, w->arena, &page);

    json_set(view, "nodes", list);
    for (size_t i = 0; r == 0 && i < page.n; i++) {
        json_push(list, node_view(w, &page.v[i], ours));
        live += str_eq_c(page.v[i].state, "live");
    }
    json_set_str(view, "live", view_plural(w->arena, live, "replica", NULL));
    return r;
}

/* --- database --- */

static int add_database(struct web *w, int64_t silence_ms, struct json_object *view)
{
    struct json_object *o = json_new_object();
    struct database_facts f = {0};
    int r = installation_database(w->db, w->arena, &f);

    json_set(view, "database", o);
    json_set_str(o, "version", f.version);
    view_bytes(o, "size", f.bytes);
    view_bytes(o, "calls", f.call_bytes);
    json_set_i64(o, "connections", f.connections);
    json_set_i64(o, "max_connections", f.max_connections);
    view_time(o, "answered", w->now_us - silence_ms * 1000, w->zone, w->now_us);
    view_time(o, "started", f.started_us, w->zone, w->now_us);
    return r;
}

/* How long calls stay, and what has left. */
static int add_retention(struct web *w, struct json_object *view)
{
    struct json_object *o = json_new_object();
    struct retention_view v = {0};
    int r = retention_read(w->db, &v);

    json_set(view, "retention", o);
    json_set_str(o, "months", v.months ? view_plural(w->arena, v.months, "month", NULL) : STR(""));
    view_time(o, "cutoff", v.cutoff_us, w->zone, w->now_us);
    view_time(o, "dropped_until", v.dropped_until_us, w->zone, w->now_us);
    view_count(o, "dropped", v.dropped_calls);
    json_set_str(o, "archives", view_plural(w->arena, v.archives, "file", NULL));
    return r;
}

static int add_findings(struct web *w, struct json_object *view)
{
    struct json_object *list = json_new_array();
    struct finding_page page = {0};
    int r = finding_list(w->db, w->arena, false, &page);

    json_set(view, "findings", list);
    for (size_t i = 0; r == 0 && i < page.n; i++) {
        const struct finding *f = &page.v[i];
        struct json_object *o = json_new_object();

        json_set_str(o, "invariant", f->invariant);
        json_set_str(o, "subject", f->subject);
        json_set_str(o, "detail", f->detail);
        json_set_str(o, "team_name", f->team_name);
        json_set_str(o, "team_link",
                     f->team.v ? link_operator_team(w->arena, f->team, NULL) : STR_NONE);
        view_time(o, "found", f->found_us, w->zone, w->now_us);
        json_push(list, o);
    }
    json_set_bool(view, "any_finding", page.n > 0);
    return r;
}

static void put_u64(struct json_object *o, const char *key, uint64_t n)
{
    view_count(o, key, (int64_t)n);
}

/* Those that the list of models shows as not served. */
static int add_unserved(struct web *w, struct json_object *view)
{
    struct model_row *rows;
    size_t n, unserved = 0;
    int r = model_list(w->db, w->arena, STR(""), &rows, &n);

    for (size_t i = 0; r == 0 && i < n; i++)
        unserved += model_enabled_but_unserved(&rows[i]);
    put_u64(view, "unserved", unserved);
    json_set_bool(view, "any_unserved", unserved > 0);
    json_set_str(view, "unserved_link",
                 operator_page_link(w, link_to(LINK_operator_models), "state", STR("unserved"), 0));
    return r;
}

/* Which of those in use this node leaves alone. */
static int add_accounts(struct web *w, struct json_object *view)
{
    struct account_row *rows;
    int64_t in_use = 0, down = 0;
    size_t n;
    int r = account_list(w->db, w->arena, &rows, &n);

    for (size_t i = 0; r == 0 && i < n; i++)
        if (rows[i].is.enabled && rows[i].provider) {
            in_use++;
            down += !account_is_up(w, &rows[i]);
        }
    json_set_i64(view, "in_use", in_use);
    json_set_i64(view, "down", down);
    json_set_bool(view, "any_down", down > 0);
    return r;
}

/* --- this node --- */

static void put_times(struct web *w, struct json_object *o, const char *key, uint64_t n)
{
    json_set_str(o, key, view_plural(w->arena, (int64_t)n, "time", NULL));
}

/* Something is told of the outbox only where it does not empty, or something was given up. */
static int add_outbox(struct web *w, struct json_object *view)
{
    struct outbox_state s;
    struct json_object *o = NULL;
    int r = outbox_read_state(w->db, w->arena, &s);

    if (r != 0)
        return r;
    if (s.given_up || (s.oldest_us && s.oldest_us < w->now_us - OUTBOX_PATIENCE_US)) {
        o = json_new_object();
        json_set_str(o, "waiting", view_plural(w->arena, s.waiting, "message waits",
                                               "messages wait"));
        json_set_str(o, "given_up", view_plural(w->arena, s.given_up, "was", "were"));
        json_set_str(o, "trouble", s.trouble);
    }
    json_set(view, "outbox", o);
    return 0;
}

static void lanes_view(const struct operate_status *s, struct json_object *view)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < ARRAY_LEN(s->lanes); i++) {
        const struct jobs_stats *stats = &s->lanes[i].stats;
        struct json_object *o = json_new_object();

        json_set_cstr(o, "name", s->lanes[i].name);
        json_set_i64(o, "running", stats->running);
        json_set_i64(o, "threads", stats->threads);
        json_set_i64(o, "queued", stats->queued);
        put_u64(o, "queue_max", stats->queue_max);
        put_u64(o, "finished", stats->finished);
        put_u64(o, "refused", stats->refused);
        json_set_bool(o, "full", stats->queued >= stats->queue_max);
        json_push(list, o);
    }
    json_set(view, "lanes", list);
}

static void journal_view_of(struct web *w, const struct operate_status *s, struct json_object *view)
{
    struct json_object *o = json_new_object();

    put_u64(o, "waiting", s->journal.waiting);
    if (s->journal.waiting)
        view_duration(o, "oldest", s->journal.oldest_waiting_ms * 1000);
    else
        json_set_null(o, "oldest");
    put_u64(o, "begun", s->journal.begun);
    put_u64(o, "ended", s->journal.ended);
    put_u64(o, "settled", s->journal.settled);
    json_set_str(o, "batches",
                 view_plural(w->arena, (int64_t)s->journal.batches, "batch", "batches"));
    put_u64(o, "failed", s->journal.failed_batches);
    put_u64(o, "replayed", s->journal.replayed);
    json_set(view, "journal", o);
}

static void leases_view(struct web *w, const struct operate_status *s, struct json_object *view)
{
    struct json_object *o = json_new_object();

    put_u64(o, "purses", s->node.cells);
    put_times(w, o, "grants", s->node.grants);
    put_times(w, o, "refusals", s->node.refusals);
    put_times(w, o, "returns", s->node.returns);
    put_u64(o, "reaped", s->node.reaped_others);
    put_times(w, o, "fenced", s->node.fenced);
    put_times(w, o, "shares", s->node.shares);
    json_set_bool(o, "away", s->node.away);
    view_time(o, "heartbeat", w->now_us - s->node.heartbeat_age_ms * 1000, w->zone, w->now_us);
    json_set(view, "leases", o);
}

static void catalog_view(struct web *w, struct json_object *view)
{
    _cleanup_(catalog_unrefp) struct catalog *c = catalog_holder_get(w->services->catalog);
    struct json_object *o;
    size_t models = 0, served = 0;
    const struct catalog_model *v;

    json_set_null(view, "catalog");
    if (!c)
        return;
    v = catalog_models(c, &models);
    for (size_t i = 0; i < models; i++)
        served += catalog_model_served(&v[i]);
    o = json_new_object();
    json_set_str(o, "served", view_plural(w->arena, (int64_t)served, "model", NULL));
    put_u64(o, "models", models);
    json_set_i64(o, "epoch", catalog_epoch(c));
    view_time(o, "loaded", catalog_loaded_us(c), w->zone, w->now_us);
    view_time(o, "next", catalog_next_change_us(c), w->zone, w->now_us);
    json_set(view, "catalog", o);
}

/* Answers that this node keeps for keys that say so. */
static void answers_view_of(const struct operate_status *s, struct json_object *view)
{
    struct json_object *o = json_new_object();

    put_u64(o, "entries", s->answers.entries);
    view_bytes(o, "bytes", (int64_t)s->answers.bytes);
    view_bytes(o, "max_bytes", (int64_t)s->answers.max_bytes);
    view_percent(o, "hit_rate", (int64_t)s->answers.hits,
                 (int64_t)(s->answers.hits + s->answers.misses));
    json_set_bool(o, "on", s->answers.max_bytes > 0);
    json_set(view, "answers", o);
}

static void status_view(struct web *w, const struct operate_status *s, struct json_object *view)
{
    json_set_str(view, "node", w->services->node_name);
    json_set_i64(view, "loops", s->loops);
    put_u64(view, "in_flight", s->in_flight);
    put_u64(view, "calls", s->calls);
    put_u64(view, "keys_cached", s->keys_cached);
    json_set_bool(view, "draining", s->draining);
    lanes_view(s, view);
    journal_view_of(w, s, view);
    leases_view(w, s, view);
    answers_view_of(s, view);
    catalog_view(w, view);
}

int page_operator_system(struct web *w)
{
    struct json_object *view = json_new_object();
    struct operate_status status;
    int r;

    operate_read_status(w->services, &status);
    status_view(w, &status, view);
    r = add_nodes(w, status.node.session, view);
    if (r == 0)
        r = add_database(w, status.database_silence_ms, view);
    if (r == 0)
        r = add_accounts(w, view);
    if (r == 0)
        r = add_unserved(w, view);
    if (r == 0)
        r = add_findings(w, view);
    if (r == 0)
        r = add_retention(w, view);
    if (r == 0)
        r = add_outbox(w, view);
    if (r < 0) {
        json_unref(view);
        return err_trace(r);
    }
    return operator_render(w, 200, "operator_system", "System", view);
}
