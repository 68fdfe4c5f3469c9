/* plan_chat.c: a chat request read and its answers invented; see plan.h. */
#include <errno.h>
#include <stdio.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/random.h"
#include "demo/plan.h"
#include "demo/prose.h"
#include "demo/schema.h"
#include "demo/token.h"

enum {
    MESSAGE_TOKENS = 4, /* of role and framing */
    IMAGE_TOKENS = 85,
    LARGE_PACE_MS = 20,
    SLOW_PACE_MS = 200,
    STOPS_MAX = 4,
    TOP_LOGPROBS_MAX = 20,
};

/* A request while it is being planned. */
struct reader {
    struct request *request;
    const struct json_object *body;
    struct plan *plan;
    struct plan_fault *fault;
    struct str question; /* the last user message */
    bool after_tool;     /* the last message is a tool's result */
    struct topics topics;
    int64_t max_tokens;
    const struct json_object *tool; /* to be called; NULL: none */
};

static int refuse(struct reader *rd, const char *param, const char *message)
{
    *rd->fault = (struct plan_fault){400, "invalid_value", str_c(message), str_c(param)};
    return PLAN_E_FAULT;
}

/* An optional integer; absent and null leave *ret. */
static int read_int(struct reader *rd, const char *key, int64_t min, int64_t max, int64_t *ret)
{
    const struct json_object *v = json_get(rd->body, key);

    if (!v)
        return PLAN_OK;
    if (json_kind(v) != JSON_INT || json_i64(v) < min || json_i64(v) > max)
        return refuse(rd, key, "The number is not of the right kind or size.");
    *ret = json_i64(v);
    return PLAN_OK;
}

/* The text of a message's content: a string, or the text parts of a list. */
static struct str content_text(struct reader *rd, const struct json_object *content)
{
    struct buf all;
    struct str text;

    if (json_kind(content) == JSON_STRING)
        return json_text(content);
    if (json_kind(content) != JSON_ARRAY)
        return STR("");
    buf_init(&all, BOUND_LLM_BODY_BYTES);
    for (size_t i = 0; i < json_length(content); i++) {
        const struct json_object *part = json_at(content, i);

        if (json_kind(part) == JSON_OBJECT && json_get(part, "text"))
            buf_put_str(&all, json_text(json_get(part, "text")));
        else
            rd->plan->prompt_tokens += IMAGE_TOKENS;
    }
    text = arena_str(rd->request->arena, buf_str(&all));
    buf_done(&all);
    return text.p ? text : STR("");
}

static int read_messages(struct reader *rd)
{
    const struct json_object *messages = json_get(rd->body, "messages");

    if (json_kind(messages) != JSON_ARRAY || !json_length(messages))
        return refuse(rd, "messages", "A list of at least one message is needed.");
    for (size_t i = 0; i < json_length(messages); i++) {
        const struct json_object *message = json_at(messages, i);
        const struct json_object *role;
        struct str text;

        if (json_kind(message) != JSON_OBJECT)
            return refuse(rd, "messages", "A message must be an object.");
        role = json_get(message, "role");
        if (json_kind(role) != JSON_STRING)
            return refuse(rd, "messages", "A message needs a role.");
        text = content_text(rd, json_get(message, "content"));
        rd->plan->prompt_tokens += token_count(text) + MESSAGE_TOKENS;
        if (str_eq_c(json_text(role), "user"))
            rd->question = text;
        rd->after_tool = str_eq_c(json_text(role), "tool");
    }
    return PLAN_OK;
}

static struct str printed(struct arena *a, const struct json_object *v)
{
    struct buf out;
    struct str text = STR("");

    buf_init(&out, BOUND_LLM_BODY_BYTES);
    if (json_print(v, &out) == 0)
        text = arena_str(a, buf_str(&out));
    buf_done(&out);
    return text.p ? text : STR("");
}

static struct str tool_name(const struct json_object *tool)
{
    const struct json_object *function = NULL;

    if (json_kind(tool) == JSON_OBJECT)
        function = json_get(tool, "function");
    if (json_kind(function) != JSON_OBJECT)
        return STR("");
    return json_text(json_get(function, "name"));
}

/* The tool that tool_choice names; NULL when it names none. */
static const struct json_object *named_tool(const struct json_object *tools,
                                            const struct json_object *choice)
{
    struct str name = tool_name(choice);

    for (size_t i = 0; name.n && i < json_length(tools); i++)
        if (str_eq(tool_name(json_at(tools, i)), name))
            return json_at(tools, i);
    return NULL;
}

static const struct json_object *mentioned_tool(const struct json_object *tools,
                                                struct str question)
{
    for (size_t i = 0; i < json_length(tools); i++) {
        struct str name = tool_name(json_at(tools, i));

        if (name.n && question.n && memmem(question.p, question.n, name.p, name.n))
            return json_at(tools, i);
    }
    return NULL;
}

static int read_tools(struct reader *rd)
{
    const struct json_object *tools = json_get(rd->body, "tools");
    const struct json_object *choice = json_get(rd->body, "tool_choice");

    if (!tools)
        return PLAN_OK;
    if (json_kind(tools) != JSON_ARRAY)
        return refuse(rd, "tools", "The tools must be a list.");
    rd->plan->prompt_tokens += token_count(printed(rd->request->arena, tools));
    if (json_kind(choice) == JSON_OBJECT)
        rd->tool = named_tool(tools, choice);
    else if (str_eq_c(json_text(choice), "required"))
        rd->tool = json_at(tools, 0);
    else if (!str_eq_c(json_text(choice), "none") && !rd->after_tool)
        rd->tool = mentioned_tool(tools, rd->question);
    if (json_kind(choice) == JSON_OBJECT && !rd->tool)
        return refuse(rd, "tool_choice", "The tool it names is not among the tools.");
    return PLAN_OK;
}

/* Cuts at the first stop sequence and at the token limit. */
static void limit_text(struct reader *rd, struct choice *c)
{
    const struct json_object *stop = json_get(rd->body, "stop");
    size_t n = json_kind(stop) == JSON_ARRAY ? MIN(json_length(stop), (size_t)STOPS_MAX) : 1;

    for (size_t i = 0; stop && !c->tool_name.p && i < n; i++) {
        struct str s = json_text(json_kind(stop) == JSON_ARRAY ? json_at(stop, i) : stop);
        const char *at = s.n ? memmem(c->text.p, c->text.n, s.p, s.n) : NULL;

        if (at)
            c->text.n = (size_t)(at - c->text.p);
    }
    c->tokens = token_count(c->text);
    if (rd->max_tokens && c->tokens > (size_t)rd->max_tokens) {
        c->text = token_head(c->text, (size_t)rd->max_tokens);
        c->tokens = (size_t)rd->max_tokens;
        c->finish_reason = "length";
    }
    if (c->tool_name.p)
        c->tokens += token_count(c->tool_name);
}

static void invent_call(struct reader *rd, struct dice *d, struct choice *c, struct buf *out)
{
    const struct json_object *function = json_get(rd->tool, "function");

    c->tool_name = tool_name(rd->tool);
    c->call_id = arena_strf(rd->request->arena, "call_%016llx", (unsigned long long)dice_roll(d));
    c->finish_reason = "tool_calls";
    schema_invent(d, &rd->topics, json_get(function, "parameters"), out);
}

static void invent_text(struct reader *rd, struct dice *d, struct buf *out)
{
    bool large = str_eq_c(rd->plan->model, "demo-large");
    size_t least = large ? 80 : 25;

    prose_write(d, &rd->topics, least + dice_below(d, least), out);
}

static void invent_json(struct reader *rd, struct dice *d, const struct json_object *format,
                        struct buf *out)
{
    const struct json_object *described = json_get(format, "json_schema");

    schema_invent(d, &rd->topics,
                  json_kind(described) == JSON_OBJECT ? json_get(described, "schema") : NULL, out);
}

static bool wants_json(const struct json_object *format)
{
    return json_kind(format) == JSON_OBJECT &&
           str_starts(json_text(json_get(format, "type")), STR("json"));
}

static int invent_choice(struct reader *rd, struct dice *d, struct choice *c)
{
    const struct json_object *format = json_get(rd->body, "response_format");
    struct buf out;

    buf_init(&out, BOUND_WHOLE_REPLY_BYTES);
    c->finish_reason = "stop";
    if (rd->tool)
        invent_call(rd, d, c, &out);
    else if (wants_json(format))
        invent_json(rd, d, format, &out);
    else
        invent_text(rd, d, &out);
    c->text = buf_finish(&out) ? STR_NONE : arena_str(rd->request->arena, buf_str(&out));
    buf_done(&out);
    if (!c->text.p)
        return err_origin(-ENOMEM);
    limit_text(rd, c);
    rd->plan->completion_tokens += c->tokens;
    return PLAN_OK;
}

static int invent_choices(struct reader *rd)
{
    const struct json_object *seed = json_get(rd->body, "seed");
    struct dice d = {0};

    topics_find(rd->question, &rd->topics);
    dice_stir(&d, rd->question);
    dice_stir(&d, rd->plan->model);
    if (seed)
        dice_stir(&d, json_text(seed));
    else
        dice_stir_u64(&d, random_u64());
    (void)snprintf(rd->plan->id, sizeof(rd->plan->id), "chatcmpl-demo-%016llx",
                   (unsigned long long)random_u64());
    for (size_t i = 0; i < rd->plan->n_choices; i++) {
        int r = invent_choice(rd, &d, &rd->plan->choices[i]);

        if (r < 0)
            return err_trace(r);
    }
    return PLAN_OK;
}

static int read_numbers(struct reader *rd)
{
    int64_t n = 1;
    int r = read_int(rd, "max_tokens", 1, INT32_MAX, &rd->max_tokens);

    if (!r)
        r = read_int(rd, "max_completion_tokens", 1, INT32_MAX, &rd->max_tokens);
    if (!r)
        r = read_int(rd, "n", 1, PLAN_CHOICES_MAX, &n);
    if (!r)
        r = read_int(rd, "top_logprobs", 0, TOP_LOGPROBS_MAX, &rd->plan->top_logprobs);
    rd->plan->n_choices = (size_t)n;
    return r;
}

static void read_flags(struct reader *rd)
{
    const struct json_object *options = json_get(rd->body, "stream_options");
    struct plan *p = rd->plan;

    p->stream = json_true(json_get(rd->body, "stream"));
    p->logprobs = json_true(json_get(rd->body, "logprobs"));
    p->include_usage = json_kind(options) == JSON_OBJECT &&
                       json_true(json_get(options, "include_usage")) && !p->switches.no_usage;
    p->pace_ms = str_eq_c(p->model, "demo-large") ? LARGE_PACE_MS : 0;
    if (p->switches.slow)
        p->pace_ms = SLOW_PACE_MS;
}

int plan_chat(struct request *r, struct plan *ret, struct plan_fault *fault)
{
    struct json_object *body = NULL;
    struct reader rd = {.request = r, .plan = ret, .fault = fault};
    int outcome = plan_parse(r, &body, fault);

    *ret = (struct plan){.created_s = r->began_wall_us / 1000000};
    rd.body = body;
    if (!outcome)
        outcome = plan_model(r, body, false, &ret->model, &ret->switches, fault);
    if (!outcome)
        outcome = read_numbers(&rd);
    if (!outcome)
        outcome = read_messages(&rd);
    if (!outcome)
        outcome = read_tools(&rd);
    if (!outcome) {
        read_flags(&rd);
        outcome = invent_choices(&rd);
    }
    return outcome < 0 ? err_trace(outcome) : outcome;
}
