/* attempts.c: see attempts.h. */
#include "gateway/attempts.h"

#include "base/bounds.h"
#include "json/write.h"

static void put_text(struct json_writer *w, const char *key, struct str s)
{
    json_key(w, key);
    if (s.p)
        json_str(w, s);
    else
        json_null(w);
}

static void put_us_as_ms(struct json_writer *w, const char *key, int64_t us)
{
    json_key(w, key);
    json_int(w, (us + 500) / 1000);
}

static void put_attempt(struct json_writer *w, const struct attempt_record *a)
{
    json_open_object(w);
    json_key(w, "attempt");
    json_int(w, a->ordinal);
    put_text(w, "provider", a->provider);
    put_text(w, "account", a->account_name);
    put_text(w, "model", a->upstream_model);
    json_key(w, "status");
    if (a->status)
        json_int(w, a->status);
    else
        json_null(w);
    put_text(w, "reason", a->reason);
    put_us_as_ms(w, "started_ms", a->started_us);
    put_us_as_ms(w, "first_byte_ms", a->ttfb_us);
    put_us_as_ms(w, "latency_ms", a->latency_us);
    if (a->error_text.p)
        put_text(w, "error", a->error_text);
    json_close_object(w);
}

struct str attempts_json(struct arena *a, const struct call_record *r)
{
    struct str text = STR_NONE;
    struct json_writer w;
    struct buf out;

    buf_init(&out, KIB(64));
    json_begin(&w, &out);
    json_open_array(&w);
    for (int32_t i = 0; i < r->attempts && i < BOUND_ATTEMPTS; i++)
        put_attempt(&w, &r->attempt[i]);
    json_close_array(&w);
    if (buf_finish(&out) == 0)
        text = arena_str(a, buf_str(&out));
    buf_done(&out);
    return text;
}
