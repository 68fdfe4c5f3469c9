/* metrics.c: see metrics.h. Adding up is written once over the struct as a row of counters. */
#include "gateway/metrics.h"

static const int64_t bounds_ms[] = METRICS_LATENCY_BOUNDS;
_Static_assert(ARRAY_LEN(bounds_ms) + 1 == METRICS_BUCKETS, "one bucket more than bounds");

static const char *const refusals[REFUSALS] = {
    [REFUSED_NO_KEY] = "no_key",
    [REFUSED_BAD_KEY] = "bad_key",
    [REFUSED_BUSY] = "busy",
    [REFUSED_DRAINING] = "draining",
};

static const char *const shadow_drops[SHADOW_DROPS] = {
    [SHADOW_DROP_REFUSED] = "refused",
    [SHADOW_DROP_OWN_KEY] = "own_key",
    [SHADOW_DROP_TOO_LARGE] = "too_large",
    [SHADOW_DROP_LOAD] = "load",
    [SHADOW_DROP_FULL] = "in_flight",
    [SHADOW_DROP_NO_ROUTE] = "no_route",
    [SHADOW_DROP_CEILING] = "day_ceiling",
    [SHADOW_DROP_NOT_SENT] = "not_sent",
};

static void count(atomic_ullong *c, uint64_t n)
{
    atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

static uint64_t value(const atomic_ullong *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

static size_t bucket_of(int64_t us)
{
    size_t i = 0;

    while (i < ARRAY_LEN(bounds_ms) && us > bounds_ms[i] * 1000)
        i++;
    return i;
}

static size_t outcome_of(struct str name)
{
    size_t i = 0;

    while (i < CALL_OUTCOME_INTERNAL && !str_eq_c(name, call_outcome_name((enum call_outcome)i)))
        i++;
    return i;
}

static uint64_t positive(int64_t v)
{
    return v > 0 ? (uint64_t)v : 0;
}

void metrics_call(struct metrics *m, const struct call_record *r)
{
    uint64_t repeat = positive(r->repeat);
    int hundreds = r->status / 100;

    count(&m->calls[outcome_of(r->outcome)], repeat);
    count(&m->status[hundreds >= 1 && hundreds <= 5 ? hundreds : 0], repeat);
    count(&m->latency[bucket_of(r->latency_us)], 1);
    count(&m->latency_us_sum, positive(r->latency_us));
    if (r->ttfb_us > 0) {
        count(&m->first_byte[bucket_of(r->ttfb_us)], 1);
        count(&m->first_byte_us_sum, positive(r->ttfb_us));
    }
    count(&m->input_tokens, positive(call_record_tokens(r, USAGE_COVERS_PROMPT)));
    count(&m->output_tokens, positive(call_record_tokens(r, USAGE_COVERS_OUTPUT)));
    count(&m->charge_nano, positive(r->charge_nano.nano));
    count(&m->cost_nano, positive(r->cost_nano.nano));
}

void metrics_attempt(struct metrics *m, enum try_outcome outcome)
{
    count(&m->attempts[outcome], 1);
}

void metrics_refused(struct metrics *m, enum metrics_refusal why)
{
    count(&m->refused[why], 1);
}

void metrics_guard(struct metrics *m, enum guard_action action, uint64_t findings)
{
    count(&m->found[action], findings);
}

void metrics_shadow(struct metrics *m, const struct call_record *r)
{
    count(&m->shadows[outcome_of(r->outcome)], 1);
    count(&m->shadow_cost_nano, positive(r->cost_nano.nano));
}

void metrics_shadow_dropped(struct metrics *m, enum shadow_drop why)
{
    count(&m->shadows_dropped[why], 1);
}

static void add_row(atomic_ullong *into, const atomic_ullong *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        count(&into[i], value(&from[i]));
}

void metrics_add(struct metrics *into, const struct metrics *from)
{
    add_row(into->calls, from->calls, ARRAY_LEN(into->calls));
    add_row(into->status, from->status, ARRAY_LEN(into->status));
    add_row(into->attempts, from->attempts, ARRAY_LEN(into->attempts));
    add_row(&into->skipped, &from->skipped, 1);
    add_row(into->found, from->found, GUARD_ACTIONS);
    add_row(into->refused, from->refused, ARRAY_LEN(into->refused));
    add_row(into->latency, from->latency, METRICS_BUCKETS);
    add_row(&into->latency_us_sum, &from->latency_us_sum, 1);
    add_row(into->first_byte, from->first_byte, METRICS_BUCKETS);
    add_row(&into->first_byte_us_sum, &from->first_byte_us_sum, 1);
    add_row(&into->input_tokens, &from->input_tokens, 1);
    add_row(&into->output_tokens, &from->output_tokens, 1);
    add_row(&into->charge_nano, &from->charge_nano, 1);
    add_row(&into->cost_nano, &from->cost_nano, 1);
    add_row(into->shadows, from->shadows, ARRAY_LEN(into->shadows));
    add_row(into->shadows_dropped, from->shadows_dropped, SHADOW_DROPS);
    add_row(&into->shadow_cost_nano, &from->shadow_cost_nano, 1);
    add_row(&into->key_hits, &from->key_hits, 1);
    add_row(&into->key_misses, &from->key_misses, 1);
    atomic_fetch_add(&into->in_flight, atomic_load(&from->in_flight));
    atomic_fetch_add(&into->keys, atomic_load(&from->keys));
}

static void head(struct buf *out, const char *name, const char *kind, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void single(struct buf *out, const char *name, const char *kind, const char *help,
                   uint64_t v)
{
    head(out, name, kind, help);
    buf_printf(out, "%s %llu\n", name, (unsigned long long)v);
}

static void labelled(struct buf *out, const char *name, const char *label, const char *text,
                     uint64_t v)
{
    buf_printf(out, "%s{%s=\"%s\"} %llu\n", name, label, text, (unsigned long long)v);
}

/* Seconds with all digits of the microseconds. */
static void put_seconds(struct buf *out, uint64_t us)
{
    buf_printf(out, "%llu.%06llu", (unsigned long long)(us / 1000000),
               (unsigned long long)(us % 1000000));
}

static void histogram(struct buf *out, const char *name, const char *help,
                      const atomic_ullong *buckets, uint64_t sum_us)
{
    uint64_t below = 0;

    head(out, name, "histogram", help);
    for (size_t i = 0; i < ARRAY_LEN(bounds_ms); i++) {
        below += value(&buckets[i]);
        buf_printf(out, "%s_bucket{le=\"", name);
        put_seconds(out, (uint64_t)bounds_ms[i] * 1000);
        buf_printf(out, "\"} %llu\n", (unsigned long long)below);
    }
    below += value(&buckets[METRICS_BUCKETS - 1]);
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum ", name, (unsigned long long)below, name);
    put_seconds(out, sum_us);
    buf_printf(out, "\n%s_count %llu\n", name, (unsigned long long)below);
}

static void put_usd(struct buf *out, const char *name, const char *help, uint64_t nano)
{
    head(out, name, "counter", help);
    buf_printf(out, "%s ", name);
    money_put(out, (struct money){(int64_t)nano}, 0);
    buf_putc(out, '\n');
}

static void print_calls(const struct metrics *m, struct buf *out)
{
    static const char *const hundreds[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};

    head(out, "tollgate_calls_total", "counter", "Calls whose key was known, by how they ended.");
    for (size_t i = 0; i < ARRAY_LEN(m->calls); i++)
        labelled(out, "tollgate_calls_total", "outcome", call_outcome_name((enum call_outcome)i),
                 value(&m->calls[i]));
    head(out, "tollgate_answers_total", "counter", "The same calls by status of the answer.");
    for (size_t i = 0; i < ARRAY_LEN(hundreds); i++)
        labelled(out, "tollgate_answers_total", "status", hundreds[i], value(&m->status[i]));
    head(out, "tollgate_refused_total", "counter", "Requests refused before a key was known.");
    for (size_t i = 0; i < REFUSALS; i++)
        labelled(out, "tollgate_refused_total", "reason", refusals[i], value(&m->refused[i]));
    head(out, "tollgate_attempts_total", "counter", "Tries at providers, by outcome.");
    for (size_t i = 0; i < TRY_OUTCOMES; i++)
        labelled(out, "tollgate_attempts_total", "outcome", try_outcome_name((enum try_outcome)i),
                 value(&m->attempts[i]));
    single(out, "tollgate_attempts_skipped_total", "counter",
           "Candidates not tried because the hold could not be extended.", value(&m->skipped));
    head(out, "tollgate_guardrail_findings_total", "counter",
         "What guardrails have found in requests and answers, by what they do with it.");
    for (size_t i = 0; i < GUARD_ACTIONS; i++)
        labelled(out, "tollgate_guardrail_findings_total", "action",
                 guard_action_name((enum guard_action)i), value(&m->found[i]));
}

static void print_shadows(const struct metrics *m, struct buf *out)
{
    head(out, "tollgate_shadow_calls_total", "counter",
         "Calls that were asked of a second model for comparison, by how that ended.");
    for (size_t i = 0; i < ARRAY_LEN(m->shadows); i++)
        labelled(out, "tollgate_shadow_calls_total", "outcome", call_outcome_name((enum call_outcome)i),
                 value(&m->shadows[i]));
    head(out, "tollgate_shadow_dropped_total", "counter", "Calls that were to be and were not, by why.");
    for (size_t i = 0; i < SHADOW_DROPS; i++)
        labelled(out, "tollgate_shadow_dropped_total", "reason", shadow_drops[i],
                 value(&m->shadows_dropped[i]));
    put_usd(out, "tollgate_shadow_cost_usd_total", "Owed to providers for them, beside tollgate_cost_usd_total.",
            value(&m->shadow_cost_nano));
}

void metrics_print(const struct metrics *m, struct buf *out)
{
    print_calls(m, out);
    histogram(out, "tollgate_call_seconds", "From the request's head to the end of the answer.",
              m->latency, value(&m->latency_us_sum));
    histogram(out, "tollgate_first_byte_seconds", "To the first byte that the client got.",
              m->first_byte, value(&m->first_byte_us_sum));
    single(out, "tollgate_input_tokens_total", "counter", "Input tokens, cached ones included.",
           value(&m->input_tokens));
    single(out, "tollgate_output_tokens_total", "counter", "Output tokens.",
           value(&m->output_tokens));
    put_usd(out, "tollgate_charge_usd_total", "Charged to teams.", value(&m->charge_nano));
    put_usd(out, "tollgate_cost_usd_total", "Owed to providers.", value(&m->cost_nano));
    print_shadows(m, out);
    single(out, "tollgate_key_cache_hits_total", "counter", "Keys found in a loop's cache.",
           value(&m->key_hits));
    single(out, "tollgate_key_cache_misses_total", "counter", "Keys looked up in the database.",
           value(&m->key_misses));
    single(out, "tollgate_keys_cached", "gauge", "Keys in the loops' caches.",
           atomic_load(&m->keys));
    single(out, "tollgate_calls_in_flight", "gauge", "Calls under way.",
           atomic_load(&m->in_flight));
}
