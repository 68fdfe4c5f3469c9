/* answer.c: a whole answer in Anthropic's Messages format. */
#include "translation/anthropic_messages/messages.h"
#include "translation/put.h"
#include "translation/tree.h"

int anthropic_read_answer(struct arena *a, struct str body, struct chat_answer *ret,
                          struct json_fault *fault)
{
    struct chat_answer answer = {.n_choices = 1};
    struct llm_report told = {.has_usage = false};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault), content = tree_array(&t, root, "content");
    struct chat_choice *c = tree_array_of(&t, struct chat_choice, 1);
    size_t n = node_length(content);

    if (!tree_failed(&t) && !node_given(content))
        tree_wrong(&t, STR("content"), "is required");
    answer.id = tree_text(&t, root, "id");
    answer.model = tree_text(&t, root, "model");
    answer.choices = c;
    if (c)
        c->parts = tree_array_of(&t, struct chat_part, n);
    for (size_t i = 0; i < n && !tree_failed(&t); i++)
        anthropic_read_block(&t, node_at(&t, content, i), &c->parts[c->n_parts++]);
    if (!tree_failed(&t)) {
        c->finish_word = tree_text(&t, root, "stop_reason");
        c->finish = anthropic_finish_parse(c->finish_word);
        c->sequence = tree_text(&t, root, "stop_sequence");
    }
    if (anthropic_read_usage(&t, node_get(&t, root, "usage"), &told))
        chat_answer_told(&answer, &told);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = answer;
    return t.r;
}

/* A client of this format gets one answer: the others have no place. */
void anthropic_write_answer(const struct chat_answer *answer, const struct chat_frame *frame,
                            struct buf *out)
{
    const struct chat_choice *c = answer->choices;
    struct chat_losses lost = {.n = 0};
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    put_text(&w, "id", answer->id.n ? answer->id : frame->id);
    put_word(&w, "type", "message");
    put_word(&w, "role", "assistant");
    put_text(&w, "model", answer->model.n ? answer->model : frame->model);
    json_key(&w, "content");
    json_open_array(&w);
    for (size_t i = 0; c && i < c->n_parts; i++)
        anthropic_put_answer_block(&w, &c->parts[i], &lost);
    json_close_array(&w);
    json_key(&w, "stop_reason");
    json_cstr(&w, c ? anthropic_finish_word(c->finish) : NULL);
    json_key(&w, "stop_sequence");
    if (c && c->finish == CHAT_FINISH_SEQUENCE && c->sequence.p)
        json_str(&w, c->sequence);
    else
        json_null(&w);
    anthropic_put_usage(&w, &answer->usage, frame);
    if (frame->members.p)
        json_raw(&w, frame->members);
    json_close_object(&w);
}
