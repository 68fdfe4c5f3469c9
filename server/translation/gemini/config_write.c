/* config_write.c: the tools and settings of a generateContent request. */
#include "translation/gemini/gemini.h"
#include "translation/put.h"

static void declaration(struct json_writer *w, const struct chat_tool *t, bool own,
                        struct chat_losses *losses)
{
    json_open_object(w);
    put_text(w, "name", t->name);
    put_text(w, "description", t->description);
    if (own && t->own_schema.p)
        put_raw(w, "parameters", t->own_schema);
    else
        put_raw(w, "parametersJsonSchema", t->schema);
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
    static const char *const modes[] = {[CHAT_CHOICE_AUTO] = "AUTO", [CHAT_CHOICE_NONE] = "NONE",
                                        [CHAT_CHOICE_ANY] = "ANY", [CHAT_CHOICE_NAMED] = "ANY"};

    if (r->choice == CHAT_CHOICE_DEFAULT)
        return;
    json_key(w, "toolConfig");
    json_open_object(w);
    json_key(w, "functionCallingConfig");
    json_open_object(w);
    put_word(w, "mode", modes[r->choice]);
    if (r->choice == CHAT_CHOICE_NAMED) {
        json_key(w, "allowedFunctionNames");
        json_open_array(w);
        json_str(w, r->choice_name);
        json_close_array(w);
    }
    json_close_object(w);
    json_close_object(w);
}

static void declarations(struct json_writer *w, const struct chat_request *r, bool own,
                         struct chat_losses *losses)
{
    bool any = false;

    for (size_t i = 0; i < r->n_tools; i++) {
        if (r->tools[i].raw.p)
            continue;
        if (!any) {
            json_open_object(w);
            json_key(w, "functionDeclarations");
            json_open_array(w);
        }
        any = true;
        declaration(w, &r->tools[i], own, losses);
    }
    if (!any)
        return;
    json_close_array(w);
    json_close_object(w);
}

void gemini_put_tools(struct json_writer *w, const struct chat_request *r, bool own,
                      struct chat_losses *losses)
{
    if (!own)
        chat_lose_own_tools(losses, r);
    if (own ? r->n_tools : chat_plain_tools(r)) {
        json_key(w, "tools");
        json_open_array(w);
        declarations(w, r, own, losses);
        for (size_t i = 0; own && i < r->n_tools; i++)
            if (r->tools[i].raw.p)
                json_raw(w, r->tools[i].raw);
        json_close_array(w);
    }
    if (own)
        put_raw(w, "toolConfig", r->choice_raw);
    else if (chat_plain_tools(r))
        choice(w, r);
}

/* --- settings --- */

static void format(struct json_writer *w, const struct chat_format *f, bool own)
{
    if (f->kind == CHAT_FORMAT_JSON || f->kind == CHAT_FORMAT_SCHEMA)
        put_word(w, "responseMimeType", "application/json");
    else if (f->kind == CHAT_FORMAT_TEXT)
        put_word(w, "responseMimeType", "text/plain");
    if (f->kind != CHAT_FORMAT_SCHEMA)
        return;
    if (own && f->own_schema.p)
        put_raw(w, "responseSchema", f->own_schema);
    else
        put_raw(w, "responseJsonSchema", f->schema);
}

static const struct {
    enum chat_setting which;
    const char *name;
} has[] = {
    {CHAT_SET_TEMPERATURE, "temperature"},
    {CHAT_SET_TOP_P, "topP"},
    {CHAT_SET_TOP_K, "topK"},
    {CHAT_SET_CHOICES, "candidateCount"},
    {CHAT_SET_PRESENCE_PENALTY, "presencePenalty"},
    {CHAT_SET_FREQUENCY_PENALTY, "frequencyPenalty"},
    {CHAT_SET_SEED, "seed"},
    {CHAT_SET_LOGPROBS, "responseLogprobs"},
    {CHAT_SET_TOP_LOGPROBS, "logprobs"},
};

static void settings(struct json_writer *w, const struct chat_request *r, bool own,
                     struct chat_losses *losses)
{
    bool written[CHAT_SETTINGS] = {[CHAT_SET_SAFETY] = true};

    for (size_t i = 0; i < ARRAY_LEN(has); i++) {
        written[has[i].which] = true;
        put_raw(w, has[i].name, r->setting[has[i].which].raw);
    }
    if (own) {
        put_raw(w, "responseModalities", r->setting[CHAT_SET_MODALITIES].raw);
        written[CHAT_SET_MODALITIES] = true;
    }
    for (size_t i = 0; i < CHAT_SETTINGS; i++)
        if (!written[i])
            chat_lose_setting(losses, r, (enum chat_setting)i);
}

static void limits(struct json_writer *w, const struct chat_request *r,
                   const struct chat_target *target)
{
    int64_t limit = r->output_limit > 0 ? r->output_limit : target->output_limit;

    if (limit > 0)
        put_int(w, "maxOutputTokens", limit);
    if (!r->n_stops)
        return;
    json_key(w, "stopSequences");
    json_open_array(w);
    for (size_t i = 0; i < r->n_stops; i++)
        json_str(w, r->stops[i]);
    json_close_array(w);
}

void gemini_put_config(struct json_writer *w, const struct chat_request *r,
                       const struct chat_target *target, bool own, struct chat_losses *losses)
{
    json_key(w, "generationConfig");
    json_open_object(w);
    settings(w, r, own, losses);
    limits(w, r, target);
    format(w, &r->format, own);
    gemini_put_thinking(w, &r->reasoning, target->model, own, losses);
    if (own)
        put_extras(w, &r->config);
    else
        chat_lose_extras(losses, &r->config);
    json_close_object(w);
    put_raw(w, "safetySettings", r->setting[CHAT_SET_SAFETY].raw);
    if (!own)
        chat_lose_extras(losses, &r->metadata);
}
