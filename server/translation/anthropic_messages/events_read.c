/* events_read.c: the events of a stream in Anthropic's Messages format as neutral ones. */
#include "translation/anthropic_messages/messages.h"
#include "translation/events.h"
#include "translation/tree.h"

/* Blocks beyond these are left out. */
#define BLOCKS_MAX 512

enum block_state { BLOCK_NONE, BLOCK_OPEN, BLOCK_SKIPPED };

struct chat_reader {
    bool ended;
    struct llm_report told; /* in pieces: with the start, with the end */
    size_t next;
    struct {
        enum block_state state;
        enum chat_part_kind kind;
        size_t number;
        bool empty; /* a call without arguments so far */
    } block[BLOCKS_MAX];
};

struct chat_reader *anthropic_reader(struct arena *a)
{
    return arena_new0(a, struct chat_reader);
}

static void message_start(struct chat_reader *r, struct tree *t, struct events *e,
                          struct node root)
{
    struct node message = tree_object(t, root, "message");
    struct chat_event *event = events_add(e, CHAT_EVENT_BEGIN, 0, 0);

    event->id = tree_text(t, message, "id");
    event->model = tree_text(t, message, "model");
    if (!anthropic_read_usage(t, node_get(t, message, "usage"), &r->told))
        return;
    r->told.lacks_output = true; /* its first count says nothing of the answer */
    events_add_told(e, CHAT_EVENT_USAGE, &r->told);
}

static bool part_kind_of(struct str type, enum chat_part_kind *ret)
{
    static const struct {
        const char *type;
        enum chat_part_kind kind;
    } kinds[] = {{"text", CHAT_TEXT}, {"tool_use", CHAT_TOOL_CALL}, {"thinking", CHAT_THINKING},
                 {"redacted_thinking", CHAT_REDACTED}};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq_c(type, kinds[i].type)) {
            *ret = kinds[i].kind;
            return true;
        }
    return false;
}

static int64_t index_of(struct tree *t, struct node root)
{
    return MIN(tree_int(t, root, "index", 0, 0), (int64_t)BLOCKS_MAX - 1);
}

/* Blocks of the provider's own tools have no place in other formats. */
static void block_start(struct chat_reader *r, struct tree *t, struct events *e, struct node root)
{
    int64_t i = index_of(t, root);
    struct node at = tree_object(t, root, "content_block");
    enum chat_part_kind kind = CHAT_TEXT;
    struct chat_event *event;

    r->block[i].state = BLOCK_SKIPPED;
    if (!part_kind_of(tree_text(t, at, "type"), &kind))
        return;
    r->block[i].state = BLOCK_OPEN;
    r->block[i].kind = kind;
    r->block[i].number = r->next++;
    r->block[i].empty = true;
    event = events_add(e, CHAT_EVENT_PART, 0, r->block[i].number);
    event->part_kind = kind;
    event->id = tree_text(t, at, "id");
    event->name = tree_text(t, at, "name");
    if (kind == CHAT_REDACTED)
        event->text = tree_text(t, at, "data");
    if (kind == CHAT_TEXT || kind == CHAT_THINKING)
        flow_delta(e, 0, r->block[i].number, kind,
                   tree_text(t, at, kind == CHAT_TEXT ? "text" : "thinking"));
}

static void block_delta(struct chat_reader *r, struct tree *t, struct events *e, struct node root)
{
    int64_t i = index_of(t, root);
    struct node delta = tree_object(t, root, "delta"), cited = node_get(t, delta, "citation");
    struct str type = tree_text(t, delta, "type"), text = STR_NONE;
    struct str signature = tree_text(t, delta, "signature");

    if (r->block[i].state != BLOCK_OPEN)
        return;
    if (str_eq_c(type, "text_delta"))
        text = tree_text(t, delta, "text");
    else if (str_eq_c(type, "thinking_delta"))
        text = tree_text(t, delta, "thinking");
    else if (str_eq_c(type, "input_json_delta"))
        text = tree_text(t, delta, "partial_json");
    r->block[i].empty = r->block[i].empty && !text.n;
    flow_delta(e, 0, r->block[i].number, r->block[i].kind, text);
    if (signature.n)
        events_add(e, CHAT_EVENT_SIGNATURE, 0, r->block[i].number)->text = signature;
    if (node_given(cited))
        events_add(e, CHAT_EVENT_SOURCES, 0, r->block[i].number)->text = node_raw(t, cited);
}

static void block_stop(struct chat_reader *r, struct events *e, int64_t i)
{
    if (r->block[i].state == BLOCK_OPEN) {
        if (r->block[i].kind == CHAT_TOOL_CALL && r->block[i].empty)
            flow_delta(e, 0, r->block[i].number, CHAT_TOOL_CALL, STR("{}"));
        events_add(e, CHAT_EVENT_PART_END, 0, r->block[i].number)->part_kind = r->block[i].kind;
    }
    r->block[i].state = BLOCK_NONE;
}

static void message_delta(struct chat_reader *r, struct tree *t, struct events *e,
                          struct node root)
{
    struct node delta = tree_object(t, root, "delta");
    struct str word = tree_text(t, delta, "stop_reason");
    struct chat_event *event;

    if (word.n) {
        event = events_add(e, CHAT_EVENT_FINISH, 0, 0);
        event->finish = anthropic_finish_parse(word);
        event->word = word;
        event->sequence = tree_text(t, delta, "stop_sequence");
    }
    if (anthropic_read_usage(t, node_get(t, root, "usage"), &r->told))
        events_add_told(e, CHAT_EVENT_USAGE, &r->told);
}

static void end(struct chat_reader *r, struct events *e)
{
    if (r->ended)
        return;
    r->ended = true;
    for (int64_t i = 0; i < BLOCKS_MAX; i++)
        block_stop(r, e, i);
    events_add_told(e, CHAT_EVENT_END, &r->told);
}

static void failed(struct tree *t, struct events *e, struct node root)
{
    struct node error = tree_object(t, root, "error");
    struct chat_event *event = events_add(e, CHAT_EVENT_ERROR, 0, 0);

    event->text = tree_text(t, error, "message");
    event->word = tree_text(t, error, "type");
}

static void frame(struct chat_reader *r, struct tree *t, struct events *e, struct str name,
                  struct node root)
{
    struct str type = tree_needs_text(t, root, "type");

    if (str_eq_c(type, "message_start"))
        message_start(r, t, e, root);
    else if (str_eq_c(type, "content_block_start"))
        block_start(r, t, e, root);
    else if (str_eq_c(type, "content_block_delta"))
        block_delta(r, t, e, root);
    else if (str_eq_c(type, "content_block_stop"))
        block_stop(r, e, index_of(t, root));
    else if (str_eq_c(type, "message_delta"))
        message_delta(r, t, e, root);
    else if (str_eq_c(type, "message_stop"))
        end(r, e);
    else if (str_eq_c(type, "error"))
        failed(t, e, root);
    /* ping, and what later versions may add */
}

int anthropic_read_event(struct chat_reader *r, struct arena *turn, const struct sse_event *event,
                         struct chat_events *ret)
{
    static const struct events_reading how = {.frame = frame, .end = end};

    return events_read(&how, r, turn, event, ret);
}
