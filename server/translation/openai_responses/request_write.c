/* request_write.c: a request in the Responses format. The gateway keeps answers itself, so a provider
 * is asked to keep none unless its own client said so. */
#include "translation/openai_chat/neutral.h"
#include "translation/openai_responses/responses.h"
#include "translation/put.h"

static void tool(struct json_writer *w, const struct chat_tool *t, bool own,
                 struct chat_losses *losses)
{
    if (t->raw.p) {
        if (own)
            json_raw(w, t->raw);
        return;
    }
    json_open_object(w);
    put_word(w, "type", "function");
    put_text(w, "name", t->name);
    put_text(w, "description", t->description);
    if (t->schema.p || !own) {
        json_key(w, "parameters");
        json_raw(w, t->schema.p ? t->schema : STR("{\"type\":\"object\",\"properties\":{}}"));
    }
    /* Strict is the default here and nowhere else. */
    put_flag(w, "strict", own || t->strict >= 0 ? t->strict : 0);
    if (own)
        put_extras(w, &t->extra);
    else
        chat_lose_extras(losses, &t->extra);
    if (!own)
        chat_lose_extras(losses, &t->outer);
    json_close_object(w);
}

static void choice(struct json_writer *w, const struct chat_request *r)
{
    static const char *const words[] = {[CHAT_CHOICE_AUTO] = "auto", [CHAT_CHOICE_NONE] = "none",
                                        [CHAT_CHOICE_ANY] = "required"};

    if (r->choice == CHAT_CHOICE_DEFAULT)
        return;
    if (r->choice != CHAT_CHOICE_NAMED) {
        put_word(w, "tool_choice", words[r->choice]);
        return;
    }
    json_key(w, "tool_choice");
    json_open_object(w);
    put_word(w, "type", "function");
    put_text(w, "name", r->choice_name);
    json_close_object(w);
}

static void tools(struct json_writer *w, const struct chat_request *r, bool own,
                  struct chat_losses *losses)
{
    if (!own)
        chat_lose_own_tools(losses, r);
    if (own ? r->n_tools : chat_plain_tools(r)) {
        json_key(w, "tools");
        json_open_array(w);
        for (size_t i = 0; i < r->n_tools; i++)
            tool(w, &r->tools[i], own, losses);
        json_close_array(w);
    }
    if (own && r->choice_raw.p)
        put_raw(w, "tool_choice", r->choice_raw);
    else if (chat_plain_tools(r) || own)
        choice(w, r);
}

static void text(struct json_writer *w, const struct chat_request *r, bool own)
{
    static const char *const types[] = {[CHAT_FORMAT_TEXT] = "text",
                                        [CHAT_FORMAT_JSON] = "json_object",
                                        [CHAT_FORMAT_SCHEMA] = "json_schema"};
    const struct chat_format *f = &r->format;
    struct str verbosity = r->setting[CHAT_SET_VERBOSITY].raw;

    if (f->kind == CHAT_FORMAT_DEFAULT && !verbosity.p && !(own && r->config.n))
        return;
    json_key(w, "text");
    json_open_object(w);
    if (f->kind != CHAT_FORMAT_DEFAULT) {
        json_key(w, "format");
        json_open_object(w);
        put_word(w, "type", types[f->kind]);
        if (f->kind == CHAT_FORMAT_SCHEMA) {
            put_text(w, "name", f->name.p ? f->name : STR("answer"));
            put_text(w, "description", f->description);
            put_raw(w, "schema", f->schema);
            put_flag(w, "strict", f->strict);
        }
        json_close_object(w);
    }
    put_raw(w, "verbosity", verbosity);
    if (own)
        put_extras(w, &r->config);
    json_close_object(w);
}

static void reasoning(struct json_writer *w, const struct chat_request *r,
                      const struct chat_target *target, bool own, struct chat_losses *losses)
{
    const struct chat_reasoning *why = &r->reasoning;
    const char *effort = openai_effort(r, target, losses);
    int shown = target->reasons == CHAT_REASONS_NOT ? -1 : why->shown;

    if (!own) {
        chat_lose_extras(losses, &why->extra);
        if (why->word.p)
            chat_lose(losses, why->path);
    }
    if (!effort && shown < 0 && !(own && (why->word.p || why->extra.n)))
        return;
    json_key(w, "reasoning");
    json_open_object(w);
    put_word(w, "effort", effort);
    if (own)
        put_text(w, "effort", why->word);
    if (why->summary.p)
        put_text(w, "summary", why->summary);
    else if (shown > 0)
        put_word(w, "summary", "auto");
    if (own)
        put_extras(w, &why->extra);
    json_close_object(w);
}

static const char *const names[CHAT_SETTINGS] = {
    [CHAT_SET_TEMPERATURE] = "temperature",
    [CHAT_SET_TOP_P] = "top_p",
    [CHAT_SET_TOP_LOGPROBS] = "top_logprobs",
    [CHAT_SET_PARALLEL_TOOLS] = "parallel_tool_calls",
    [CHAT_SET_USER] = "user",
    [CHAT_SET_METADATA] = "metadata",
    [CHAT_SET_CACHE_KEY] = "prompt_cache_key",
};

static void settings(struct json_writer *w, const struct chat_request *r, bool own,
                     struct chat_losses *losses)
{
    for (size_t i = 0; i < CHAT_SETTINGS; i++) {
        if (names[i])
            put_raw(w, names[i], r->setting[i].raw);
        else if (i == CHAT_SET_SERVICE_TIER)
            openai_put_tier(w, r, losses);
        else if (i != CHAT_SET_VERBOSITY && i != CHAT_SET_STORE)
            chat_lose_setting(losses, r, (enum chat_setting)i);
    }
    if (own)
        put_raw(w, "store", r->setting[CHAT_SET_STORE].raw);
    else
        put_flag(w, "store", 0);
}

void responses_put_options(struct json_writer *w, const struct chat_request *r,
                           const struct chat_target *target, bool own, struct chat_losses *losses)
{
    int64_t limit = r->output_limit > 0 ? r->output_limit : target->output_limit;

    if (limit > 0)
        put_int(w, "max_output_tokens", limit);
    put_flag(w, "stream", r->stream ? 1 : -1);
    tools(w, r, own, losses);
    text(w, r, own);
    reasoning(w, r, target, own, losses);
    settings(w, r, own, losses);
    if (r->n_stops)
        chat_lose(losses, r->stops_path);
}

void responses_write_request(const struct chat_request *request, const struct chat_target *target,
                             struct buf *out, struct chat_losses *losses)
{
    bool own = strcmp(request->wire, "openai_responses") == 0;
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    put_text(&w, "model", target->model);
    responses_put_messages(&w, request, own, losses);
    responses_put_options(&w, request, target, own, losses);
    if (own) {
        put_extras(&w, &request->extra);
    } else {
        /* Models without thoughts refuse it: "Encrypted content is not supported with this model." */
        if (target->reasons != CHAT_REASONS_NOT)
            put_raw(&w, "include", STR("[\"reasoning.encrypted_content\"]"));
        chat_lose_extras(losses, &request->extra);
        chat_lose_extras(losses, &request->config);
        chat_lose_extras(losses, &request->metadata);
    }
    json_close_object(&w);
}
