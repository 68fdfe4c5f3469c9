/* logprobs.c: how likely each token was: Google's logprobsResult as OpenAI's logprobs, and back.
 *
 * Source: "LogprobsResult" of Google's reference (ai.google.dev/api/generate-content). Odd: the tokens
 * that were chosen and those that could have been stand in two lists, one entry a step each; OpenAI
 * has the bytes of a token, which may be null, and Google its id, which may be left out. A figure of
 * 0 is not written there. There are many of them, so they are read without their paths. */
#include "base/bounds.h"
#include "translation/gemini/gemini.h"
#include "translation/put.h"
#include "translation/tree.h"

static struct str figure_of(const struct json_object *token, const char *name)
{
    const struct json_object *v = json_get(token, name);
    bool number = v && (json_kind(v) == JSON_INT || json_kind(v) == JSON_NUMBER);

    return number ? json_text(v) : STR("0");
}

/* The members of a token in OpenAI's form. */
static void token_read(struct json_writer *w, const struct json_object *token)
{
    put_text(w, "token", json_text(json_get(token, "token")));
    put_raw(w, "logprob", figure_of(token, "logProbability"));
    json_key(w, "bytes");
    json_null(w);
}

static void step_read(struct json_writer *w, const struct json_object *chosen,
                      const struct json_object *others)
{
    const struct json_object *list = json_get(others, "candidates");

    json_open_object(w);
    token_read(w, chosen);
    json_key(w, "top_logprobs");
    json_open_array(w);
    for (size_t i = 0; i < json_length(list); i++) {
        json_open_object(w);
        token_read(w, json_at(list, i));
        json_close_object(w);
    }
    json_close_array(w);
    json_close_object(w);
}

struct str gemini_read_logprobs(struct tree *t, struct node candidate)
{
    struct node result = tree_object(t, candidate, "logprobsResult");
    struct node chosen = tree_array(t, result, "chosenCandidates");
    struct node others = tree_array(t, result, "topCandidates");
    struct str text = STR_NONE;
    struct json_writer w;
    struct buf out;

    if (!node_length(chosen))
        return STR_NONE;
    buf_init(&out, BOUND_UPSTREAM_REPLY_BYTES);
    json_begin(&w, &out);
    json_open_object(&w);
    json_key(&w, "content");
    json_open_array(&w);
    for (size_t i = 0; i < node_length(chosen); i++)
        step_read(&w, json_at(chosen.v, i), json_at(others.v, i));
    json_close_array(&w);
    json_close_object(&w);
    if (buf_finish(&out) == 0)
        text = arena_str(t->a, buf_str(&out));
    buf_done(&out);
    return text;
}

/* --- writing --- */

static void put_token(struct json_writer *w, const struct json_object *token)
{
    json_open_object(w);
    put_text(w, "token", json_text(json_get(token, "token")));
    put_raw(w, "logProbability", figure_of(token, "logprob"));
    json_close_object(w);
}

/* The list is there where it was asked for. */
static void put_others(struct json_writer *w, const struct json_object *content)
{
    size_t all = 0;

    for (size_t i = 0; i < json_length(content); i++)
        all += json_length(json_get(json_at(content, i), "top_logprobs"));
    if (!all)
        return;
    json_key(w, "topCandidates");
    json_open_array(w);
    for (size_t i = 0; i < json_length(content); i++) {
        const struct json_object *top = json_get(json_at(content, i), "top_logprobs");

        json_open_object(w);
        json_key(w, "candidates");
        json_open_array(w);
        for (size_t k = 0; k < json_length(top); k++)
            put_token(w, json_at(top, k));
        json_close_array(w);
        json_close_object(w);
    }
    json_close_array(w);
}

void gemini_put_logprobs(struct json_writer *w, struct str logprobs)
{
    _cleanup_json_ struct json_object *o = NULL;
    const struct json_object *content;
    struct json_fault fault;

    if (!logprobs.p || json_parse(logprobs, &o, &fault) != JSON_OK)
        return;
    content = json_get(o, "content");
    if (!json_length(content))
        return;
    json_key(w, "logprobsResult");
    json_open_object(w);
    json_key(w, "chosenCandidates");
    json_open_array(w);
    for (size_t i = 0; i < json_length(content); i++)
        put_token(w, json_at(content, i));
    json_close_array(w);
    put_others(w, content);
    json_close_object(w);
}
