/* options_write.c: what stands beside the messages of a request in Anthropic's format. */
#include "base/money.h"
#include "translation/anthropic_messages/messages.h"
#include "translation/put.h"

/* max_tokens has to be there; this is the smallest maximum of the models of that family. */
#define OUTPUT_LIMIT_UNTOLD 4096
/* "Must be at least 1024 and less than max_tokens" (Extended thinking). */
#define BUDGET_MIN 1024

static void tool(struct json_writer *w, const struct chat_tool *t, bool own,
                 struct chat_losses *losses)
{
    if (t->raw.p) {
        if (own)
            json_raw(w, t->raw);
        return;
    }
    json_open_object(w);
    put_text(w, "name", t->name);
    put_text(w, "description", t->description);
    put_raw(w, "input_schema",
            t->schema.p ? t->schema : STR("{\"type\":\"object\",\"properties\":{}}"));
    put_flag(w, "strict", t->strict > 0 || own ? t->strict : -1);
    if (t->cache.p) {
        json_key(w, "cache_control");
        json_open_object(w);
        put_word(w, "type", "ephemeral");
        put_text(w, "ttl", t->cache);
        json_close_object(w);
    }
    if (own)
        put_extras(w, &t->quiet);
    if (own)
        put_extras(w, &t->extra);
    else
        chat_lose_extras(losses, &t->extra);
    chat_lose_extras(losses, &t->outer);
    json_close_object(w);
}

static void choice(struct json_writer *w, const struct chat_request *r)
{
    static const char *const types[] = {[CHAT_CHOICE_DEFAULT] = "auto", [CHAT_CHOICE_AUTO] = "auto",
                                        [CHAT_CHOICE_NONE] = "none", [CHAT_CHOICE_ANY] = "any",
                                        [CHAT_CHOICE_NAMED] = "tool"};
    const struct str parallel = r->setting[CHAT_SET_PARALLEL_TOOLS].raw;
    bool alone = str_eq(parallel, STR("false"));

    if (r->choice == CHAT_CHOICE_DEFAULT && !alone)
        return;
    json_key(w, "tool_choice");
    json_open_object(w);
    put_word(w, "type", types[r->choice]);
    put_text(w, "name", r->choice_name);
    if (alone && r->choice != CHAT_CHOICE_NONE)
        put_flag(w, "disable_parallel_tool_use", 1);
    json_close_object(w);
}

static void tools(struct json_writer *w, const struct chat_request *r, bool own,
                  struct chat_losses *losses)
{
    if (!own)
        chat_lose_own_tools(losses, r);
    if (!(own ? r->n_tools : chat_plain_tools(r)))
        return;
    json_key(w, "tools");
    json_open_array(w);
    for (size_t i = 0; i < r->n_tools; i++)
        tool(w, &r->tools[i], own, losses);
    json_close_array(w);
    choice(w, r);
}

/* --- thinking --- */

/* Shares of the output limit, which may be any number that a client writes, as OpenRouter's
 * documentation gives them. */
static int64_t budget_of(const struct chat_request *r, int64_t limit)
{
    static const int percent[] = {[CHAT_EFFORT_MINIMAL] = 10, [CHAT_EFFORT_LOW] = 20,
                                  [CHAT_EFFORT_MEDIUM] = 50,  [CHAT_EFFORT_HIGH] = 80,
                                  [CHAT_EFFORT_XHIGH] = 95,   [CHAT_EFFORT_MAX] = 95};

    if (r->reasoning.budget >= 0)
        return r->reasoning.budget;
    if (r->reasoning.effort <= CHAT_EFFORT_NONE)
        return r->reasoning.effort == CHAT_EFFORT_NONE ? 0 : -1;
    return MAX((int64_t)((__int128)limit * percent[r->reasoning.effort] / 100), (int64_t)BUDGET_MIN);
}

static void open_thinking(struct json_writer *w, const char *type)
{
    json_key(w, "thinking");
    json_open_object(w);
    put_word(w, "type", type);
}

/* Newer models keep their thoughts to themselves unless a client wants to see them; where there are none
 * there is nothing to show, and no other format's wish is passed on. */
static void close_thinking(struct json_writer *w, const struct chat_request *r, bool thinks, bool own,
                           struct chat_losses *losses)
{
    if (r->reasoning.shown >= 0 && (thinks || own))
        put_word(w, "display", r->reasoning.shown ? "summarized" : "omitted");
    if (own)
        put_extras(w, &r->reasoning.extra);
    else
        chat_lose_extras(losses, &r->reasoning.extra);
    json_close_object(w);
}

/* A budget that does not fit below the limit is none that the format can say. */
static void thinking(struct json_writer *w, const struct chat_request *r,
                     const struct chat_target *target, int64_t limit, bool own,
                     struct chat_losses *losses)
{
    const struct chat_reasoning *why = &r->reasoning;
    int64_t budget = budget_of(r, limit);

    if (why->adaptive || (!own && target->adaptive && why->effort > CHAT_EFFORT_NONE)) {
        open_thinking(w, "adaptive");
    } else if (own && why->budget < 0) {
        return;
    } else if (budget == 0) {
        open_thinking(w, "disabled");
    } else if (budget > 0) {
        if (!own && (budget < BUDGET_MIN || budget >= limit)) {
            chat_lose(losses, why->path);
            return;
        }
        open_thinking(w, "enabled");
        put_int(w, "budget_tokens", budget);
    } else {
        return;
    }
    close_thinking(w, r, budget != 0, own, losses);
}

/* What has no equal here: JSON without a schema, and another format's own configuration. */
static void lose_config(const struct chat_request *r, bool own, bool schema,
                        struct chat_losses *losses)
{
    if (r->format.kind == CHAT_FORMAT_JSON || (r->format.kind == CHAT_FORMAT_SCHEMA && !schema))
        chat_lose(losses, r->format.path);
    if (own)
        return;
    chat_lose_extras(losses, &r->config);
    if (r->reasoning.word.p)
        chat_lose(losses, r->reasoning.path);
}

static void output_config(struct json_writer *w, const struct chat_request *r,
                          const struct chat_target *target, bool own, struct chat_losses *losses)
{
    const char *effort = NULL;
    bool schema = r->format.kind == CHAT_FORMAT_SCHEMA && r->format.schema.p;

    if (own || target->adaptive)
        effort = anthropic_effort_word(r->reasoning.effort);
    lose_config(r, own, schema, losses);
    if (!effort && !schema && !(own && r->config.n))
        return;
    json_key(w, "output_config");
    json_open_object(w);
    put_word(w, "effort", effort);
    if (schema) {
        json_key(w, "format");
        json_open_object(w);
        put_word(w, "type", "json_schema");
        put_raw(w, "schema", r->format.schema);
        json_close_object(w);
    }
    if (own)
        put_extras(w, &r->config);
    json_close_object(w);
}

/* --- settings --- */

/* Anthropic's runs from 0 to 1, OpenAI's to 2. */
static bool beyond_one(struct str raw)
{
    struct money value; /* nine decimals are enough for the comparison */

    return money_parse(raw, &value) == MONEY_OK && value.nano > 1000000000;
}

static void settings(struct json_writer *w, const struct chat_request *r,
                     const struct chat_target *target, bool own, struct chat_losses *losses)
{
    static const struct {
        enum chat_setting which;
        const char *name;
    } has[] = {{CHAT_SET_TEMPERATURE, "temperature"}, {CHAT_SET_TOP_P, "top_p"},
               {CHAT_SET_TOP_K, "top_k"}};
    bool written[CHAT_SETTINGS] = {[CHAT_SET_PARALLEL_TOOLS] = true, [CHAT_SET_USER] = true};

    for (size_t i = 0; i < ARRAY_LEN(has); i++) {
        struct str raw = r->setting[has[i].which].raw;

        if (!raw.p || (target->no_sampling && !own) || (beyond_one(raw) && i == 0))
            continue;
        written[has[i].which] = true;
        put_raw(w, has[i].name, raw);
    }
    if (own) {
        put_raw(w, "service_tier", r->setting[CHAT_SET_SERVICE_TIER].raw);
        written[CHAT_SET_SERVICE_TIER] = true;
    }
    for (size_t i = 0; i < CHAT_SETTINGS; i++)
        if (!written[i])
            chat_lose_setting(losses, r, (enum chat_setting)i);
}

static void metadata(struct json_writer *w, const struct chat_request *r, bool own,
                     struct chat_losses *losses)
{
    struct str user = r->setting[CHAT_SET_USER].raw;

    if (!own)
        chat_lose_extras(losses, &r->metadata);
    if (!user.p && !(own && r->metadata.n))
        return;
    json_key(w, "metadata");
    json_open_object(w);
    put_raw(w, "user_id", user);
    if (own)
        put_extras(w, &r->metadata);
    json_close_object(w);
}

void anthropic_put_options(struct json_writer *w, const struct chat_request *r,
                           const struct chat_target *target, struct chat_losses *losses)
{
    bool own = strcmp(r->wire, "anthropic_messages") == 0;
    int64_t limit = r->output_limit > 0 ? r->output_limit : target->output_limit;

    if (limit <= 0)
        limit = OUTPUT_LIMIT_UNTOLD;
    put_int(w, "max_tokens", limit);
    put_flag(w, "stream", r->stream ? 1 : -1);
    tools(w, r, own, losses);
    if (r->n_stops) {
        json_key(w, "stop_sequences");
        json_open_array(w);
        for (size_t i = 0; i < r->n_stops; i++)
            json_str(w, r->stops[i]);
        json_close_array(w);
    }
    thinking(w, r, target, limit, own, losses);
    output_config(w, r, target, own, losses);
    settings(w, r, target, own, losses);
    metadata(w, r, own, losses);
    if (own)
        put_extras(w, &r->extra);
    else
        chat_lose_extras(losses, &r->extra);
}
