/* embed.c: see embed.h. */
#include "translation/embed.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "translation/elements.h"
#include "translation/figures.h"
#include "translation/vector.h"
#include "translation/wire.h"

/* --- tasks --- */

enum embed_task embed_task_of(embed_words words, struct str word)
{
    for (size_t i = EMBED_TASK_NONE + 1; i < EMBED_TASKS; i++)
        if (words[i] && str_eq_c(word, words[i]))
            return (enum embed_task)i;
    return EMBED_TASK_NONE;
}

const char *embed_task_word(embed_words words, enum embed_task task, struct str path,
                            struct chat_losses *losses)
{
    if (task != EMBED_TASK_NONE && !words[task])
        chat_lose(losses, path);
    return task != EMBED_TASK_NONE ? words[task] : NULL;
}

const char *embed_one_task(embed_words words, const struct embed_request *r,
                           struct chat_losses *losses)
{
    const struct embed_input *first = &r->inputs[0];

    for (size_t i = 1; i < r->n_inputs; i++)
        if (r->inputs[i].task != first->task) {
            const struct embed_input *told = r->inputs[i].task_path.p ? &r->inputs[i] : first;

            chat_lose(losses, told->task_path);
            return NULL;
        }
    return embed_task_word(words, first->task, first->task_path, losses);
}

/* --- requests --- */

struct embed_input *embed_room(struct tree *t, struct node array, struct embed_request *r)
{
    if (!tree_failed(t) && !node_length(array))
        tree_wrong(t, array.path, "must not be empty");
    r->n_inputs = node_length(array);
    r->inputs = tree_array_of(t, struct embed_input, r->n_inputs);
    return r->inputs;
}

void embed_read_texts(struct tree *t, struct node array, struct embed_request *r)
{
    struct embed_input *inputs = embed_room(t, array, r);

    for (size_t i = 0; inputs && i < r->n_inputs && !tree_failed(t); i++) {
        struct node one = node_at(t, array, i);

        inputs[i].path = one.path;
        if (!tree_failed(t) && !node_given(one))
            tree_wrong(t, one.path, "must be a string");
        inputs[i].text = node_text(t, one);
    }
}

void embed_read_dimensions(struct tree *t, struct node at, struct embed_request *r)
{
    if (!node_given(at) || tree_failed(t))
        return;
    if (!node_is(at, JSON_INT) || json_i64(at.v) < 1)
        tree_wrong(t, at.path, "must be a positive integer");
    r->dimensions = json_i64(at.v);
    r->dimensions_path = at.path;
}

static int refuse(struct json_fault *fault, struct str path, const char *reason)
{
    *fault = (struct json_fault){.at = 0};
    snprintf(fault->path, sizeof(fault->path), "%.*s", STR_FMT(path));
    snprintf(fault->reason, sizeof(fault->reason), "%s", reason);
    return EMBED_E_FIELD;
}

int embed_needs_texts(const struct embed_request *r, size_t most, struct json_fault *fault)
{
    for (size_t i = 0; i < r->n_inputs; i++)
        if (!r->inputs[i].text.p)
            return refuse(fault, r->inputs[i].path,
                          "must be text: the model's provider takes no tokens");
    if (most && r->n_inputs > most)
        return refuse(fault, r->inputs[most].path,
                      "is more than the model's provider takes in one request");
    return EMBED_OK;
}

void embed_put_texts(struct json_writer *w, const char *key, const struct embed_request *r)
{
    json_key(w, key);
    json_open_array(w);
    for (size_t i = 0; i < r->n_inputs; i++)
        json_str(w, r->inputs[i].text);
    json_close_array(w);
}

void embed_lose_titles(const struct embed_request *r, struct chat_losses *losses)
{
    for (size_t i = 0; i < r->n_inputs; i++)
        if (r->inputs[i].title.p)
            chat_lose(losses, r->inputs[i].title_path);
}

void embed_lose_rest(const struct embed_request *r, struct chat_losses *losses)
{
    if (r->user.p)
        chat_lose(losses, r->user_path);
    chat_lose_extras(losses, &r->extra);
    for (size_t i = 0; i < r->n_inputs; i++) {
        chat_lose_extras(losses, &r->inputs[i].extra);
        chat_lose_extras(losses, &r->inputs[i].inner);
    }
}

int embed_cuts_end(const struct embed_request *r, struct chat_losses *losses)
{
    if (r->cut == EMBED_CUT_START)
        chat_lose(losses, r->cut_path);
    return r->cut == EMBED_CUT_NONE ? 0 : r->cut == EMBED_CUT_END ? 1 : -1;
}

void embed_lose_cut(const struct embed_request *r, struct chat_losses *losses)
{
    if (r->cut == EMBED_CUT_START || r->cut == EMBED_CUT_END)
        chat_lose(losses, r->cut_path);
}

/* --- answers --- */

void embed_put_vector(struct json_writer *w, const struct embed_vector *v, bool base64)
{
    json_raw(w, STR("")); /* the comma, where one is due */
    if (base64)
        vector_put_base64(v, w->out);
    else
        vector_put_numbers(v, w->out);
}

void embed_put_cost(struct json_writer *w, const struct embed_frame *frame)
{
    if (!frame->has_cost)
        return;
    json_key(w, "cost");
    json_money_number(w, frame->cost);
}

int embed_scan(struct str body, struct json_watch *w, size_t n, size_t error)
{
    struct json_scan_result result;
    struct json_fault fault;

    if (json_scan_rows(body, w, n, &result, &fault) != JSON_OK || result.root_kind != JSON_OBJECT)
        return EMBED_E_SYNTAX;
    return wire_given(w[error].span) ? EMBED_E_ERROR : EMBED_OK;
}

struct embed_vector *embed_vectors(struct arena *a, const struct embed_request *r,
                                   struct embed_answer *answer)
{
    answer->vectors = arena_array(a, struct embed_vector, r->n_inputs);
    answer->n_vectors = answer->vectors ? r->n_inputs : 0;
    return answer->vectors;
}

static int read_row(struct arena *a, struct str one, const char *path, struct embed_vector *ret)
{
    struct json_watch w = {.path = path};
    struct json_scan_result result;
    struct json_fault fault;

    if (!path)
        return vector_read(a, one, ret);
    if (json_scan(one, &w, 1, &result, &fault) != JSON_OK)
        return VECTOR_E_NONE;
    return vector_read(a, json_span_str(one, w.span), ret);
}

int embed_read_rows(struct arena *a, const struct embed_request *r, struct str list,
                    const char *path, struct embed_answer *answer)
{
    struct embed_vector *v = embed_vectors(a, r, answer);
    struct str rest, one;
    size_t n = 0;

    if (!v)
        return err_origin(-ENOMEM);
    if (!list.n || list.p[0] != '[')
        return EMBED_E_SYNTAX;
    rest = elements_of(list);
    while (element_next(&rest, &one)) {
        int row = n < r->n_inputs ? read_row(a, one, path, &v[n]) : VECTOR_E_NONE;

        if (row)
            return row < 0 ? err_trace(row) : EMBED_E_SYNTAX;
        n++;
    }
    return n == r->n_inputs ? EMBED_OK : EMBED_E_SYNTAX;
}

void embed_told(struct str body, const struct json_watch *w, struct embed_answer *answer)
{
    struct llm_report *told = &answer->told;
    int64_t tokens;

    if (!wire_given(w->span) || !figure_round_up(json_span_str(body, w->span), &tokens))
        return;
    told->has_usage = true;
    told->usage.n[USAGE_INPUT] += tokens;
    usage_clamp(&told->usage);
}

int embed_text(struct arena *a, struct str body, const struct json_watch *w, struct str *ret)
{
    if (!wire_given(w->span) || w->span.kind != JSON_STRING)
        return 0;
    return wire_text(a, body, w->span, ret);
}
