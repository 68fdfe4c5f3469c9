/* events_read.c: the events of a stream in the Responses format as neutral ones.
 *
 * A part is told by its item (thoughts, calls) or by its place in an item (text), so parts are found
 * by that pair. */
#include "translation/events.h"
#include "translation/openai_responses/responses.h"
#include "translation/tree.h"

#define PARTS_MAX 512

struct chat_reader {
    struct arena *a;
    bool begun, ended, called, refused;
    struct llm_report told;
    size_t n;
    struct {
        int64_t item, place; /* output_index, content_index; -1: the item itself */
        enum chat_part_kind kind;
        bool open;
        bool custom;
        bool empty; /* a call without arguments so far */
    } part[PARTS_MAX];
};

struct chat_reader *responses_reader(struct arena *a)
{
    struct chat_reader *r = arena_new0(a, struct chat_reader);

    if (r)
        r->a = a;
    return r;
}

/* -1: none. */
static int64_t part_at(const struct chat_reader *r, int64_t item, int64_t place)
{
    for (size_t i = r->n; i-- > 0;)
        if (r->part[i].item == item && r->part[i].place == place)
            return (int64_t)i;
    return -1;
}

static struct chat_event *begin_part(struct chat_reader *r, struct events *e, int64_t item,
                                     int64_t place, enum chat_part_kind kind)
{
    struct chat_event *event;

    if (r->n == PARTS_MAX || part_at(r, item, place) >= 0)
        return NULL;
    r->part[r->n].item = item;
    r->part[r->n].place = place;
    r->part[r->n].kind = kind;
    r->part[r->n].open = true;
    r->part[r->n].empty = kind == CHAT_TOOL_CALL;
    event = events_add(e, CHAT_EVENT_PART, 0, r->n++);
    event->part_kind = kind;
    return event;
}

static void end_part(struct chat_reader *r, struct events *e, int64_t i)
{
    if (i < 0 || !r->part[i].open)
        return;
    if (r->part[i].empty && !r->part[i].custom)
        flow_delta(e, 0, (size_t)i, CHAT_TOOL_CALL, STR("{}"));
    events_add(e, CHAT_EVENT_PART_END, 0, (size_t)i)->part_kind = r->part[i].kind;
    r->part[i].open = false;
}

static void begin(struct chat_reader *r, struct tree *t, struct events *e, struct node response)
{
    struct node created = node_get(t, response, "created_at");
    struct chat_event *event;

    if (r->begun)
        return;
    r->begun = true;
    event = events_add(e, CHAT_EVENT_BEGIN, 0, 0);
    event->id = tree_text(t, response, "id");
    event->model = tree_text(t, response, "model");
    event->created_s = node_is(created, JSON_INT) ? json_i64(created.v) : 0;
}

static void item_added(struct chat_reader *r, struct tree *t, struct events *e, struct node root)
{
    int64_t index = tree_int(t, root, "output_index", 0, 0);
    struct node item = tree_object(t, root, "item");
    struct str type = tree_text(t, item, "type");
    bool custom = str_eq_c(type, "custom_tool_call");
    struct chat_event *event = NULL;

    if (str_eq_c(type, "reasoning"))
        (void)begin_part(r, e, index, -1, CHAT_THINKING);
    else if (custom || str_eq_c(type, "function_call"))
        event = begin_part(r, e, index, -1, CHAT_TOOL_CALL);
    if (!event)
        return;
    r->called = true;
    r->part[r->n - 1].custom = custom;
    event->id = tree_text(t, item, "call_id");
    event->name = tree_text(t, item, "name");
    event->custom = custom;
}

/* A thought's seal comes with the item's end. */
static void item_done(struct chat_reader *r, struct tree *t, struct events *e, struct node root)
{
    int64_t i = part_at(r, tree_int(t, root, "output_index", 0, 0), -1);
    struct str sealed = tree_text(t, tree_object(t, root, "item"), "encrypted_content");

    if (i < 0)
        return;
    if (r->part[i].kind == CHAT_THINKING && sealed.n)
        events_add(e, CHAT_EVENT_SIGNATURE, 0, (size_t)i)->text =
            chat_seal_read(e->a, OPENAI_SEALED, sealed);
    end_part(r, e, i);
}

static void delta(struct chat_reader *r, struct tree *t, struct events *e, struct node root,
                  enum chat_part_kind kind, bool placed)
{
    int64_t item = tree_int(t, root, "output_index", 0, 0);
    int64_t place = placed ? tree_int(t, root, "content_index", 0, 0) : -1;
    int64_t i = part_at(r, item, place);
    struct str text = tree_text(t, root, "delta");

    if (i < 0 && begin_part(r, e, item, place, kind))
        i = (int64_t)r->n - 1;
    if (i < 0)
        return;
    r->part[i].empty = r->part[i].empty && !text.n;
    r->refused = r->refused || kind == CHAT_REFUSAL;
    flow_delta(e, 0, (size_t)i, r->part[i].kind, text);
}

/* A further paragraph of a summary. */
static void paragraph(struct chat_reader *r, struct tree *t, struct events *e, struct node root)
{
    int64_t i = part_at(r, tree_int(t, root, "output_index", 0, 0), -1);

    if (i >= 0 && tree_int(t, root, "summary_index", 0, 0) > 0)
        flow_delta(e, 0, (size_t)i, CHAT_THINKING, STR("\n\n"));
}

static void end(struct chat_reader *r, struct events *e)
{
    if (r->ended)
        return;
    r->ended = true;
    for (size_t i = 0; i < r->n; i++)
        end_part(r, e, (int64_t)i);
    events_add_told(e, CHAT_EVENT_END, &r->told);
}

static void finished(struct chat_reader *r, struct tree *t, struct events *e,
                     struct node response)
{
    struct str why = tree_text(t, tree_object(t, response, "incomplete_details"), "reason");
    struct chat_event *event;

    for (size_t i = 0; i < r->n; i++)
        end_part(r, e, (int64_t)i);
    event = events_add(e, CHAT_EVENT_FINISH, 0, 0);
    event->word = why.p ? why : tree_text(t, response, "status");
    if (why.p)
        event->finish = str_eq_c(why, "max_output_tokens") ? CHAT_FINISH_LENGTH
                        : str_eq_c(why, "content_filter")  ? CHAT_FINISH_FILTER
                                                           : CHAT_FINISH_OTHER;
    else
        event->finish = r->called    ? CHAT_FINISH_TOOLS
                        : r->refused ? CHAT_FINISH_REFUSAL
                                     : CHAT_FINISH_STOP;
    if (responses_read_told(t, response, &r->told))
        events_add_told(e, CHAT_EVENT_USAGE, &r->told);
    end(r, e);
}

static void failed(struct tree *t, struct events *e, struct node error)
{
    struct chat_event *event = events_add(e, CHAT_EVENT_ERROR, 0, 0);

    event->text = tree_text(t, error, "message");
    event->word = tree_text(t, error, "code");
}

/* What the deltas of an event are, and whether they have a place in their item. */
static const struct {
    const char *type;
    enum chat_part_kind kind;
    bool placed;
} deltas[] = {
    {"response.output_text.delta", CHAT_TEXT, true},
    {"response.refusal.delta", CHAT_REFUSAL, true},
    {"response.reasoning_summary_text.delta", CHAT_THINKING, false},
    {"response.reasoning_text.delta", CHAT_THINKING, false},
    {"response.function_call_arguments.delta", CHAT_TOOL_CALL, false},
    {"response.custom_tool_call_input.delta", CHAT_TOOL_CALL, false},
};

static void frame(struct chat_reader *r, struct tree *t, struct events *e, struct str name,
                  struct node root)
{
    struct str type = tree_needs_text(t, root, "type");
    struct node response = tree_object(t, root, "response");

    for (size_t i = 0; i < ARRAY_LEN(deltas); i++)
        if (str_eq_c(type, deltas[i].type))
            delta(r, t, e, root, deltas[i].kind, deltas[i].placed);
    if (str_eq_c(type, "response.created"))
        begin(r, t, e, response);
    else if (str_eq_c(type, "response.output_item.added"))
        item_added(r, t, e, root);
    else if (str_eq_c(type, "response.output_item.done"))
        item_done(r, t, e, root);
    else if (str_eq_c(type, "response.reasoning_summary_part.added"))
        paragraph(r, t, e, root);
    else if (str_eq_c(type, "response.content_part.done"))
        end_part(r, e, part_at(r, tree_int(t, root, "output_index", 0, 0),
                               tree_int(t, root, "content_index", 0, 0)));
    else if (str_eq_c(type, "response.completed") || str_eq_c(type, "response.incomplete"))
        finished(r, t, e, response);
    else if (str_eq_c(type, "response.failed"))
        failed(t, e, tree_object(t, response, "error"));
    else if (str_eq_c(type, "error"))
        failed(t, e, node_given(tree_object(t, root, "error")) ? tree_object(t, root, "error")
                                                               : root);
}

int responses_read_event(struct chat_reader *r, struct arena *turn, const struct sse_event *event,
                         struct chat_events *ret)
{
    static const struct events_reading how = {.frame = frame, .end = end, .has_mark = true};

    return events_read(&how, r, turn, event, ret);
}
