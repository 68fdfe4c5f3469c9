/* answer.c: a whole answer in Google's format. */
#include "translation/gemini/gemini.h"
#include "translation/put.h"
#include "translation/tree.h"

static bool calls_tools(const struct chat_choice *c)
{
    for (size_t i = 0; i < c->n_parts; i++)
        if (c->parts[i].kind == CHAT_TOOL_CALL)
            return true;
    return false;
}

/* A signed call has its wordless thought before it. */
static void answer_part(struct tree *t, struct node at, struct chat_choice *c)
{
    struct chat_part part;

    gemini_read_part(t, at, &part);
    if (part.kind == CHAT_TOOL_CALL && part.signature.p) {
        c->parts[c->n_parts++] = (struct chat_part){
            .kind = CHAT_THINKING, .path = at.path, .text = STR(""), .signature = part.signature};
        part.signature = STR_NONE;
    }
    c->parts[c->n_parts++] = part;
}

static void candidate(struct tree *t, struct node at, struct chat_choice *c)
{
    struct node parts = node_get(t, tree_object(t, at, "content"), "parts");
    size_t n = node_length(parts);

    *c = (struct chat_choice){.index = tree_int(t, at, "index", 0, 0)};
    c->parts = tree_array_of(t, struct chat_part, 2 * n);
    for (size_t i = 0; i < n && !tree_failed(t); i++)
        answer_part(t, node_at(t, parts, i), c);
    c->logprobs = gemini_read_logprobs(t, at);
    c->finish_word = tree_text(t, at, "finishReason");
    c->finish = gemini_finish_parse(c->finish_word);
    if (c->finish == CHAT_FINISH_STOP && calls_tools(c))
        c->finish = CHAT_FINISH_TOOLS;
}

/* A prompt that was blocked has an answer without candidates. */
static void blocked(struct tree *t, struct node root, struct chat_answer *answer)
{
    struct node feedback = tree_object(t, root, "promptFeedback");

    if (tree_failed(t) || !node_given(feedback)) {
        tree_wrong(t, STR("candidates"), "is required");
        return;
    }
    answer->n_choices = 1;
    answer->choices[0] = (struct chat_choice){
        .finish = CHAT_FINISH_FILTER, .finish_word = tree_text(t, feedback, "blockReason")};
}

int gemini_read_answer(struct arena *a, struct str body, struct chat_answer *ret,
                       struct json_fault *fault)
{
    struct chat_answer answer = {0};
    struct llm_report told = {.has_usage = false};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault), list = tree_array(&t, root, "candidates");
    size_t n = node_length(list);

    answer.id = tree_text(&t, root, "responseId");
    answer.model = tree_text(&t, root, "modelVersion");
    answer.choices = tree_array_of(&t, struct chat_choice, n + 1);
    for (size_t i = 0; i < n && !tree_failed(&t); i++)
        candidate(&t, node_at(&t, list, i), &answer.choices[answer.n_choices++]);
    if (!n)
        blocked(&t, root, &answer);
    (void)gemini_read_usage(&t, node_get(&t, root, "usageMetadata"), true, &told);
    chat_answer_told(&answer, &told);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = answer;
    return t.r;
}

void gemini_write_answer(const struct chat_answer *answer, const struct chat_frame *frame,
                         struct buf *out)
{
    struct chat_losses lost = {.n = 0};
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "candidates");
    json_open_array(&w);
    for (size_t i = 0; i < answer->n_choices; i++) {
        const struct chat_choice *c = &answer->choices[i];

        json_open_object(&w);
        json_key(&w, "content");
        json_open_object(&w);
        json_key(&w, "parts");
        json_open_array(&w);
        for (size_t k = 0; k < c->n_parts; k++)
            gemini_put_answer_part(&w, &c->parts[k], &lost);
        json_close_array(&w);
        put_word(&w, "role", "model");
        json_close_object(&w);
        put_word(&w, "finishReason", gemini_finish_word(c->finish));
        gemini_put_logprobs(&w, c->logprobs);
        put_int(&w, "index", c->index);
        json_close_object(&w);
    }
    json_close_array(&w);
    gemini_put_usage(&w, &answer->usage, frame);
    put_text(&w, "modelVersion", answer->model.n ? answer->model : frame->model);
    put_text(&w, "responseId", answer->id.n ? answer->id : frame->id);
    if (frame->members.p)
        json_raw(&w, frame->members);
    json_close_object(&w);
}
