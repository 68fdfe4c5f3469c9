/* embed.c: see embed.h. */
#include "demo/embed.h"

#include <errno.h>
#include <math.h>

#include "base/base64.h"
#include "base/bounds.h"
#include "base/err.h"
#include "demo/plan.h"
#include "demo/token.h"
#include "json/write.h"

enum { DIMENSIONS = 256, DIMENSIONS_MAX = 3072, INPUTS_MAX = 2048, WORD_MAX = 62, RUN = 3 };

struct embedding {
    struct request *request;
    struct str model;
    struct switches switches;
    struct loop_timer timer;
    struct response answer;
};

struct ask {
    const struct json_object *input;
    size_t dimensions;
    bool base64;
};

static int refuse(struct plan_fault *fault, const char *param, const char *message)
{
    *fault = (struct plan_fault){400, "invalid_value", str_c(message), str_c(param)};
    return PLAN_E_FAULT;
}

/* A list of token numbers is one input. */
static bool is_numbers(const struct json_object *v)
{
    return json_kind(v) == JSON_ARRAY && json_kind(json_at(v, 0)) == JSON_INT;
}

static int read_ask(const struct json_object *body, struct ask *ret, struct plan_fault *fault)
{
    const struct json_object *dimensions = json_get(body, "dimensions");
    struct str format = json_text(json_get(body, "encoding_format"));

    *ret = (struct ask){.input = json_get(body, "input"), .dimensions = DIMENSIONS};
    if (json_kind(ret->input) != JSON_STRING &&
        (json_kind(ret->input) != JSON_ARRAY || !json_length(ret->input) ||
         (json_length(ret->input) > INPUTS_MAX && !is_numbers(ret->input))))
        return refuse(fault, "input", "A string or a list of at most 2048 inputs is needed.");
    if (dimensions && (json_kind(dimensions) != JSON_INT || json_i64(dimensions) < 1 ||
                       json_i64(dimensions) > DIMENSIONS_MAX))
        return refuse(fault, "dimensions", "The dimensions must be between 1 and 3072.");
    if (dimensions)
        ret->dimensions = (size_t)json_i64(dimensions);
    if (format.n && !str_eq_c(format, "float") && !str_eq_c(format, "base64"))
        return refuse(fault, "encoding_format", "The format must be float or base64.");
    ret->base64 = str_eq_c(format, "base64");
    return PLAN_OK;
}

/* The same piece lies anywhere but always at the same place. */
static void add_piece(float *vector, size_t n, struct str piece)
{
    struct dice d = {0};

    dice_stir(&d, piece);
    for (size_t i = 0; i < n; i++)
        vector[i] += (float)(int64_t)(dice_roll(&d) >> 40) / (float)(1 << 23) - 1.0f;
}

static bool is_of_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c & 0x80);
}

/* Its runs of three letters, in small ones, with its two ends. */
static void add_word(float *vector, size_t n, struct str word)
{
    char marked[WORD_MAX + 2] = "^";
    size_t length = MIN(word.n, (size_t)WORD_MAX);

    for (size_t i = 0; i < length; i++)
        marked[i + 1] = word.p[i] >= 'A' && word.p[i] <= 'Z' ? (char)(word.p[i] + 32) : word.p[i];
    marked[length + 1] = '$';
    for (size_t i = 0; i + RUN <= length + 2; i++)
        add_piece(vector, n, str_n(marked + i, RUN));
}

static void add_words(float *vector, size_t n, struct str text)
{
    size_t from = 0, to;

    for (; from < text.n; from = to) {
        for (; from < text.n && !is_of_word(text.p[from]);)
            from++;
        for (to = from; to < text.n && is_of_word(text.p[to]);)
            to++;
        if (to > from)
            add_word(vector, n, str_n(text.p + from, to - from));
    }
}

static bool is_zero(const float *vector, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (vector[i] != 0)
            return false;
    return true;
}

static void scale(float *vector, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)vector[i] * (double)vector[i];
    for (size_t i = 0; sum > 0 && i < n; i++)
        vector[i] = (float)((double)vector[i] / sqrt(sum));
}

/* One input; counts its tokens. */
static size_t embed(const struct json_object *input, float *vector, size_t n)
{
    struct str text = json_text(input);
    size_t tokens = 0;

    memset(vector, 0, n * sizeof(*vector));
    for (size_t i = 0; i < json_length(input); i++, tokens++)
        add_piece(vector, n, json_text(json_at(input, i)));
    add_words(vector, n, text);
    if (is_zero(vector, n)) /* marks only, or nothing */
        add_piece(vector, n, text);
    while (text.n) {
        size_t length = token_length(text);

        text = str_n(text.p + length, text.n - length);
        tokens++;
    }
    scale(vector, n);
    return tokens;
}

static void put_vector(struct json_writer *w, const struct ask *ask, const float *vector)
{
    struct buf text;

    buf_init(&text, MIB(1));
    if (ask->base64) { /* little-endian floats, as this machine has them */
        buf_putc(&text, '"');
        base64_put(&text, vector, ask->dimensions * sizeof(*vector));
        buf_putc(&text, '"');
    } else {
        for (size_t i = 0; i < ask->dimensions; i++)
            buf_printf(&text, "%c%.8g", i ? ',' : '[', (double)vector[i]);
        buf_putc(&text, ']');
    }
    json_raw(w, buf_str(&text));
    buf_done(&text);
}

/* Appends {"object":"embedding",...}; returns the tokens. */
static size_t put_embedding(struct json_writer *w, const struct ask *ask, size_t index,
                            const struct json_object *input)
{
    float vector[DIMENSIONS_MAX];
    size_t tokens = embed(input, vector, ask->dimensions);

    json_open_object(w);
    json_key(w, "object");
    json_cstr(w, "embedding");
    json_key(w, "index");
    json_int(w, (int64_t)index);
    json_key(w, "embedding");
    put_vector(w, ask, vector);
    json_close_object(w);
    return tokens;
}

static size_t put_data(struct json_writer *w, const struct ask *ask)
{
    bool one = json_kind(ask->input) == JSON_STRING || is_numbers(ask->input);
    size_t tokens = 0;

    json_open_array(w);
    if (one)
        tokens = put_embedding(w, ask, 0, ask->input);
    for (size_t i = 0; !one && i < json_length(ask->input); i++)
        tokens += put_embedding(w, ask, i, json_at(ask->input, i));
    json_close_array(w);
    return tokens;
}

static void put_answer(const struct embedding *e, const struct ask *ask, struct buf *out)
{
    struct json_writer w;
    size_t tokens;

    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "object");
    json_cstr(&w, "list");
    json_key(&w, "data");
    tokens = put_data(&w, ask);
    json_key(&w, "model");
    json_str(&w, e->model);
    if (!e->switches.no_usage) {
        json_key(&w, "usage");
        json_open_object(&w);
        json_key(&w, "prompt_tokens");
        json_int(&w, (int64_t)tokens);
        json_key(&w, "total_tokens");
        json_int(&w, (int64_t)tokens);
        json_close_object(&w);
    }
    json_close_object(&w);
}

static int make_answer(struct embedding *e, struct plan_fault *fault)
{
    struct request *r = e->request;
    struct json_object *body = NULL;
    struct ask ask;
    struct buf out;
    int outcome = plan_parse(r, &body, fault);

    if (!outcome)
        outcome = plan_model(r, body, true, &e->model, &e->switches, fault);
    if (!outcome)
        outcome = read_ask(body, &ask, fault);
    if (outcome)
        return outcome < 0 ? err_trace(outcome) : outcome;
    if (e->switches.status) {
        *fault = demo_ordered_fault(e->switches.status);
        return PLAN_E_FAULT;
    }
    buf_init(&out, BOUND_UPSTREAM_REPLY_BYTES);
    put_answer(e, &ask, &out);
    e->answer = (struct response){.status = 200, .content_type = "application/json"};
    if (!buf_finish(&out))
        e->answer.body = arena_str(r->arena, buf_str(&out));
    buf_done(&out);
    if (!e->answer.body.p)
        return err_origin(-ENOMEM);
    if (e->switches.bad_json || e->switches.die)
        e->answer.body.n /= 2;
    return PLAN_OK;
}

static void leave(struct embedding *e)
{
    loop_timer_clear(&e->timer);
    request_release(e->request);
}

static void on_gone(struct request *r)
{
    leave(r->user);
}

static void on_time(struct loop_timer *t)
{
    struct embedding *e = container_of(t, struct embedding, timer);

    request_reply(e->request, &e->answer);
    leave(e);
}

/* Waits as ordered; `timeout` is an hour. */
static void reply_later(struct embedding *e)
{
    struct request *r = e->request;
    int ms = e->switches.timeout ? 3600 * 1000 : e->switches.delay_ms;

    r->user = e;
    r->gone = on_gone;
    request_hold(r);
    e->timer.fired = on_time;
    if (loop_timer_set(r->loop, &e->timer, loop_now_ms(r->loop) + ms) < 0)
        on_time(&e->timer);
}

void demo_embed(struct request *r)
{
    struct embedding *e = arena_new0(r->arena, struct embedding);
    const struct problem problem = problem_of(PROBLEM_INTERNAL);
    struct plan_fault fault;
    int outcome = -ENOMEM;

    if (e) {
        e->request = r;
        outcome = make_answer(e, &fault);
    }
    if (outcome < 0)
        request_fail(r, &problem);
    else if (outcome == PLAN_E_FAULT)
        demo_fail(r, &fault);
    else if (e->switches.delay_ms || e->switches.timeout)
        reply_later(e);
    else
        request_reply(r, &e->answer);
}
