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

/* False: it is no count. */
static bool figure(struct tree *t, struct node o, const char *key, int64_t *ret)
{
    struct node at = node_get(t, o, key);

    if (!node_is(at, JSON_INT) || json_i64(at.v) < 0 || json_i64(at.v) > BOUND_USAGE_QUANTITY)
        return false;
    *ret = json_i64(at.v);
    return true;
}

/* inputTokens is the uncached part alone; what was written is told by its time to live in newer
 * answers. */
static bool read_usage(struct tree *t, struct node usage, struct llm_report *told)
{
    struct node details = node_get(t, usage, "cacheDetails");
    int64_t in = 0, out = 0, read = 0, written = 0, hour = 0;
    bool has_in = figure(t, usage, "inputTokens", &in);
    bool has_out = figure(t, usage, "outputTokens", &out);

    if (!has_in && !has_out)
        return false;
    (void)figure(t, usage, "cacheReadInputTokens", &read);
    (void)figure(t, usage, "cacheWriteInputTokens", &written);
    for (size_t i = 0; i < node_length(details); i++) {
        struct node at = node_at(t, details, i), ttl = node_get(t, at, "ttl");
        int64_t n = 0;

        if (node_is(ttl, JSON_STRING) && str_eq_c(json_text(ttl.v), "1h") &&
            figure(t, at, "inputTokens", &n))
            hour += n;
    }
    told->has_usage = true;
    told->lacks_prompt = !has_in;
    told->lacks_output = !has_out;
    told->usage = (struct usage){.n = {0}};
    told->usage.n[USAGE_INPUT] = in;
    told->usage.n[USAGE_CACHED_INPUT] = read;
    told->usage.n[USAGE_CACHE_WRITE_1H] = MIN(hour, written);
    told->usage.n[USAGE_CACHE_WRITE_5M] = written - told->usage.n[USAGE_CACHE_WRITE_1H];
    told->usage.n[USAGE_OUTPUT] = out;
    return true;
}

bool converse_read_told(struct tree *t, struct node root, struct llm_report *told)
{
    struct str tier = tree_text(t, tree_object(t, root, "serviceTier"), "type");

    if (tier.p && service_tier_read(tier, &told->service) == SERVICE_OK)
        told->has_service = true;
    return read_usage(t, node_get(t, root, "usage"), told);
}

int converse_read_answer(struct arena *a, struct str body, struct chat_answer *ret,
                         struct json_fault *fault)
{
    struct chat_answer answer = {.n_choices = 1};
    struct llm_report told = {.has_usage = false};
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
    (void)converse_read_told(&t, root, &told);
    chat_answer_told(&answer, &told);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = answer;
    return t.r;
}

/* --- streams --- */

struct chat_reader {
    struct arena *a;
    bool ended;
    struct llm_report told;
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
    flow_end(e, &r->flow, &r->ended, &r->told);
}

static void message_stop(struct chat_reader *r, struct tree *t, struct events *e, struct node root)
{
    struct str word = tree_text(t, root, "stopReason");

    flow_finish(e, &r->flow, converse_finish(word), word);
}

static void metadata(struct chat_reader *r, struct tree *t, struct events *e, struct node root)
{
    if (converse_read_told(t, root, &r->told))
        events_add_told(e, CHAT_EVENT_USAGE, &r->told);
}

static void failed(struct tree *t, struct events *e, struct str type, struct node root)
{
    struct chat_event *event = events_add(e, CHAT_EVENT_ERROR, 0, 0);

    event->text = tree_text(t, root, "message");
    event->word = type;
}

static void frame(struct chat_reader *r, struct tree *t, struct events *e, struct str name,
                  struct node root)
{
    if (str_eq_c(name, "messageStart"))
        events_add(e, CHAT_EVENT_BEGIN, 0, 0);
    else if (str_eq_c(name, "contentBlockStart"))
        block_start(r, t, e, root);
    else if (str_eq_c(name, "contentBlockDelta"))
        block_delta(r, t, e, root);
    else if (str_eq_c(name, "messageStop"))
        message_stop(r, t, e, root);
    else if (str_eq_c(name, "metadata"))
        metadata(r, t, e, root);
    else if (str_ends(name, STR("Exception")))
        failed(t, e, name, root);
}

int converse_read_event(struct chat_reader *r, struct arena *turn, const struct sse_event *event,
                        struct chat_events *ret)
{
    static const struct events_reading how = {.frame = frame, .end = end};

    return events_read(&how, r, turn, event, ret);
}
