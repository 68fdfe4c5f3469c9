/* chat_answer_read.c: a whole answer of OpenAI's chat format, or of its relatives. */
#include "translation/openai_chat/neutral.h"
#include "translation/openai_chat/usage.h"
#include "translation/tree.h"

static void add(struct chat_choice *c, enum chat_part_kind kind, struct str path, struct str text)
{
    if (text.n)
        c->parts[c->n_parts++] = (struct chat_part){.kind = kind, .path = path, .text = text};
}

/* Hosts name thoughts in two ways, some in both at once. */
static struct str thoughts(struct tree *t, struct node message)
{
    struct str text = tree_text(t, message, "reasoning_content");

    return text.n ? text : tree_text(t, message, "reasoning");
}

/* OpenRouter's list beside them: the signature that the provider wants back. */
static void sign(struct tree *t, struct node message, struct chat_choice *c)
{
    struct node details = node_get(t, message, "reasoning_details");

    for (size_t i = 0; i < node_length(details) && !tree_failed(t); i++) {
        struct node at = node_at(t, details, i);
        struct str signature = tree_text(t, at, "signature"), data = tree_text(t, at, "data");

        if (data.n)
            add(c, CHAT_REDACTED, at.path, data);
        else if (signature.n && c->n_parts && c->parts[c->n_parts - 1].kind == CHAT_THINKING)
            c->parts[c->n_parts - 1].signature = signature;
    }
}

static void calls(struct tree *t, struct node list, struct chat_choice *c)
{
    for (size_t i = 0; i < node_length(list) && !tree_failed(t); i++) {
        struct node at = node_at(t, list, i), own = tree_object(t, at, "custom");
        struct node fn = node_given(own) ? own : tree_object(t, at, "function");
        struct chat_part *p = &c->parts[c->n_parts++];

        *p = (struct chat_part){.kind = CHAT_TOOL_CALL, .path = at.path};
        p->tool.custom = node_given(own);
        p->tool.id = tree_text(t, at, "id");
        p->tool.name = tree_needs_text(t, fn, "name");
        p->tool.arguments = tree_text(t, fn, p->tool.custom ? "input" : "arguments");
    }
}

/* Mistral sends its thoughts and its text as a list of parts. */
static void content(struct tree *t, struct node message, struct chat_choice *c)
{
    struct node at = node_get(t, message, "content");

    if (!node_is(at, JSON_ARRAY)) {
        add(c, CHAT_TEXT, at.path, node_text(t, at));
        return;
    }
    for (size_t i = 0; i < node_length(at) && !tree_failed(t); i++) {
        struct node part = node_at(t, at, i), inner = node_get(t, part, "thinking");

        if (node_is(inner, JSON_ARRAY))
            add(c, CHAT_THINKING, part.path, tree_text(t, node_at(t, inner, 0), "text"));
        else
            add(c, CHAT_TEXT, part.path, tree_text(t, part, "text"));
    }
}

static bool refused(const struct chat_choice *c)
{
    for (size_t i = 0; i < c->n_parts; i++)
        if (c->parts[i].kind == CHAT_REFUSAL)
            return true;
    return false;
}

static void choice(struct tree *t, struct node at, struct chat_choice *c)
{
    struct node message = tree_object(t, at, "message");
    struct node list = node_get(t, message, "tool_calls");
    size_t details = node_length(node_get(t, message, "reasoning_details"));

    *c = (struct chat_choice){.index = tree_int(t, at, "index", 0, 0)};
    c->parts = tree_array_of(t, struct chat_part, details + node_length(list) + 3 +
                                                      node_length(node_get(t, message, "content")));
    if (!c->parts)
        return;
    add(c, CHAT_THINKING, message.path, thoughts(t, message));
    sign(t, message, c);
    content(t, message, c);
    add(c, CHAT_REFUSAL, message.path, tree_text(t, message, "refusal"));
    calls(t, list, c);
    if (c->n_parts && node_given(node_get(t, message, "annotations")))
        c->parts[c->n_parts - 1].sources = tree_raw(t, message, "annotations");
    c->finish_word = tree_text(t, at, "finish_reason");
    c->finish = openai_finish_parse(c->finish_word);
    if (c->finish == CHAT_FINISH_STOP && refused(c))
        c->finish = CHAT_FINISH_REFUSAL;
    c->logprobs = tree_raw(t, at, "logprobs");
}

int openai_chat_read_answer(struct arena *a, struct str body, struct chat_answer *ret,
                            struct json_fault *fault)
{
    struct chat_answer answer = {0};
    struct llm_report llm = {0};
    struct json_span cost;
    struct tree t;
    struct node root = tree_open(&t, a, body, fault), choices = tree_array(&t, root, "choices");
    size_t n = node_length(choices);
    struct str usage;

    if (!tree_failed(&t) && !n)
        tree_wrong(&t, STR("choices"), "is required");
    answer.id = tree_text(&t, root, "id");
    answer.model = tree_text(&t, root, "model");
    answer.created_s = tree_int(&t, root, "created", 0, 0);
    answer.service_tier = tree_text(&t, root, "service_tier");
    answer.choices = tree_array_of(&t, struct chat_choice, n);
    for (size_t i = 0; i < n && !tree_failed(&t); i++)
        choice(&t, node_at(&t, choices, i), &answer.choices[answer.n_choices++]);
    usage = tree_raw(&t, root, "usage");
    llm.has_service = answer.service_tier.p &&
                      service_tier_read(answer.service_tier, &llm.service) == SERVICE_OK;
    if (usage.p && openai_usage_read(usage, &llm, &cost) != OPENAI_USAGE_OK)
        llm.has_usage = false;
    chat_answer_told(&answer, &llm);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = answer;
    return t.r;
}
