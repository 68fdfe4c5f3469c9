/* options.c: a Converse request: what stands beside its turns. */
#include "base/money.h"
#include "translation/anthropic_messages/messages.h"
#include "translation/bedrock_converse/converse.h"
#include "translation/put.h"
#include "translation/tree.h"

static void tool(struct tree *t, struct node at, struct chat_tool *ret)
{
    static const char *const of_tool[] = {"name", "description", "inputSchema", "strict", NULL};
    struct node spec = tree_object(t, at, "toolSpec");

    *ret = (struct chat_tool){.path = at.path, .strict = -1};
    if (!node_given(spec)) {
        ret->raw = node_raw(t, at);
        return;
    }
    ret->name = tree_needs_text(t, spec, "name");
    ret->description = tree_text(t, spec, "description");
    ret->schema = node_raw(t, node_get(t, tree_object(t, spec, "inputSchema"), "json"));
    ret->strict = tree_bool(t, spec, "strict");
    ret->extra = tree_extras(t, spec, of_tool);
}

static void read_choice(struct tree *t, struct node config, struct chat_request *ret)
{
    struct node at = tree_object(t, config, "toolChoice"), named = tree_object(t, at, "tool");

    ret->choice_path = at.path;
    if (node_given(named)) {
        ret->choice = CHAT_CHOICE_NAMED;
        ret->choice_name = tree_needs_text(t, named, "name");
    } else if (node_given(node_get(t, at, "any"))) {
        ret->choice = CHAT_CHOICE_ANY;
    } else if (node_given(node_get(t, at, "auto"))) {
        ret->choice = CHAT_CHOICE_AUTO;
    }
}

static const struct tree_setting settings[] = {{CHAT_SET_TEMPERATURE, "temperature"},
                                               {CHAT_SET_TOP_P, "topP"}};

void converse_read_options(struct tree *t, struct node root, struct chat_request *ret)
{
    static const char *const known[] = {"system", "messages", "inferenceConfig", "toolConfig",
                                        NULL};
    static const char *const of_config[] = {"maxTokens", "stopSequences", "temperature", "topP",
                                            NULL};
    struct node config = tree_object(t, root, "inferenceConfig");
    struct node stops = tree_array(t, config, "stopSequences");
    struct node tools = tree_array(t, tree_object(t, root, "toolConfig"), "tools");

    ret->output_limit = tree_int(t, config, "maxTokens", 1, -1);
    ret->stops_path = stops.path;
    ret->stops = tree_array_of(t, struct str, node_length(stops));
    for (size_t i = 0; i < node_length(stops) && !tree_failed(t); i++)
        ret->stops[ret->n_stops++] = node_text(t, node_at(t, stops, i));
    ret->tools = tree_array_of(t, struct chat_tool, node_length(tools));
    for (size_t i = 0; i < node_length(tools) && !tree_failed(t); i++)
        tool(t, node_at(t, tools, i), &ret->tools[ret->n_tools++]);
    read_choice(t, tree_object(t, root, "toolConfig"), ret);
    tree_settings(t, config, settings, ARRAY_LEN(settings), ret->setting);
    ret->config = tree_extras(t, config, of_config);
    ret->extra = tree_extras(t, root, known);
}

/* --- writing --- */

static void put_tool(struct json_writer *w, const struct chat_tool *t, bool own,
                     struct chat_losses *losses)
{
    if (t->raw.p) {
        if (own)
            json_raw(w, t->raw);
        return;
    }
    json_open_object(w);
    json_key(w, "toolSpec");
    json_open_object(w);
    put_text(w, "name", t->name);
    put_text(w, "description", t->description);
    json_key(w, "inputSchema");
    json_open_object(w);
    put_raw(w, "json", t->schema.p ? t->schema : STR("{\"type\":\"object\",\"properties\":{}}"));
    json_close_object(w);
    put_flag(w, "strict", own || t->strict > 0 ? t->strict : -1);
    if (own)
        put_extras(w, &t->extra);
    else
        chat_lose_extras(losses, &t->extra);
    json_close_object(w);
    json_close_object(w);
    if (!own)
        chat_lose_extras(losses, &t->outer);
    if (t->cache.p && !own)
        json_raw(w, STR("{\"cachePoint\":{\"type\":\"default\"}}"));
}

static void put_choice(struct json_writer *w, const struct chat_request *r)
{
    if (r->choice == CHAT_CHOICE_DEFAULT)
        return;
    json_key(w, "toolChoice");
    json_open_object(w);
    if (r->choice == CHAT_CHOICE_NAMED) {
        json_key(w, "tool");
        json_open_object(w);
        put_text(w, "name", r->choice_name);
        json_close_object(w);
    } else {
        put_raw(w, r->choice == CHAT_CHOICE_ANY ? "any" : "auto", STR("{}"));
    }
    json_close_object(w);
}

/* There is no way to say that no tool may be called but to name none; where calls stand in the
 * messages they have to be named, so then it is lost. */
static void put_tools(struct json_writer *w, const struct chat_request *r, bool own,
                      struct chat_losses *losses)
{
    bool none = r->choice == CHAT_CHOICE_NONE;

    if (!own)
        chat_lose_own_tools(losses, r);
    if (!own && none && chat_plain_tools(r))
        chat_lose(losses, r->choice_path);
    if (!(own ? r->n_tools : chat_plain_tools(r)))
        return;
    json_key(w, "toolConfig");
    json_open_object(w);
    json_key(w, "tools");
    json_open_array(w);
    for (size_t i = 0; i < r->n_tools; i++)
        put_tool(w, &r->tools[i], own, losses);
    json_close_array(w);
    if (!none)
        put_choice(w, r);
    json_close_object(w);
}

static void put_inference(struct json_writer *w, const struct chat_request *r,
                          const struct chat_target *target, bool own)
{
    int64_t limit = r->output_limit > 0 ? r->output_limit : target->output_limit;

    json_key(w, "inferenceConfig");
    json_open_object(w);
    if (limit > 0)
        put_int(w, "maxTokens", limit);
    if (own || !target->no_sampling) {
        put_raw(w, "temperature", r->setting[CHAT_SET_TEMPERATURE].raw);
        put_raw(w, "topP", r->setting[CHAT_SET_TOP_P].raw);
    }
    if (r->n_stops) {
        json_key(w, "stopSequences");
        json_open_array(w);
        for (size_t i = 0; i < r->n_stops; i++)
            json_str(w, r->stops[i]);
        json_close_array(w);
    }
    if (own)
        put_extras(w, &r->config);
    json_close_object(w);
}

/* The schema goes as text, a string within the JSON. */
static void put_format(struct json_writer *w, const struct chat_format *f,
                       struct chat_losses *losses)
{
    if (f->kind == CHAT_FORMAT_JSON || (f->kind == CHAT_FORMAT_SCHEMA && !f->schema.p))
        chat_lose(losses, f->path);
    if (f->kind != CHAT_FORMAT_SCHEMA || !f->schema.p)
        return;
    json_key(w, "outputConfig");
    json_open_object(w);
    json_key(w, "textFormat");
    json_open_object(w);
    put_word(w, "type", "json_schema");
    json_key(w, "structure");
    json_open_object(w);
    json_key(w, "jsonSchema");
    json_open_object(w);
    put_text(w, "name", f->name.p ? f->name : STR("answer"));
    put_text(w, "schema", f->schema);
    json_close_object(w);
    json_close_object(w);
    json_close_object(w);
    json_close_object(w);
}

/* As Anthropic has it, at the root beside `thinking` (Amazon Bedrock user guide, "Adaptive thinking"). */
static void put_effort(struct json_writer *w, enum chat_effort effort)
{
    const char *word = anthropic_effort_word(effort);

    if (!word)
        return;
    json_key(w, "output_config");
    json_open_object(w);
    put_word(w, "effort", word);
    json_close_object(w);
}

/* What Converse has no member for goes to the model as its own: Anthropic's names, whose models
 * alone think by a budget there. */
static void put_additional(struct json_writer *w, const struct chat_request *r,
                           const struct chat_target *target, struct chat_losses *losses)
{
    const struct chat_reasoning *why = &r->reasoning;
    struct str top_k = r->setting[CHAT_SET_TOP_K].raw;
    bool adaptive = target->adaptive && (why->adaptive || why->effort > CHAT_EFFORT_NONE);

    if (why->word.p || (!adaptive && why->budget <= 0 && why->effort > CHAT_EFFORT_NONE))
        chat_lose(losses, why->path);
    chat_lose_extras(losses, &why->extra);
    if (!top_k.p && !adaptive && why->budget <= 0)
        return;
    json_key(w, "additionalModelRequestFields");
    json_open_object(w);
    put_raw(w, "top_k", top_k);
    if (adaptive || why->budget > 0) {
        json_key(w, "thinking");
        json_open_object(w);
        put_word(w, "type", adaptive ? "adaptive" : "enabled");
        if (!adaptive)
            put_int(w, "budget_tokens", why->budget);
        json_close_object(w);
    }
    if (adaptive)
        put_effort(w, why->effort);
    json_close_object(w);
}

static void lose_settings(const struct chat_request *r, const struct chat_target *target,
                          struct chat_losses *losses)
{
    bool said[CHAT_SETTINGS] = {[CHAT_SET_TEMPERATURE] = !target->no_sampling,
                                [CHAT_SET_TOP_P] = !target->no_sampling,
                                [CHAT_SET_TOP_K] = true};

    for (size_t i = 0; i < CHAT_SETTINGS; i++)
        if (!said[i])
            chat_lose_setting(losses, r, (enum chat_setting)i);
    chat_lose_extras(losses, &r->config);
    chat_lose_extras(losses, &r->metadata);
    chat_lose_extras(losses, &r->extra);
}

void converse_put_options(struct json_writer *w, const struct chat_request *r,
                          const struct chat_target *target, bool own, struct chat_losses *losses)
{
    put_inference(w, r, target, own);
    put_tools(w, r, own, losses);
    if (own) {
        put_extras(w, &r->extra);
        return;
    }
    put_format(w, &r->format, losses);
    put_additional(w, r, target, losses);
    lose_settings(r, target, losses);
}
