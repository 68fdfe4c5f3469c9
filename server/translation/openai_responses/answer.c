/* answer.c: a whole answer in the Responses format. */
#include "translation/openai_chat/usage.h"
#include "translation/openai_responses/responses.h"
#include "translation/put.h"
#include "translation/tree.h"

bool responses_read_told(struct tree *t, struct node response, struct llm_report *told)
{
    struct node usage = node_get(t, response, "usage");
    struct str tier = tree_text(t, response, "service_tier");
    struct json_span cost;

    told->has_service = tier.p && service_tier_read(tier, &told->service) == SERVICE_OK;
    return node_is(usage, JSON_OBJECT) &&
           responses_usage_read(node_raw(t, usage), told, &cost) == OPENAI_USAGE_OK;
}

static enum chat_finish finish_of(struct tree *t, struct node root, const struct chat_choice *c,
                                  struct str *ret_word)
{
    struct str why = tree_text(t, tree_object(t, root, "incomplete_details"), "reason");
    enum chat_finish finish = CHAT_FINISH_STOP;

    *ret_word = why.p ? why : tree_text(t, root, "status");
    if (why.p)
        return str_eq_c(why, "max_output_tokens") ? CHAT_FINISH_LENGTH
               : str_eq_c(why, "content_filter")  ? CHAT_FINISH_FILTER
                                                  : CHAT_FINISH_OTHER;
    for (size_t i = 0; i < c->n_parts; i++) {
        if (c->parts[i].kind == CHAT_TOOL_CALL)
            finish = CHAT_FINISH_TOOLS;
        else if (c->parts[i].kind == CHAT_REFUSAL && finish == CHAT_FINISH_STOP)
            finish = CHAT_FINISH_REFUSAL;
    }
    return finish;
}

/* The parts of all items in one row. */
static void gather(struct tree *t, struct node output, struct chat_choice *c)
{
    struct chat_message m;
    size_t room = 0;

    for (size_t i = 0; i < node_length(output); i++)
        room += 1 + node_length(node_get(t, node_at(t, output, i), "content"));
    c->parts = tree_array_of(t, struct chat_part, room);
    for (size_t i = 0; i < node_length(output) && !tree_failed(t); i++) {
        responses_read_item(t, node_at(t, output, i), &m);
        for (size_t k = 0; k < m.n_parts && !tree_failed(t); k++)
            c->parts[c->n_parts++] = m.parts[k];
    }
}

int responses_read_answer(struct arena *a, struct str body, struct chat_answer *ret,
                          struct json_fault *fault)
{
    struct chat_answer answer = {.n_choices = 1};
    struct llm_report told = {.has_usage = false};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault), output = tree_array(&t, root, "output");
    struct chat_choice *c = tree_array_of(&t, struct chat_choice, 1);

    if (!tree_failed(&t) && !node_given(output))
        tree_wrong(&t, STR("output"), "is required");
    answer.id = tree_text(&t, root, "id");
    answer.model = tree_text(&t, root, "model");
    answer.service_tier = tree_text(&t, root, "service_tier");
    answer.created_s = node_is(node_get(&t, root, "created_at"), JSON_INT)
                           ? tree_int(&t, root, "created_at", 0, 0)
                           : 0;
    answer.choices = c;
    if (c) {
        gather(&t, output, c);
        c->finish = finish_of(&t, root, c, &c->finish_word);
    }
    (void)responses_read_told(&t, root, &told);
    chat_answer_told(&answer, &told);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = answer;
    return t.r;
}

/* --- writing --- */

static void put_usage(struct json_writer *w, const struct usage *u, const struct chat_frame *frame)
{
    int64_t prompt = usage_sum(u, USAGE_COVERS_PROMPT), answer = usage_sum(u, USAGE_COVERS_OUTPUT);

    json_key(w, "usage");
    json_open_object(w);
    put_int(w, "input_tokens", prompt);
    json_key(w, "input_tokens_details");
    json_open_object(w);
    put_int(w, "cached_tokens", u->n[USAGE_CACHED_INPUT]);
    put_int(w, "cache_write_tokens", u->n[USAGE_CACHE_WRITE_5M] + u->n[USAGE_CACHE_WRITE_1H]);
    json_close_object(w);
    put_int(w, "output_tokens", answer);
    json_key(w, "output_tokens_details");
    json_open_object(w);
    put_int(w, "reasoning_tokens", u->n[USAGE_REASONING]);
    json_close_object(w);
    put_int(w, "total_tokens", prompt + answer);
    if (frame->has_cost) {
        json_key(w, "cost");
        json_money_number(w, frame->cost);
    }
    json_close_object(w);
}

static bool is_item(const struct chat_part *p)
{
    return p->kind == CHAT_TEXT || p->kind == CHAT_REFUSAL || p->kind == CHAT_THINKING ||
           p->kind == CHAT_REDACTED || p->kind == CHAT_TOOL_CALL;
}

size_t responses_items(const struct chat_choice *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_parts; i++)
        n += is_item(&c->parts[i]);
    return n;
}

static void item_id(struct json_writer *w, const char *kind, struct str id, size_t number)
{
    json_key(w, "id");
    json_raw(w, STR("\""));
    buf_puts(w->out, kind);
    buf_putc(w->out, '_');
    json_escape(w->out, id);
    buf_printf(w->out, "_%zu\"", number);
}

static void thought_item(struct json_writer *w, const struct chat_part *p, struct str id,
                         size_t number, bool done)
{
    item_id(w, "rs", id, number);
    put_word(w, "type", "reasoning");
    json_key(w, "summary");
    json_open_array(w);
    if (done && p->kind == CHAT_THINKING && p->text.n) {
        json_open_object(w);
        put_word(w, "type", "summary_text");
        put_text(w, "text", p->text);
        json_close_object(w);
    }
    json_close_array(w);
    if (done && p->kind == CHAT_THINKING) {
        chat_seal_put(w, "encrypted_content", OPENAI_SEALED, p->signature);
    } else if (done) {
        json_key(w, "encrypted_content");
        json_raw(w, STR("\"" OPENAI_REDACTED));
        json_escape(w->out, p->text);
        buf_putc(w->out, '"');
    }
}

static void message_item(struct json_writer *w, const struct chat_part *p, struct str id,
                         size_t number, bool done)
{
    bool refusal = p->kind == CHAT_REFUSAL;

    item_id(w, "msg", id, number);
    put_word(w, "type", "message");
    put_word(w, "status", done ? "completed" : "in_progress");
    put_word(w, "role", "assistant");
    json_key(w, "content");
    json_open_array(w);
    if (done) {
        json_open_object(w);
        put_word(w, "type", refusal ? "refusal" : "output_text");
        put_text(w, refusal ? "refusal" : "text", p->text);
        if (!refusal)
            put_raw(w, "annotations", STR("[]"));
        if (!refusal)
            put_raw(w, "logprobs", STR("[]"));
        json_close_object(w);
    }
    json_close_array(w);
}

static void call_item(struct json_writer *w, const struct chat_part *p, struct str id,
                      size_t number, bool done)
{
    const char *member = p->tool.custom ? "input" : "arguments";

    item_id(w, p->tool.custom ? "ctc" : "fc", id, number);
    put_word(w, "type", p->tool.custom ? "custom_tool_call" : "function_call");
    put_word(w, "status", done ? "completed" : "in_progress");
    put_text(w, "call_id", p->tool.id);
    put_text(w, "name", p->tool.name);
    put_text(w, member, !done ? STR("") : p->tool.arguments.n ? p->tool.arguments : STR("{}"));
}

void responses_put_part_item(struct json_writer *w, const struct chat_part *p, struct str id,
                             size_t number, bool done)
{
    json_open_object(w);
    if (p->kind == CHAT_TOOL_CALL)
        call_item(w, p, id, number, done);
    else if (p->kind == CHAT_THINKING || p->kind == CHAT_REDACTED)
        thought_item(w, p, id, number, done);
    else
        message_item(w, p, id, number, done);
    json_close_object(w);
}

static void put_output(struct json_writer *w, const struct response_object *o)
{
    size_t number = 0;

    json_key(w, "output");
    json_open_array(w);
    for (size_t i = 0; o->choice && i < o->choice->n_parts; i++)
        if (is_item(&o->choice->parts[i]))
            responses_put_part_item(w, &o->choice->parts[i], o->id, number++, true);
    json_close_array(w);
}

static const char *incomplete_reason(const struct response_object *o)
{
    enum chat_finish finish = o->choice ? o->choice->finish : CHAT_FINISH_NONE;

    return finish == CHAT_FINISH_LENGTH || finish == CHAT_FINISH_CONTEXT ? "max_output_tokens"
           : finish == CHAT_FINISH_FILTER                                ? "content_filter"
                                                                         : NULL;
}

/* Members that the official clients expect, with the values that say nothing. */
static const char usual[] = "\"error\":null,\"instructions\":null,\"metadata\":{},"
                            "\"parallel_tool_calls\":true,\"temperature\":null,"
                            "\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":null";

void responses_put_object(struct json_writer *w, const struct response_object *o,
                          const struct chat_frame *frame)
{
    const char *reason = incomplete_reason(o);

    json_open_object(w);
    put_text(w, "id", o->id);
    put_word(w, "object", "response");
    put_int(w, "created_at", o->created_s);
    put_word(w, "status", reason && o->choice ? "incomplete" : o->status);
    json_key(w, "incomplete_details");
    if (reason) {
        json_open_object(w);
        put_word(w, "reason", reason);
        json_close_object(w);
    } else {
        json_null(w);
    }
    put_text(w, "model", o->model);
    put_output(w, o);
    json_raw(w, str_c(usual));
    if (o->usage)
        put_usage(w, o->usage, frame);
    if (frame->members.p && o->choice)
        json_raw(w, frame->members);
    json_close_object(w);
}

void responses_write_answer(const struct chat_answer *answer, const struct chat_frame *frame,
                            struct buf *out)
{
    static const struct chat_choice none;
    struct response_object o = {
        .id = answer->id.n ? answer->id : frame->id,
        .model = answer->model.n ? answer->model : frame->model,
        .created_s = answer->created_s ? answer->created_s : frame->created_s,
        .status = "completed",
        .choice = answer->n_choices ? answer->choices : &none,
        .usage = answer->has_usage ? &answer->usage : NULL,
    };
    struct json_writer w;

    json_begin(&w, out);
    responses_put_object(&w, &o, frame);
}
