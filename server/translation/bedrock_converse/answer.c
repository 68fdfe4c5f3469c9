/* answer.c: a Converse answer, whole and as the frames of a stream. */
#include "base/bounds.h"
#include "translation/bedrock_converse/converse.h"
#include "translation/events.h"
#include "translation/tree.h"

enum chat_finish converse_finish(struct str word)
{
    static const struct {
        const char *word;
        enum chat_finish finish;
    } words[] = {
        {"end_turn", CHAT_FINISH_STOP},          {"tool_use", CHAT_FINISH_TOOLS},
        {"max_tokens", CHAT_FINISH_LENGTH},      {"stop_sequence", CHAT_FINISH_SEQUENCE},
        {"guardrail_intervened", CHAT_FINISH_FILTER}, {"content_filtered", CHAT_FINISH_FILTER},
        {"model_context_window_exceeded", CHAT_FINISH_CONTEXT},
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq_c(word, words[i].word))
            return words[i].finish;
    return word.n ? CHAT_FINISH_OTHER : CHAT_FINISH_NONE;
}

static int64_t figure(struct tree *t, struct node o, const char *key)
{
    struct node at = node_get(t, o, key);

    if (!node_is(at, JSON_INT) || json_i64(at.v) < 0)
        return 0;
    return MIN(json_i64(at.v), (int64_t)BOUND_USAGE_QUANTITY);
}

/* inputTokens is the uncached part alone; what was written is told by its time to live in newer
 * answers. */
bool converse_read_usage(struct tree *t, struct node usage, struct usage *u)
{
    struct node details = node_get(t, usage, "cacheDetails");
    int64_t written = figure(t, usage, "cacheWriteInputTokens"), hour = 0;

    if (!node_is(usage, JSON_OBJECT))
        return false;
    for (size_t i = 0; i < node_length(details); i++) {
        struct node at = node_at(t, details, i), ttl = node_get(t, at, "ttl");

        if (node_is(ttl, JSON_STRING) && str_eq_c(json_text(ttl.v), "1h"))
            hour += figure(t, at, "inputTokens");
    }
    u->n[USAGE_INPUT] = figure(t, usage, "inputTokens");
    u->n[USAGE_CACHED_INPUT] = figure(t, usage, "cacheReadInputTokens");
    u->n[USAGE_CACHE_WRITE_1H] = MIN(hour, written);
    u->n[USAGE_CACHE_WRITE_5M] = written - u->n[USAGE_CACHE_WRITE_1H];
    u->n[USAGE_OUTPUT] = figure(t, usage, "outputTokens");
    return true;
}

int converse_read_answer(struct arena *a, struct str body, struct chat_answer *ret,
                         struct json_fault *fault)
{
    struct chat_answer answer = {.n_choices = 1};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault);
    struct node message = tree_object(&t, tree_object(&t, root, "output"), "message");
    struct node content = tree_array(&t, message, "content");
    struct chat_choice *c = tree_array_of(&t, struct chat_choice, 1);
    size_t n = node_length(content);

    if (!tree_failed(&t) && !node_given(message))
        tree_wrong(&t, STR("output.message"), "is required");
    answer.choices = c;
    if (c)
        c->parts = tree_array_of(&t, struct chat_part, n);
    for (size_t i = 0; i < n && !tree_failed(&t); i++)
        converse_read_block(&t, node_at(&t, content, i), &c->parts[c->n_parts++]);
    if (!tree_failed(&t)) {
        c->finish_word = tree_text(&t, root, "stopReason");
        c->finish = converse_finish(c->finish_word);
    }
    answer.has_usage = converse_read_usage(&t, node_get(&t, root, "usage"), &answer.usage);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = answer;
    return t.r;
}

/* --- streams --- */

struct chat_reader {
    struct arena *a;
    bool ended;
    struct flow flow;
};

struct chat_reader *converse_reader(struct arena *a)
{
    struct chat_reader *r = arena_new0(a, struct chat_reader);

    if (r)
        r->a = a;
    return r;
}

static void block_start(struct chat_reader *r, struct tree *t, struct events *e, struct node root)
{
    struct node use = tree_object(t, tree_object(t, root, "start"), "toolUse");
    struct flow_piece piece = {.key = tree_int(t, root, "contentBlockIndex", 0, 0),
                               .id = tree_text(t, use, "toolUseId"),
                               .name = tree_text(t, use, "name")};

    if (node_given(use))
        flow_call(e, &r->flow, r->a, 0, &piece);
}

/* A signature comes behind its text, in a piece of its own. */
static void thought_delta(struct chat_reader *r, struct tree *t, struct events *e, struct node at)
{
    struct str signature = tree_text(t, at, "signature");
    struct str redacted = tree_text(t, at, "redactedContent");

    flow_text(e, &r->flow, 0, CHAT_THINKING, tree_text(t, at, "text"));
    if (signature.n && r->flow.open && r->flow.kind == CHAT_THINKING)
        events_add(e, CHAT_EVENT_SIGNATURE, 0, r->flow.number)->text = signature;
    else if (signature.n)
        flow_thought(e, &r->flow, 0, signature);
    if (redacted.n)
        flow_redacted(e, &r->flow, 0, redacted);
}

static void block_delta(struct chat_reader *r, struct tree *t, struct events *e, struct node root)
{
    struct node delta = tree_object(t, root, "delta"), use = tree_object(t, delta, "toolUse");
    struct node why = tree_object(t, delta, "reasoningContent");

    flow_text(e, &r->flow, 0, CHAT_TEXT, tree_text(t, delta, "text"));
    if (node_given(use)) {
        struct flow_piece piece = {.key = tree_int(t, root, "contentBlockIndex", 0, 0),
                                   .arguments = tree_text(t, use, "input")};

        flow_call(e, &r->flow, r->a, 0, &piece);
    }
    if (node_given(why))
        thought_delta(r, t, e, why);
}

static void end(struct chat_reader *r, struct events *e)
{
    if (r->ended)
        return;
    r->ended = true;
    flow_close(e, &r->flow, 0);
    events_add(e, CHAT_EVENT_END, 0, 0);
}

static void message_stop(struct chat_reader *r, struct tree *t, struct events *e, struct node root)
{
    struct str word = tree_text(t, root, "stopReason");
    struct chat_event *event;

    flow_close(e, &r->flow, 0);
    event = events_add(e, CHAT_EVENT_FINISH, 0, 0);
    event->finish = converse_finish(word);
    event->word = word;
}

static void metadata(struct tree *t, struct events *e, struct node root)
{
    struct usage usage = {0};

    if (converse_read_usage(t, node_get(t, root, "usage"), &usage))
        events_add(e, CHAT_EVENT_USAGE, 0, 0)->usage = usage;
}

static void failed(struct tree *t, struct events *e, struct str type, struct node root)
{
    struct chat_event *event = events_add(e, CHAT_EVENT_ERROR, 0, 0);

    event->text = tree_text(t, root, "message");
    event->word = type;
}

int converse_read_event(struct chat_reader *r, struct arena *turn, const struct sse_event *event,
                        struct chat_events *ret)
{
    struct str type = event ? event->type : STR_NONE;
    struct json_fault fault;
    struct events e;
    struct node root;
    struct tree t;

    events_begin(&e, turn);
    if (!event)
        end(r, &e);
    if (!event || !event->data.p)
        return events_end(&e, ret);
    root = tree_open(&t, turn, event->data, &fault);
    if (str_eq_c(type, "messageStart"))
        events_add(&e, CHAT_EVENT_BEGIN, 0, 0);
    else if (str_eq_c(type, "contentBlockStart"))
        block_start(r, &t, &e, root);
    else if (str_eq_c(type, "contentBlockDelta"))
        block_delta(r, &t, &e, root);
    else if (str_eq_c(type, "messageStop"))
        message_stop(r, &t, &e, root);
    else if (str_eq_c(type, "metadata"))
        metadata(&t, &e, root);
    else if (str_ends(type, STR("Exception")))
        failed(&t, &e, type, root);
    tree_close(&t);
    if (t.r != CHAT_OK)
        return t.r < 0 ? t.r : CHAT_E_SYNTAX;
    return events_end(&e, ret);
}
