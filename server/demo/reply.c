/* reply.c: see reply.h. Field by field what OpenAI's API reference shows (2026-11). */
#include "demo/reply.h"

#include <stdio.h>

#include "demo/dice.h"
#include "demo/token.h"
#include "json/write.h"

static void put_pair_int(struct json_writer *w, const char *key, int64_t v)
{
    json_key(w, key);
    json_int(w, v);
}

static void put_pair(struct json_writer *w, const char *key, struct str v)
{
    json_key(w, key);
    json_str(w, v);
}

static void put_usage(struct json_writer *w, const struct plan *p)
{
    json_open_object(w);
    put_pair_int(w, "prompt_tokens", (int64_t)p->prompt_tokens);
    put_pair_int(w, "completion_tokens", (int64_t)p->completion_tokens);
    put_pair_int(w, "total_tokens", (int64_t)(p->prompt_tokens + p->completion_tokens));
    json_key(w, "prompt_tokens_details");
    json_open_object(w);
    put_pair_int(w, "cached_tokens", 0);
    put_pair_int(w, "audio_tokens", 0);
    json_close_object(w);
    json_key(w, "completion_tokens_details");
    json_open_object(w);
    put_pair_int(w, "reasoning_tokens", 0);
    put_pair_int(w, "audio_tokens", 0);
    put_pair_int(w, "accepted_prediction_tokens", 0);
    put_pair_int(w, "rejected_prediction_tokens", 0);
    json_close_object(w);
    json_close_object(w);
}

static void put_head(struct json_writer *w, const struct plan *p, const char *object)
{
    put_pair(w, "id", str_c(p->id));
    put_pair(w, "object", str_c(object));
    put_pair_int(w, "created", p->created_s);
    put_pair(w, "model", p->model);
    put_pair(w, "service_tier", STR("default"));
    put_pair(w, "system_fingerprint", STR("fp_demo"));
}

/* A likelihood that follows from the token, so that it repeats: -0.0001 to -1.9999 ... */
static void put_likelihood(struct json_writer *w, struct str token, uint64_t rank)
{
    struct dice d = {0};
    char text[24];

    dice_stir(&d, token);
    dice_stir_u64(&d, rank);
    (void)snprintf(text, sizeof(text), "-%u.%04u", (unsigned)rank,
                   1 + (unsigned)dice_below(&d, 9999));
    json_key(w, "logprob");
    json_raw(w, str_c(text));
}

static void put_candidate(struct json_writer *w, struct str token, uint64_t rank)
{
    put_pair(w, "token", token);
    put_likelihood(w, token, rank);
    json_key(w, "bytes");
    json_open_array(w);
    for (size_t i = 0; i < token.n; i++)
        json_int(w, (unsigned char)token.p[i]);
    json_close_array(w);
}

static void put_token_logprobs(struct json_writer *w, const struct plan *p, struct str token)
{
    static const char *const others[] = {" the", " a", " and", " of", " is", ".", ",", " to"};

    json_open_object(w);
    put_candidate(w, token, 0);
    json_key(w, "top_logprobs");
    json_open_array(w);
    for (int64_t i = 0; i < p->top_logprobs; i++) {
        json_open_object(w);
        put_candidate(w, i ? str_c(others[(size_t)(i - 1) % ARRAY_LEN(others)]) : token,
                      (uint64_t)i);
        json_close_object(w);
    }
    json_close_array(w);
    json_close_object(w);
}

static void put_logprobs(struct json_writer *w, const struct plan *p, struct str text)
{
    json_key(w, "logprobs");
    if (!p->logprobs) {
        json_null(w);
        return;
    }
    json_open_object(w);
    json_key(w, "content");
    json_open_array(w);
    while (text.n) {
        size_t n = token_length(text);

        put_token_logprobs(w, p, str_n(text.p, n));
        text = str_n(text.p + n, text.n - n);
    }
    json_close_array(w);
    json_key(w, "refusal");
    json_null(w);
    json_close_object(w);
}

/* index < 0: without one, as in plain answers. */
static void put_call(struct json_writer *w, const struct choice *c, struct str arguments, int index)
{
    json_key(w, "tool_calls");
    json_open_array(w);
    json_open_object(w);
    if (index >= 0)
        put_pair_int(w, "index", index);
    put_pair(w, "id", c->call_id);
    put_pair(w, "type", STR("function"));
    json_key(w, "function");
    json_open_object(w);
    put_pair(w, "name", c->tool_name);
    put_pair(w, "arguments", arguments);
    json_close_object(w);
    json_close_object(w);
    json_close_array(w);
}

static void put_choice(struct json_writer *w, const struct plan *p, size_t i)
{
    const struct choice *c = &p->choices[i];

    json_open_object(w);
    put_pair_int(w, "index", (int64_t)i);
    json_key(w, "message");
    json_open_object(w);
    put_pair(w, "role", STR("assistant"));
    json_key(w, "content");
    if (c->tool_name.p)
        json_null(w);
    else
        json_str(w, c->text);
    json_key(w, "refusal");
    json_null(w);
    if (c->tool_name.p)
        put_call(w, c, c->text, -1);
    json_close_object(w);
    put_logprobs(w, p, c->tool_name.p ? STR("") : c->text);
    put_pair(w, "finish_reason", str_c(c->finish_reason));
    json_close_object(w);
}

void reply_whole(const struct plan *p, struct buf *out)
{
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    put_head(&w, p, "chat.completion");
    json_key(&w, "choices");
    json_open_array(&w);
    for (size_t i = 0; i < p->n_choices; i++)
        put_choice(&w, p, i);
    json_close_array(&w);
    if (!p->switches.no_usage) {
        json_key(&w, "usage");
        put_usage(&w, p);
    }
    json_close_object(&w);
}

static void open_event(struct json_writer *w, const struct plan *p, struct buf *out)
{
    buf_puts(out, "data: ");
    json_begin(w, out);
    json_open_object(w);
    put_head(w, p, "chat.completion.chunk");
    json_key(w, "choices");
    json_open_array(w);
}

static void close_event(struct json_writer *w, const struct plan *p, struct buf *out, bool usage)
{
    json_close_array(w);
    if (p->include_usage) {
        json_key(w, "usage");
        if (usage)
            put_usage(w, p);
        else
            json_null(w);
    }
    json_close_object(w);
    buf_puts(out, "\n\n");
}

static void put_delta(struct json_writer *w, const struct events *e, struct str piece)
{
    const struct choice *c = &e->plan->choices[e->choice];

    json_key(w, "delta");
    json_open_object(w);
    if (e->stage == EVENTS_ROLES) {
        put_pair(w, "role", STR("assistant"));
        json_key(w, "content");
        if (c->tool_name.p)
            json_null(w);
        else
            json_str(w, STR(""));
        if (c->tool_name.p)
            put_call(w, c, STR(""), 0);
    } else if (e->stage == EVENTS_TOKENS && c->tool_name.p) {
        json_key(w, "tool_calls");
        json_open_array(w);
        json_open_object(w);
        put_pair_int(w, "index", 0);
        json_key(w, "function");
        json_open_object(w);
        put_pair(w, "arguments", piece);
        json_close_object(w);
        json_close_object(w);
        json_close_array(w);
    } else if (e->stage == EVENTS_TOKENS) {
        put_pair(w, "content", piece);
    }
    json_close_object(w);
}

static void put_event(const struct events *e, struct str piece, struct buf *out)
{
    const struct plan *p = e->plan;
    const struct choice *c = &p->choices[e->choice];
    struct json_writer w;

    open_event(&w, p, out);
    json_open_object(&w);
    put_pair_int(&w, "index", (int64_t)e->choice);
    put_delta(&w, e, piece);
    put_logprobs(&w, p, c->tool_name.p ? STR("") : piece);
    json_key(&w, "finish_reason");
    if (e->stage == EVENTS_REASONS)
        json_cstr(&w, c->finish_reason);
    else
        json_null(&w);
    json_close_object(&w);
    close_event(&w, p, out, false);
}

/* The next choice in turn with text left; false when none has any. */
static bool find_text(struct events *e)
{
    for (size_t i = 0; i < e->plan->n_choices; i++) {
        size_t choice = (e->choice + i) % e->plan->n_choices;

        if (e->at[choice] < e->plan->choices[choice].text.n) {
            e->choice = choice;
            return true;
        }
    }
    return false;
}

static void put_token(struct events *e, struct buf *out)
{
    const struct choice *c = &e->plan->choices[e->choice];
    size_t *at = &e->at[e->choice];
    struct str piece = str_n(c->text.p + *at, c->text.n - *at);

    piece.n = token_length(piece);
    *at += piece.n;
    if (e->tokens++ == 1 && e->plan->switches.bad_json)
        buf_puts(out, "data: {\"id\":\"chatcmpl-demo\",\"choices\":[{\"delta\":\n\n");
    else
        put_event(e, piece, out);
    e->choice = (e->choice + 1) % e->plan->n_choices;
}

/* An event for each choice; then the next stage. */
static void put_for_each(struct events *e, struct buf *out)
{
    put_event(e, STR(""), out);
    if (++e->choice < e->plan->n_choices)
        return;
    e->choice = 0;
    e->stage++;
}

bool events_next(struct events *e, struct buf *out)
{
    struct json_writer w;

    if (e->stage == EVENTS_TOKENS && !find_text(e)) {
        e->choice = 0;
        e->stage = EVENTS_REASONS;
    }
    if (e->stage == EVENTS_USAGE && !e->plan->include_usage)
        e->stage = EVENTS_DONE;
    switch (e->stage) {
    case EVENTS_ROLES:
    case EVENTS_REASONS:
        put_for_each(e, out);
        return true;
    case EVENTS_TOKENS:
        put_token(e, out);
        return true;
    case EVENTS_USAGE:
        open_event(&w, e->plan, out);
        close_event(&w, e->plan, out, true);
        e->stage = EVENTS_DONE;
        return true;
    case EVENTS_DONE:
        buf_puts(out, "data: [DONE]\n\n");
        e->stage = EVENTS_OVER;
        return true;
    case EVENTS_OVER:
        return false;
    }
    return false;
}
