/* metrics_node.c: see metrics_node.h. */
#include "gateway/metrics_node.h"

#include "base/clock.h"
#include "cache/answers.h"
#include "http/admission.h"
#include "http/listener.h"
#include "providers/health.h"
#include "traces/traces.h"

enum {
    ACCOUNTS_PRINTED = 1000, /* of the installation; teams' own are only counted */
    STATES = HEALTH_COOLING + 1,
};

static void head(struct buf *out, const char *name, const char *kind, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void single(struct buf *out, const char *name, const char *kind, const char *help, uint64_t v)
{
    head(out, name, kind, help);
    buf_printf(out, "%s %llu\n", name, (unsigned long long)v);
}

static void add(struct listener_stats *sum, const struct listener *l)
{
    struct listener_stats one;

    listener_read_stats(l, &one);
    sum->requests += one.requests;
    sum->timeouts += one.timeouts;
    sum->gone += one.gone;
    sum->refused_by_gate += one.refused_by_gate;
    sum->refused_by_limits += one.refused_by_limits;
    sum->refused_by_memory += one.refused_by_memory;
    sum->shed += one.shed;
    sum->turned_away += one.turned_away;
    sum->connections += one.connections;
}

static void print_listeners(const struct services *s, struct buf *out)
{
    struct listener_stats sum = {0};

    for (unsigned i = 0; s->listeners && i < s->loops; i++)
        if (s->listeners[i])
            add(&sum, s->listeners[i]);
    const struct {
        const char *reason;
        uint64_t n;
    } away[] = {
        {"framing", sum.refused_by_gate}, {"connections", sum.refused_by_limits},
        {"memory", sum.refused_by_memory}, {"behind", sum.shed},
        {"descriptors", sum.turned_away},
    };

    single(out, "tollgate_http_requests_total", "counter", "Requests whose head was read.",
           sum.requests);
    single(out, "tollgate_http_connections", "gauge", "Connections of clients.", sum.connections);
    head(out, "tollgate_http_turned_away_total", "counter",
         "Requests refused before anything was done for them.");
    for (size_t i = 0; i < ARRAY_LEN(away); i++)
        buf_printf(out, "tollgate_http_turned_away_total{reason=\"%s\"} %llu\n", away[i].reason,
                   (unsigned long long)away[i].n);
    single(out, "tollgate_http_timeouts_total", "counter",
           "Connections cut because a head, a body or a reader was too slow.", sum.timeouts);
    single(out, "tollgate_http_clients_gone_total", "counter",
           "Clients that left before their answer was complete.", sum.gone);
}

static void print_memory(const struct memory_guard *g, struct buf *out)
{
    struct memory_view v;

    memory_guard_read(g, &v);
    single(out, "tollgate_memory_used_bytes", "gauge", "Resident memory, as last read.",
           v.used_bytes);
    single(out, "tollgate_memory_promised_bytes", "gauge",
           "For bodies that are on their way.", v.promised_bytes);
    single(out, "tollgate_memory_limit_bytes", "gauge", "At 90 % of this everything is refused.",
           v.limit_bytes);
}

static void print_lanes(const struct services *s, struct buf *out)
{
    const struct {
        const char *name;
        const struct jobs *lane;
    } lanes[] = {{"money", s->money},
                 {"pages", s->pages},
                 {"passwords", s->passwords},
                 {"long", s->long_jobs},
                 {"waiting", s->waiting},
                 {"responses", s->responses}};
    struct jobs_stats stats[ARRAY_LEN(lanes)] = {0};

    for (size_t i = 0; i < ARRAY_LEN(lanes); i++)
        if (lanes[i].lane)
            jobs_read_stats(lanes[i].lane, &stats[i]);
    head(out, "tollgate_lane_queued", "gauge", "Jobs that wait for a worker.");
    for (size_t i = 0; i < ARRAY_LEN(lanes); i++)
        buf_printf(out, "tollgate_lane_queued{lane=\"%s\"} %u\n", lanes[i].name, stats[i].queued);
    head(out, "tollgate_lane_running", "gauge", "Jobs under way.");
    for (size_t i = 0; i < ARRAY_LEN(lanes); i++)
        buf_printf(out, "tollgate_lane_running{lane=\"%s\"} %u\n", lanes[i].name, stats[i].running);
    head(out, "tollgate_lane_refused_total", "counter", "Jobs for which the queue had no room.");
    for (size_t i = 0; i < ARRAY_LEN(lanes); i++)
        buf_printf(out, "tollgate_lane_refused_total{lane=\"%s\"} %llu\n", lanes[i].name,
                   (unsigned long long)stats[i].refused);
}

static void print_kept(const struct gateways *all, struct buf *out)
{
    head(out, "tollgate_responses_total", "counter",
         "Responses that were to be kept for their clients, by what came of it.");
    for (int i = 0; i < KEPTS; i++)
        buf_printf(out, "tollgate_responses_total{outcome=\"%s\"} %llu\n",
                   kept_name((enum kept)i),
                   (unsigned long long)atomic_load_explicit(&all->kept[i], memory_order_relaxed));
}

static void print_answers(struct answers *all, struct buf *out)
{
    struct answers_view v;

    answers_read(all, &v);
    single(out, "tollgate_cache_hits_total", "counter", "Look-ups that found a kept answer.", v.hits);
    single(out, "tollgate_cache_misses_total", "counter", "Look-ups that found none.", v.misses);
    single(out, "tollgate_cache_similar_hits_total", "counter",
           "Comparisons of questions that found one alike.", v.alike_hits);
    single(out, "tollgate_cache_similar_misses_total", "counter", "Those that found none.",
           v.alike_misses);
    single(out, "tollgate_cache_vectors", "gauge", "Kept answers whose questions can be compared.",
           v.vectors);
    single(out, "tollgate_cache_kept_total", "counter", "Answers that were kept.", v.kept);
    single(out, "tollgate_cache_evicted_total", "counter", "Answers that left for lack of room.",
           v.evicted);
    single(out, "tollgate_cache_entries", "gauge", "Answers that are kept.", v.entries);
    single(out, "tollgate_cache_bytes", "gauge", "Memory that they take.", v.bytes);
    single(out, "tollgate_cache_max_bytes", "gauge", "CACHE_BYTES.", v.max_bytes);
}

static void print_traces(struct traces *t, struct buf *out)
{
    struct traces_view v;

    traces_read(t, &v);
    single(out, "tollgate_traces_sent_total", "counter", "Calls that the collector has taken.", v.sent);
    single(out, "tollgate_traces_dropped_total", "counter", "Calls that it was not told.", v.dropped);
    single(out, "tollgate_traces_waiting_bytes", "gauge", "Spans that wait to be sent.", v.waiting);
}

/* Ids only: a name is somebody's text. */
static void print_breakers(const struct gateway *g, struct buf *out)
{
    size_t n = 0, printed = 0, by_state[STATES] = {0};
    const struct catalog_account *accounts = g->catalog ? catalog_accounts(g->catalog, &n) : NULL;
    int64_t now_ms = clock_mono_ms();

    head(out, "tollgate_account_state", "gauge",
         "The breaker of a provider account of the installation: 1 in the state it is in.");
    for (size_t i = 0; i < n; i++) {
        enum health_state state;

        if (accounts[i].team.v) /* a reader of figures claims no slots for what nobody calls */
            continue;
        state = health_state(health_of(g->services->health, accounts[i].id), now_ms);
        by_state[state]++;
        if (printed < ACCOUNTS_PRINTED) {
            printed++;
            buf_printf(out, "tollgate_account_state{account=\"%lld\",state=\"%s\"} 1\n",
                       (long long)accounts[i].id.v, health_state_name(state));
        }
    }
    head(out, "tollgate_accounts", "gauge", "Provider accounts of the installation, by state.");
    for (int i = 0; i < STATES; i++)
        buf_printf(out, "tollgate_accounts{state=\"%s\"} %zu\n",
                   health_state_name((enum health_state)i), by_state[i]);
}

void metrics_print_node(const struct gateway *g, struct buf *out)
{
    const struct services *s = g->services;

    print_listeners(s, out);
    if (s->memory)
        print_memory(s->memory, out);
    print_lanes(s, out);
    print_kept(g->all, out);
    if (s->answers)
        print_answers(s->answers, out);
    if (s->traces)
        print_traces(s->traces, out);
    if (s->health)
        print_breakers(g, out);
}
