/* chat_events_read.c: the chunks of a stream in OpenAI's chat format as neutral events. */
#include <errno.h>

#include "base/err.h"
#include "translation/events.h"
#include "translation/openai_chat/neutral.h"
#include "translation/openai_chat/usage.h"
#include "translation/tree.h"

struct chat_reader {
    struct arena *a;
    bool begun, ended;
    struct llm_report told;
    struct flow *flows[EVENTS_CHOICES];
};

struct chat_reader *openai_chat_reader(struct arena *a)
{
    struct chat_reader *r = arena_new0(a, struct chat_reader);

    if (r)
        r->a = a;
    return r;
}

/* Of a choice beyond the bound: the last one's. */
static struct flow *flow_of(struct chat_reader *r, struct events *e, int64_t choice)
{
    struct flow **at = &r->flows[MIN(choice, (int64_t)EVENTS_CHOICES - 1)];

    if (!*at)
        *at = arena_new0(r->a, struct flow);
    if (!*at && !e->r)
        e->r = err_origin(-ENOMEM);
    return *at;
}

static void calls(struct chat_reader *r, struct tree *t, struct events *e, struct flow *f,
                  int64_t choice, struct node list)
{
    for (size_t i = 0; i < node_length(list) && !tree_failed(t); i++) {
        struct node at = node_at(t, list, i), own = tree_object(t, at, "custom");
        struct node fn = node_given(own) ? own : tree_object(t, at, "function");
        bool custom = node_given(own);
        /* Hosts that send whole calls may leave the index out. */
        struct flow_piece piece = {.key = tree_int(t, at, "index", 0, (int64_t)i),
                                   .id = tree_text(t, at, "id"),
                                   .name = tree_text(t, fn, "name"),
                                   .arguments = tree_text(t, fn, custom ? "input" : "arguments"),
                                   .custom = custom};

        flow_call(e, f, r->a, choice, &piece);
    }
}

/* Mistral's parts: text and thoughts as lists. */
static void content(struct tree *t, struct events *e, struct flow *f, int64_t choice,
                    struct node delta)
{
    struct node at = node_get(t, delta, "content");

    if (!node_is(at, JSON_ARRAY)) {
        flow_text(e, f, choice, CHAT_TEXT, node_text(t, at));
        return;
    }
    for (size_t i = 0; i < node_length(at) && !tree_failed(t); i++) {
        struct node part = node_at(t, at, i), inner = node_get(t, part, "thinking");

        if (node_is(inner, JSON_ARRAY))
            flow_text(e, f, choice, CHAT_THINKING, tree_text(t, node_at(t, inner, 0), "text"));
        else
            flow_text(e, f, choice, CHAT_TEXT, tree_text(t, part, "text"));
    }
}

static void signatures(struct tree *t, struct events *e, const struct flow *f, int64_t choice,
                       struct node list)
{
    for (size_t i = 0; i < node_length(list) && !tree_failed(t); i++) {
        struct str signature = tree_text(t, node_at(t, list, i), "signature");

        if (signature.n && f->open && f->kind == CHAT_THINKING)
            events_add(e, CHAT_EVENT_SIGNATURE, choice, f->number)->text = signature;
    }
}

static void finish(struct tree *t, struct events *e, struct flow *f, int64_t choice,
                   struct node at)
{
    struct str word = tree_text(t, at, "finish_reason");
    struct chat_event *event;

    if (!word.n || f->finished)
        return;
    f->finished = true;
    flow_close(e, f, choice);
    event = events_add(e, CHAT_EVENT_FINISH, choice, 0);
    event->finish = openai_finish_parse(word);
    event->word = word;
}

static void choice(struct chat_reader *r, struct tree *t, struct events *e, struct node at)
{
    int64_t index = tree_int(t, at, "index", 0, 0);
    struct node delta = tree_object(t, at, "delta");
    struct flow *f = flow_of(r, e, index);
    struct str thoughts = tree_text(t, delta, "reasoning_content");
    struct str logprobs = tree_raw(t, at, "logprobs");

    if (!f || tree_failed(t))
        return;
    if (!thoughts.n)
        thoughts = tree_text(t, delta, "reasoning");
    flow_text(e, f, index, CHAT_THINKING, thoughts);
    signatures(t, e, f, index, node_get(t, delta, "reasoning_details"));
    content(t, e, f, index, delta);
    flow_text(e, f, index, CHAT_REFUSAL, tree_text(t, delta, "refusal"));
    calls(r, t, e, f, index, tree_array(t, delta, "tool_calls"));
    if (logprobs.p)
        events_add(e, CHAT_EVENT_LOGPROBS, index, 0)->text = logprobs;
    finish(t, e, f, index, at);
}

static void begin(struct chat_reader *r, struct tree *t, struct events *e, struct node root)
{
    struct chat_event *event;

    if (r->begun)
        return;
    r->begun = true;
    event = events_add(e, CHAT_EVENT_BEGIN, 0, 0);
    event->id = tree_text(t, root, "id");
    event->model = tree_text(t, root, "model");
    event->created_s = tree_int(t, root, "created", 0, 0);
}

static void end(struct chat_reader *r, struct events *e)
{
    if (r->ended)
        return;
    r->ended = true;
    for (int64_t i = 0; i < EVENTS_CHOICES; i++)
        if (r->flows[i])
            flow_close(e, r->flows[i], i);
    events_add_told(e, CHAT_EVENT_END, &r->told);
}

static void failed(struct tree *t, struct events *e, struct node error)
{
    struct chat_event *event = events_add(e, CHAT_EVENT_ERROR, 0, 0);

    event->text = node_is(error, JSON_STRING) ? node_text(t, error) : tree_text(t, error, "message");
    event->word = node_is(error, JSON_OBJECT) ? tree_text(t, error, "type") : STR_NONE;
}

static void chunk(struct chat_reader *r, struct tree *t, struct events *e, struct str name,
                  struct node root)
{
    struct node choices = tree_array(t, root, "choices"), error = node_get(t, root, "error");
    struct str raw = tree_raw(t, root, "usage");
    struct str tier = tree_text(t, root, "service_tier");
    struct json_span cost;

    if (node_given(error)) {
        failed(t, e, error);
        return;
    }
    begin(r, t, e, root);
    for (size_t i = 0; i < node_length(choices) && !tree_failed(t); i++)
        choice(r, t, e, node_at(t, choices, i));
    if (tier.p && service_tier_read(tier, &r->told.service) == SERVICE_OK)
        r->told.has_service = true;
    if (raw.p && openai_usage_read(raw, &r->told, &cost) == OPENAI_USAGE_OK)
        events_add_told(e, CHAT_EVENT_USAGE, &r->told);
}

int openai_chat_read_events(struct chat_reader *r, struct arena *turn, const struct sse_event *event,
                            struct chat_events *ret)
{
    static const struct events_reading how = {.frame = chunk, .end = end, .has_mark = true};

    return events_read(&how, r, turn, event, ret);
}
