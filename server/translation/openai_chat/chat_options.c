/* chat_options.c: everything of an OpenAI chat request but its model and messages. */
#include "translation/openai_chat/neutral.h"

#include "translation/put.h"

/* As chat_read.c reads them; p NULL in the table: OpenAI has no such setting. */
static const char *const names[CHAT_SETTINGS] = {
    [CHAT_SET_TEMPERATURE] = "temperature",
    [CHAT_SET_TOP_P] = "top_p",
    [CHAT_SET_TOP_K] = "top_k",
    [CHAT_SET_MIN_P] = "min_p",
    [CHAT_SET_FREQUENCY_PENALTY] = "frequency_penalty",
    [CHAT_SET_PRESENCE_PENALTY] = "presence_penalty",
    [CHAT_SET_REPETITION_PENALTY] = "repetition_penalty",
    [CHAT_SET_SEED] = "seed",
    [CHAT_SET_CHOICES] = "n",
    [CHAT_SET_LOGPROBS] = "logprobs",
    [CHAT_SET_TOP_LOGPROBS] = "top_logprobs",
    [CHAT_SET_LOGIT_BIAS] = "logit_bias",
    [CHAT_SET_PARALLEL_TOOLS] = "parallel_tool_calls",
    [CHAT_SET_USER] = "user",
    [CHAT_SET_METADATA] = "metadata",
    [CHAT_SET_VERBOSITY] = "verbosity",
    [CHAT_SET_STORE] = "store",
    [CHAT_SET_CACHE_KEY] = "prompt_cache_key",
    [CHAT_SET_MODALITIES] = "modalities",
};

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
    json_key(w, "function");
    json_open_object(w);
    put_text(w, "name", t->name);
    put_text(w, "description", t->description);
    put_raw(w, "parameters", t->schema);
    put_flag(w, "strict", t->strict);
    if (own)
        put_extras(w, &t->extra);
    else
        chat_lose_extras(losses, &t->extra);
    json_close_object(w);
    if (own)
        openai_put_cache(w, t->cache);
    if (own)
        put_extras(w, &t->outer);
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
    json_key(w, "function");
    json_open_object(w);
    put_text(w, "name", r->choice_name);
    json_close_object(w);
    json_close_object(w);
}

static void format(struct json_writer *w, const struct chat_format *f)
{
    static const char *const types[] = {[CHAT_FORMAT_TEXT] = "text",
                                        [CHAT_FORMAT_JSON] = "json_object",
                                        [CHAT_FORMAT_SCHEMA] = "json_schema"};

    if (f->kind == CHAT_FORMAT_DEFAULT)
        return;
    json_key(w, "response_format");
    json_open_object(w);
    put_word(w, "type", types[f->kind]);
    if (f->kind == CHAT_FORMAT_SCHEMA) {
        json_key(w, "json_schema");
        json_open_object(w);
        put_text(w, "name", f->name.p ? f->name : STR("answer"));
        put_text(w, "description", f->description);
        put_raw(w, "schema", f->schema);
        put_flag(w, "strict", f->strict);
        json_close_object(w);
    }
    json_close_object(w);
}

/* A budget of tokens as the nearest effort: the shares that OpenRouter's documentation gives
 * (low 20 %, medium 50 %, high 80 % of the output limit), taken backwards. Both may be any number that
 * a client writes, hence the width. */
enum chat_effort openai_effort_of(const struct chat_request *r)
{
    __int128 limit = r->output_limit > 0 ? r->output_limit : 32000, budget = r->reasoning.budget;

    if (r->reasoning.effort != CHAT_EFFORT_DEFAULT || budget < 0)
        return r->reasoning.effort;
    if (budget == 0)
        return CHAT_EFFORT_NONE;
    if (budget * 100 < limit * 35)
        return CHAT_EFFORT_LOW;
    return budget * 100 < limit * 65 ? CHAT_EFFORT_MEDIUM : CHAT_EFFORT_HIGH;
}

const char *openai_effort(const struct chat_request *r, const struct chat_target *target,
                          struct chat_losses *losses)
{
    enum chat_effort effort = openai_effort_of(r);
    bool unsaid = effort == CHAT_EFFORT_NONE && r->reasoning.effort != effort;

    if (target->reasons == CHAT_REASONS_NOT) {
        if (effort > CHAT_EFFORT_NONE)
            chat_lose(losses, r->reasoning.path);
        return NULL;
    }
    if (unsaid && target->reasons == CHAT_REASONS_UNKNOWN && target->plain_openai)
        return NULL;
    return openai_effort_word(effort);
}

static void limits(struct json_writer *w, const struct chat_request *r,
                   const struct chat_target *target)
{
    int64_t limit = r->output_limit > 0 ? r->output_limit : target->output_limit;

    if (limit > 0)
        put_int(w, target->limit_name ? target->limit_name : "max_completion_tokens", limit);
    put_stops(w, r);
}

static void streaming(struct json_writer *w, const struct chat_request *r,
                      const struct chat_target *target)
{
    if (!r->stream)
        return;
    put_flag(w, "stream", 1);
    if (!target->ask_usage)
        return;
    json_key(w, "stream_options");
    json_open_object(w);
    put_flag(w, "include_usage", 1);
    json_close_object(w);
}

void openai_put_tier(struct json_writer *w, const struct chat_request *r, struct chat_losses *losses)
{
    struct str raw = r->setting[CHAT_SET_SERVICE_TIER].raw;
    enum service_tier tier;

    if (str_starts(str_c(r->wire), STR("openai_")))
        put_raw(w, "service_tier", raw);
    else if (raw.p && chat_tier(raw, &tier) && tier != SERVICE_STANDARD)
        put_word(w, "service_tier", service_tier_name(tier)); /* as OpenAI calls them */
    else
        chat_lose_setting(losses, r, CHAT_SET_SERVICE_TIER);
}

/* What vLLM, OpenRouter and others take beside OpenAI's own settings. */
static bool is_of_hosts(enum chat_setting which)
{
    return which == CHAT_SET_TOP_K || which == CHAT_SET_MIN_P ||
           which == CHAT_SET_REPETITION_PENALTY;
}

void openai_chat_put_options(struct json_writer *w, const struct chat_request *r,
                             const struct chat_target *target, struct chat_losses *losses)
{
    bool own = strcmp(r->wire, "openai_chat") == 0;

    chat_lose_extras(losses, &r->config);
    chat_lose_extras(losses, &r->metadata);
    chat_lose_extras(losses, &r->reasoning.extra);
    if (!own)
        chat_lose_own_tools(losses, r);
    if (own ? r->n_tools : chat_plain_tools(r)) {
        json_key(w, "tools");
        json_open_array(w);
        for (size_t i = 0; i < r->n_tools; i++)
            tool(w, &r->tools[i], own, losses);
        json_close_array(w);
        choice(w, r);
    }
    format(w, &r->format);
    put_word(w, "reasoning_effort", openai_effort(r, target, losses));
    if (own)
        put_text(w, "reasoning_effort", r->reasoning.word);
    else if (r->reasoning.word.p)
        chat_lose(losses, r->reasoning.path);
    limits(w, r, target);
    streaming(w, r, target);
    for (size_t i = 0; i < CHAT_SETTINGS; i++) {
        if (names[i] && !(target->plain_openai && is_of_hosts((enum chat_setting)i)))
            put_raw(w, names[i], r->setting[i].raw);
        else if (i == CHAT_SET_SERVICE_TIER)
            openai_put_tier(w, r, losses);
        else
            chat_lose_setting(losses, r, (enum chat_setting)i);
    }
}
