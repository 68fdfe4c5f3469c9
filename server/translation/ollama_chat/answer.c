/* answer.c: an answer of Ollama's, whole and as the lines of a stream.
 *
 * Odd: the figures of the prompt may be missing where all of it was still in the server's memory; a
 * call has no id in older versions; a stream that fails tells so in a line
 * {"error": text}. */
#include "base/bounds.h"
#include "translation/events.h"
#include "translation/ollama_chat/ollama.h"
#include "translation/tree.h"

static enum chat_finish finish_of(struct str word, bool called)
{
    if (called && (str_eq_c(word, "stop") || !word.n))
        return CHAT_FINISH_TOOLS;
    if (str_eq_c(word, "stop") || !word.n)
        return CHAT_FINISH_STOP;
    return str_eq_c(word, "length") ? CHAT_FINISH_LENGTH : CHAT_FINISH_OTHER;
}

static int64_t count(struct tree *t, struct node root, const char *key)
{
    struct node at = node_get(t, root, key);
    bool good = node_is(at, JSON_INT) && json_i64(at.v) >= 0 &&
                json_i64(at.v) <= BOUND_USAGE_QUANTITY;

    return good ? json_i64(at.v) : -1;
}

/* False: no figures. */
static bool read_told(struct tree *t, struct node root, struct llm_report *told)
{
    int64_t in = count(t, root, "prompt_eval_count"), out = count(t, root, "eval_count");

    if (in < 0 && out < 0)
        return false;
    told->has_usage = true;
    told->lacks_prompt = in < 0;
    told->lacks_output = out < 0;
    told->usage = (struct usage){.n = {0}};
    told->usage.n[USAGE_INPUT] = MAX(in, INT64_C(0));
    told->usage.n[USAGE_OUTPUT] = MAX(out, INT64_C(0));
    return true;
}

/* Their form is that of the content in OpenAI's. */
static struct str read_logprobs(struct tree *t, struct node root)
{
    struct node list = tree_array(t, root, "logprobs");
    struct str raw = node_length(list) ? node_raw(t, list) : STR_NONE;

    return raw.p ? arena_strf(t->a, "{\"content\":%.*s}", STR_FMT(raw)) : STR_NONE;
}

static bool calls_tools(const struct chat_message *m)
{
    for (size_t i = 0; i < m->n_parts; i++)
        if (m->parts[i].kind == CHAT_TOOL_CALL)
            return true;
    return false;
}

int ollama_read_answer(struct arena *a, struct str body, struct chat_answer *ret,
                       struct json_fault *fault)
{
    struct chat_answer answer = {.n_choices = 1};
    struct llm_report told = {.has_usage = false};
    struct chat_message m = {.n_parts = 0};
    struct tree t;
    struct node root = tree_open(&t, a, body, fault), message = tree_object(&t, root, "message");
    struct chat_choice *c = tree_array_of(&t, struct chat_choice, 1);

    if (!tree_failed(&t) && !node_given(message))
        tree_wrong(&t, STR("message"), "is required");
    answer.choices = c;
    answer.model = tree_text(&t, root, "model");
    if (!tree_failed(&t))
        ollama_read_message(&t, message, &m);
    if (!tree_failed(&t)) {
        c->parts = m.parts;
        c->n_parts = m.n_parts;
        c->finish_word = tree_text(&t, root, "done_reason");
        c->finish = finish_of(c->finish_word, calls_tools(&m));
        c->logprobs = read_logprobs(&t, root);
    }
    (void)read_told(&t, root, &told);
    chat_answer_told(&answer, &told);
    tree_close(&t);
    if (t.r == CHAT_OK)
        *ret = answer;
    return t.r;
}

/* --- streams --- */

struct chat_reader {
    struct arena *a;
    bool begun, ended, called;
    int64_t calls; /* so many so far: their keys */
    struct llm_report told;
    struct flow flow;
};

struct chat_reader *ollama_reader(struct arena *a)
{
    struct chat_reader *r = arena_new0(a, struct chat_reader);

    if (r)
        r->a = a;
    return r;
}

static void call(struct chat_reader *r, struct events *e, const struct chat_part *p)
{
    struct flow_piece piece = {.key = r->calls,
                               .id = p->tool.id,
                               .name = p->tool.name,
                               .arguments = p->tool.arguments};

    r->calls++;
    r->called = true;
    flow_call(e, &r->flow, r->a, 0, &piece);
}

static void end(struct chat_reader *r, struct events *e)
{
    flow_end(e, &r->flow, &r->ended, &r->told);
}

static void done(struct chat_reader *r, struct tree *t, struct events *e, struct node root)
{
    struct str word = tree_text(t, root, "done_reason");

    flow_finish(e, &r->flow, finish_of(word, r->called), word);
    if (read_told(t, root, &r->told))
        events_add_told(e, CHAT_EVENT_USAGE, &r->told);
    end(r, e);
}

static void begin(struct chat_reader *r, struct tree *t, struct events *e, struct node root)
{
    if (r->begun)
        return;
    r->begun = true;
    events_add(e, CHAT_EVENT_BEGIN, 0, 0)->model = tree_text(t, root, "model");
}

static void frame(struct chat_reader *r, struct tree *t, struct events *e, struct str name,
                  struct node root)
{
    struct node message = tree_object(t, root, "message"), error = node_get(t, root, "error");
    struct chat_message m = {.n_parts = 0};
    struct str logprobs;

    if (node_given(error)) {
        events_add(e, CHAT_EVENT_ERROR, 0, 0)->text = node_text(t, error);
        return;
    }
    begin(r, t, e, root);
    if (node_given(message))
        ollama_read_message(t, message, &m);
    for (size_t i = 0; i < m.n_parts && !tree_failed(t); i++) {
        const struct chat_part *p = &m.parts[i];

        if (p->kind == CHAT_TOOL_CALL)
            call(r, e, p);
        else if (p->kind == CHAT_TEXT || p->kind == CHAT_THINKING)
            flow_text(e, &r->flow, 0, p->kind, p->text);
    }
    logprobs = read_logprobs(t, root);
    if (logprobs.p)
        events_add(e, CHAT_EVENT_LOGPROBS, 0, 0)->text = logprobs;
    if (tree_bool(t, root, "done") == 1)
        done(r, t, e, root);
}

int ollama_read_event(struct chat_reader *r, struct arena *turn, const struct sse_event *event,
                      struct chat_events *ret)
{
    static const struct events_reading how = {.frame = frame, .end = end};

    if (!event || !r->ended)
        return events_read(&how, r, turn, event, ret);
    *ret = (struct chat_events){.n = 0};
    return CHAT_OK;
}
