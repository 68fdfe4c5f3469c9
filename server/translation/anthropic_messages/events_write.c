/* events_write.c: neutral events as a stream in Anthropic's Messages format.
 *
 * Odd: how a turn ended and what was used come in one event, `message_delta`, so the finish is kept
 * until the end; and only the first choice has a place. */
#include "translation/anthropic_messages/messages.h"
#include "translation/events.h"
#include "translation/put.h"

struct chat_writer {
    bool begun;
    enum chat_finish finish;
    struct str sequence;
    struct usage usage;
    size_t n_blocks;
    struct {
        size_t number;
        bool open;
    } block[EVENTS_CALLS * 2];
    struct arena *a;
};

struct chat_writer *anthropic_writer(struct arena *a, const struct chat_frame *frame)
{
    struct chat_writer *w = arena_new0(a, struct chat_writer);

    (void)frame;
    if (w)
        w->a = a;
    return w;
}

struct line {
    struct json_writer w;
    struct buf *out;
};

static struct line open_event(const char *type, struct buf *out)
{
    struct line l = {.out = out};

    buf_puts(out, "event: ");
    buf_puts(out, type);
    buf_puts(out, "\ndata: ");
    json_begin(&l.w, out);
    json_open_object(&l.w);
    put_word(&l.w, "type", type);
    return l;
}

static void close_event(struct line *l)
{
    json_close_object(&l->w);
    buf_puts(l->out, "\n\n");
}

static void begin(struct chat_writer *w, const struct chat_frame *frame,
                  const struct chat_event *e, struct buf *out)
{
    struct line l = open_event("message_start", out);

    w->begun = true;
    json_key(&l.w, "message");
    json_open_object(&l.w);
    put_text(&l.w, "id", e->id.n ? e->id : frame->id);
    put_word(&l.w, "type", "message");
    put_word(&l.w, "role", "assistant");
    put_text(&l.w, "model", e->model.n ? e->model : frame->model);
    put_raw(&l.w, "content", STR("[]"));
    put_raw(&l.w, "stop_reason", STR("null"));
    put_raw(&l.w, "stop_sequence", STR("null"));
    anthropic_put_usage(&l.w, &w->usage, &(struct chat_frame){.has_cost = false});
    json_close_object(&l.w);
    close_event(&l);
}

/* -1: this part has no block. */
static int64_t block_of(const struct chat_writer *w, size_t number)
{
    for (size_t i = w->n_blocks; i-- > 0;)
        if (w->block[i].number == number)
            return (int64_t)i;
    return -1;
}

static bool has_block(enum chat_part_kind kind)
{
    return kind == CHAT_TEXT || kind == CHAT_REFUSAL || kind == CHAT_THINKING ||
           kind == CHAT_REDACTED || kind == CHAT_TOOL_CALL;
}

static void part(struct chat_writer *w, const struct chat_event *e, struct buf *out)
{
    struct line l;

    if (!has_block(e->part_kind) || w->n_blocks == ARRAY_LEN(w->block))
        return;
    w->block[w->n_blocks].number = e->number;
    w->block[w->n_blocks].open = true;
    l = open_event("content_block_start", out);
    put_int(&l.w, "index", (int64_t)w->n_blocks++);
    json_key(&l.w, "content_block");
    json_open_object(&l.w);
    if (e->part_kind == CHAT_TOOL_CALL) {
        put_word(&l.w, "type", "tool_use");
        put_text(&l.w, "id", e->id);
        put_text(&l.w, "name", e->name);
        put_raw(&l.w, "input", STR("{}"));
    } else if (e->part_kind == CHAT_THINKING) {
        put_word(&l.w, "type", "thinking");
        put_text(&l.w, "thinking", STR(""));
        put_text(&l.w, "signature", STR(""));
    } else if (e->part_kind == CHAT_REDACTED) {
        put_word(&l.w, "type", "redacted_thinking");
        put_text(&l.w, "data", e->text.p ? e->text : STR(""));
    } else {
        put_word(&l.w, "type", "text");
        put_text(&l.w, "text", STR(""));
    }
    json_close_object(&l.w);
    close_event(&l);
}

static void delta(const struct chat_writer *w, const struct chat_event *e, const char *type,
                  const char *member, struct buf *out)
{
    int64_t index = block_of(w, e->number);
    struct line l;

    if (index < 0)
        return;
    l = open_event("content_block_delta", out);
    put_int(&l.w, "index", index);
    json_key(&l.w, "delta");
    json_open_object(&l.w);
    put_word(&l.w, "type", type);
    put_text(&l.w, member, e->text);
    json_close_object(&l.w);
    close_event(&l);
}

static void text_delta(const struct chat_writer *w, const struct chat_event *e, struct buf *out)
{
    if (e->part_kind == CHAT_TOOL_CALL)
        delta(w, e, "input_json_delta", "partial_json", out);
    else if (e->part_kind == CHAT_THINKING)
        delta(w, e, "thinking_delta", "thinking", out);
    else
        delta(w, e, "text_delta", "text", out);
}

static void part_end(struct chat_writer *w, size_t number, struct buf *out)
{
    int64_t index = block_of(w, number);
    struct line l;

    if (index < 0 || !w->block[index].open)
        return;
    w->block[index].open = false;
    l = open_event("content_block_stop", out);
    put_int(&l.w, "index", index);
    close_event(&l);
}

static void finish(struct chat_writer *w, const struct chat_event *e)
{
    w->finish = e->finish;
    w->sequence = e->sequence.n ? arena_str(w->a, e->sequence) : STR_NONE;
}

static void stop(struct chat_writer *w, const struct chat_frame *frame, struct buf *out)
{
    struct line l;

    for (size_t i = 0; i < w->n_blocks; i++)
        part_end(w, w->block[i].number, out);
    l = open_event("message_delta", out);
    json_key(&l.w, "delta");
    json_open_object(&l.w);
    json_key(&l.w, "stop_reason");
    json_cstr(&l.w, anthropic_finish_word(w->finish));
    json_key(&l.w, "stop_sequence");
    if (w->sequence.p)
        json_str(&l.w, w->sequence);
    else
        json_null(&l.w);
    json_close_object(&l.w);
    anthropic_put_usage(&l.w, &w->usage, frame);
    if (frame->members.p)
        json_raw(&l.w, frame->members);
    close_event(&l);
}

static void end(struct chat_writer *w, const struct chat_frame *frame, struct buf *out)
{
    struct line l;

    stop(w, frame, out);
    l = open_event("message_stop", out);
    close_event(&l);
}

void anthropic_write_event(struct chat_writer *w, const struct chat_frame *frame,
                           const struct chat_event *e, struct buf *out)
{
    if (e->choice)
        return;
    if (!w->begun && e->kind != CHAT_EVENT_ERROR)
        begin(w, frame, e->kind == CHAT_EVENT_BEGIN ? e : &(struct chat_event){0}, out);
    switch (e->kind) {
    case CHAT_EVENT_PART:
        part(w, e, out);
        break;
    case CHAT_EVENT_DELTA:
        text_delta(w, e, out);
        break;
    case CHAT_EVENT_SIGNATURE:
        delta(w, e, "signature_delta", "signature", out);
        break;
    case CHAT_EVENT_PART_END:
        part_end(w, e->number, out);
        break;
    case CHAT_EVENT_FINISH:
        finish(w, e);
        break;
    case CHAT_EVENT_USAGE:
        w->usage = e->usage;
        break;
    case CHAT_EVENT_CUT:
        stop(w, frame, out);
        break;
    case CHAT_EVENT_END:
        end(w, frame, out);
        break;
    case CHAT_EVENT_BEGIN:
    case CHAT_EVENT_SOURCES:
    case CHAT_EVENT_LOGPROBS:
    case CHAT_EVENT_ERROR: /* put_error of dialect.h */
        break;
    }
}
