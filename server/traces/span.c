/* span.c: see span.h. */
#include "traces/span.h"

#include <stdio.h>

#include "json/write.h"

/* trace.proto: SpanKind and StatusCode. */
enum { KIND_SERVER = 2, KIND_CLIENT = 3, STATUS_ERROR = 2 };

#define US_NS INT64_C(1000)

static void put_hex(struct json_writer *w, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * TRACE_ID_BYTES];

    assert(2 * n <= sizeof(text));
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digits[p[i] >> 4];
        text[2 * i + 1] = digits[p[i] & 15];
    }
    json_str(w, str_n(text, 2 * n));
}

/* A number of 64 bits, which JSON's readers may not take exactly. */
static void put_long(struct json_writer *w, const char *key, int64_t v)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%lld", (long long)v);

    json_key(w, key);
    json_str(w, str_n(text, (size_t)n));
}

static void open_attribute(struct json_writer *w, const char *name)
{
    json_open_object(w);
    json_key(w, "key");
    json_cstr(w, name);
    json_key(w, "value");
    json_open_object(w);
}

static void close_attribute(struct json_writer *w)
{
    json_close_object(w);
    json_close_object(w);
}

/* Absent texts are left out. */
static void put_text(struct json_writer *w, const char *name, struct str text)
{
    if (!text.n)
        return;
    open_attribute(w, name);
    json_key(w, "stringValue");
    json_str(w, text);
    close_attribute(w);
}

static void put_number(struct json_writer *w, const char *name, int64_t v)
{
    open_attribute(w, name);
    put_long(w, "intValue", v);
    close_attribute(w);
}

static void put_id(struct json_writer *w, const char *name, int64_t id)
{
    if (id)
        put_number(w, name, id);
}

static void put_flag(struct json_writer *w, const char *name, bool v)
{
    open_attribute(w, name);
    json_key(w, "boolValue");
    json_bool(w, v);
    close_attribute(w);
}

static void put_list_of_one(struct json_writer *w, const char *name, struct str text)
{
    if (!text.n)
        return;
    open_attribute(w, name);
    json_key(w, "arrayValue");
    json_open_object(w);
    json_key(w, "values");
    json_open_array(w);
    json_open_object(w);
    json_key(w, "stringValue");
    json_str(w, text);
    json_close_object(w);
    json_close_array(w);
    json_close_object(w);
    close_attribute(w);
}

struct word_pair {
    const char *ours, *theirs;
};

static struct str look(const struct word_pair *pairs, size_t n, struct str ours)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(ours, pairs[i].ours))
            return str_c(pairs[i].theirs);
    return ours;
}

/* gen_ai.operation.name: the conventions' word for an endpoint, where they have one. */
static struct str operation_of(struct str endpoint)
{
    static const struct word_pair words[] = {
        {"chat.completions", "chat"},
        {"messages", "chat"},
        {"responses", "chat"},
        {"completions", "text_completion"},
        {"generateContent", "generate_content"},
        {"streamGenerateContent", "generate_content"},
        {"embed", "embeddings"},
        {"embedContent", "embeddings"},
        {"batchEmbedContents", "embeddings"},
    };

    return look(words, ARRAY_LEN(words), endpoint);
}

/* gen_ai.provider.name, likewise. */
static struct str provider_of(struct str kind)
{
    static const struct word_pair words[] = {
        {"azure", "azure.ai.openai"},   {"azure-deployments", "azure.ai.openai"},
        {"bedrock", "aws.bedrock"},     {"google", "gcp.gemini"},
        {"vertex", "gcp.vertex_ai"},    {"mistral", "mistral_ai"},
        {"xai", "x_ai"},                {"ollama-native", "ollama"},
    };

    return look(words, ARRAY_LEN(words), kind);
}

/* ordinal 0: the call itself. */
static void span_id(const struct call_record *r, int32_t ordinal, uint8_t ret[SPAN_ID_BYTES])
{
    memcpy(ret, r->call_id.b + sizeof(r->call_id.b) - SPAN_ID_BYTES, SPAN_ID_BYTES);
    ret[SPAN_ID_BYTES - 1] = (uint8_t)(ret[SPAN_ID_BYTES - 1] + ordinal);
}

struct span {
    const uint8_t *id, *parent; /* parent NULL: none */
    struct str what;            /* model */
    int64_t start_us, us;
    int kind;
};

static void open_span(struct json_writer *w, const struct trace_context *t,
                      const struct call_record *r, const struct span *s)
{
    struct str operation = operation_of(r->endpoint);
    char name[300];
    int n = snprintf(name, sizeof(name), "%.*s%s%.*s", STR_FMT(operation), s->what.n ? " " : "",
                     STR_FMT(s->what));

    json_open_object(w);
    json_key(w, "traceId");
    put_hex(w, t->trace, TRACE_ID_BYTES);
    json_key(w, "spanId");
    put_hex(w, s->id, SPAN_ID_BYTES);
    if (s->parent) {
        json_key(w, "parentSpanId");
        put_hex(w, s->parent, SPAN_ID_BYTES);
    }
    json_key(w, "name");
    json_str(w, str_n(name, MIN((size_t)n, sizeof(name) - 1)));
    json_key(w, "kind");
    json_int(w, s->kind);
    put_long(w, "startTimeUnixNano", s->start_us * US_NS);
    put_long(w, "endTimeUnixNano", (s->start_us + MAX(s->us, INT64_C(0))) * US_NS);
    json_key(w, "attributes");
    json_open_array(w);
}

static void close_span(struct json_writer *w, bool failed, struct str why)
{
    json_close_array(w);
    if (failed) {
        json_key(w, "status");
        json_open_object(w);
        json_key(w, "code");
        json_int(w, STATUS_ERROR);
        if (why.n) {
            json_key(w, "message");
            json_str(w, why);
        }
        json_close_object(w);
    }
    json_close_object(w);
}

/* A request that was wrong, or refused, is no error of the server's. */
static bool is_ours(struct str outcome)
{
    static const enum call_outcome failures[] = {CALL_OUTCOME_UPSTREAM_ERROR, CALL_OUTCOME_CUT,
                                                 CALL_OUTCOME_INTERNAL};

    for (size_t i = 0; i < ARRAY_LEN(failures); i++)
        if (str_eq_c(outcome, call_outcome_name(failures[i])))
            return true;
    return false;
}

static void put_call(struct json_writer *w, const struct trace_context *t, const struct call_record *r)
{
    bool failed = is_ours(r->outcome);
    uint8_t id[SPAN_ID_BYTES];
    char call[CALL_ID_TEXT];

    span_id(r, 0, id);
    call_id_text(r->call_id, call);
    open_span(w, t, r,
              &(struct span){.id = id,
                             .parent = t->has_parent ? t->parent : NULL,
                             .what = r->requested_model,
                             .start_us = r->started_at,
                             .us = r->latency_us,
                             .kind = KIND_SERVER});
    put_text(w, "tollgate.request_id", str_c(call));
    put_text(w, "tollgate.endpoint", r->endpoint);
    put_id(w, "tollgate.team_id", r->team_id);
    put_id(w, "tollgate.project_id", r->project_id);
    put_id(w, "tollgate.key_id", r->key_id);
    put_id(w, "tollgate.user_id", r->user_id);
    put_text(w, "tollgate.requested_model", r->requested_model);
    put_text(w, "tollgate.served_model", r->served_model);
    put_text(w, "tollgate.rule", r->rule);
    put_text(w, "tollgate.outcome", r->outcome);
    put_text(w, "tollgate.quota_source", r->quota_source);
    put_number(w, "tollgate.attempts", r->attempts);
    put_flag(w, "tollgate.fallback", r->fallback);
    put_flag(w, "tollgate.stream", r->stream);
    put_text(w, "tollgate.cache", r->cache);
    put_number(w, "tollgate.charge_nano_usd", r->charge_nano.nano);
    put_number(w, "tollgate.time_to_first_byte_us", r->ttfb_us);
    put_text(w, "tollgate.tags", r->tags);
    put_number(w, "http.response.status_code", r->status);
    put_text(w, "client.address", r->client_address);
    put_text(w, "user_agent.original", r->user_agent);
    put_text(w, "error.type", r->error_code);
    close_span(w, failed, r->error_code);
}

static void put_try(struct json_writer *w, const struct trace_context *t, const struct call_record *r,
                    const struct attempt_record *a)
{
    uint8_t id[SPAN_ID_BYTES], parent[SPAN_ID_BYTES];

    span_id(r, a->ordinal, id);
    span_id(r, 0, parent);
    open_span(w, t, r,
              &(struct span){.id = id,
                             .parent = parent,
                             .what = a->upstream_model,
                             .start_us = r->started_at + a->started_us,
                             .us = a->latency_us,
                             .kind = KIND_CLIENT});
    put_text(w, "gen_ai.operation.name", operation_of(r->endpoint));
    put_text(w, "gen_ai.provider.name", provider_of(a->provider));
    put_text(w, "gen_ai.request.model", a->upstream_model);
    if (a->served) {
        put_number(w, "gen_ai.usage.input_tokens", a->prompt_tokens);
        put_number(w, "gen_ai.usage.output_tokens", a->completion_tokens);
        put_list_of_one(w, "gen_ai.response.finish_reasons", r->finish_reason);
    } else {
        put_text(w, "error.type", a->reason);
    }
    put_text(w, "tollgate.account", a->account_name);
    put_text(w, "tollgate.upstream_request_id", a->upstream_request_id);
    put_number(w, "tollgate.cost_nano_usd", a->cost_nano.nano);
    put_number(w, "tollgate.time_to_first_byte_us", a->ttfb_us);
    put_id(w, "http.response.status_code", a->status);
    close_span(w, !a->served, a->reason);
}

void span_write(struct buf *out, const struct trace_context *t, const struct call_record *r)
{
    struct json_writer w;

    json_begin(&w, out);
    put_call(&w, t, r);
    for (int32_t i = 0; i < r->attempts; i++)
        put_try(&w, t, r, &r->attempt[i]);
}

void span_write_head(struct buf *out, struct str service, struct str version, struct str node)
{
    struct json_writer w;

    buf_puts(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    json_begin(&w, out);
    put_text(&w, "service.name", service);
    put_text(&w, "service.version", version);
    put_text(&w, "service.instance.id", node);
    buf_puts(out, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"tollgate\"},\"spans\":[");
}

void span_write_tail(struct buf *out)
{
    buf_puts(out, "]}]}]}");
}
