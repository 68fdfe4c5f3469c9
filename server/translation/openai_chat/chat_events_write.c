/* chat_events_write.c: neutral events as the chunks of a stream in OpenAI's chat format. */
#include "translation/events.h"
#include "translation/openai_chat/neutral.h"
#include "translation/put.h"

struct chat_writer {
    struct arena *a;
    struct str id, model; /* in it, or the frame's: an event's own text goes with its turn */
    int64_t created_s;
    bool begun;
    struct { /* of the calls that have begun: which part is which call of its choice */
        int64_t choice;
        size_t number, index;
    } calls[EVENTS_CALLS];
    size_t n_calls;
    bool has_usage;
    struct usage usage;
};

struct chat_writer *openai_chat_writer(struct arena *a, const struct chat_frame *frame)
{
    struct chat_writer *w = arena_new0(a, struct chat_writer);

    if (w) {
        w->a = a;
        w->id = frame->id;
        w->model = frame->model;
        w->created_s = frame->created_s;
    }
    return w;
}

struct chunk {
    struct json_writer w;
    struct buf *out;
};

/* Opens `data: {head, "choices": [` and, unless bare, a choice with its delta. */
static struct chunk open_chunk(struct chat_writer *w, const struct chat_frame *frame,
                               struct buf *out)
{
    struct chunk c = {.out = out};

    buf_puts(out, "data: ");
    json_begin(&c.w, out);
    json_open_object(&c.w);
    openai_put_head(&c.w, "chat.completion.chunk", frame, w->id, w->model, w->created_s);
    json_key(&c.w, "choices");
    json_open_array(&c.w);
    return c;
}

static void close_chunk(struct chunk *c)
{
    json_close_object(&c->w);
    buf_puts(c->out, "\n\n");
}

static struct chunk open_delta(struct chat_writer *w, const struct chat_frame *frame,
                               int64_t choice, struct buf *out)
{
    struct chunk c = open_chunk(w, frame, out);

    json_open_object(&c.w);
    put_int(&c.w, "index", choice);
    json_key(&c.w, "delta");
    json_open_object(&c.w);
    return c;
}

static void close_delta(struct chunk *c, const char *finish)
{
    json_close_object(&c->w);
    json_key(&c->w, "finish_reason");
    json_cstr(&c->w, finish);
    json_close_object(&c->w);
    json_close_array(&c->w);
    close_chunk(c);
}

static size_t call_index(const struct chat_writer *w, int64_t choice, size_t number)
{
    for (size_t i = w->n_calls; i-- > 0;)
        if (w->calls[i].choice == choice && w->calls[i].number == number)
            return w->calls[i].index;
    return 0;
}

static size_t new_call(struct chat_writer *w, int64_t choice, size_t number)
{
    size_t index = 0;

    for (size_t i = 0; i < w->n_calls; i++)
        index += w->calls[i].choice == choice;
    if (w->n_calls < EVENTS_CALLS) {
        w->calls[w->n_calls].choice = choice;
        w->calls[w->n_calls].number = number;
        w->calls[w->n_calls++].index = index;
    }
    return index;
}

/* One element of delta.tool_calls; a first one names the call. */
static void put_call(struct json_writer *w, size_t index, const struct chat_event *e, bool first)
{
    json_key(w, "tool_calls");
    json_open_array(w);
    json_open_object(w);
    put_int(w, "index", (int64_t)index);
    if (first) {
        put_text(w, "id", e->id);
        put_word(w, "type", e->custom ? "custom" : "function");
    }
    json_key(w, e->custom ? "custom" : "function");
    json_open_object(w);
    if (first)
        put_text(w, "name", e->name);
    put_text(w, e->custom ? "input" : "arguments", e->text.p ? e->text : STR(""));
    json_close_object(w);
    json_close_object(w);
    json_close_array(w);
}

static const char *member_of(enum chat_part_kind kind)
{
    return kind == CHAT_TEXT       ? "content"
           : kind == CHAT_THINKING ? "reasoning_content"
           : kind == CHAT_REFUSAL  ? "refusal"
                                   : NULL;
}

static void delta(struct chat_writer *w, const struct chat_frame *frame,
                  const struct chat_event *e, struct buf *out)
{
    const char *member = member_of(e->part_kind);
    struct chunk c;

    if (!member && e->part_kind != CHAT_TOOL_CALL)
        return;
    c = open_delta(w, frame, e->choice, out);
    if (member)
        put_text(&c.w, member, e->text);
    else
        put_call(&c.w, call_index(w, e->choice, e->number), e, false);
    close_delta(&c, NULL);
}

static void part(struct chat_writer *w, const struct chat_frame *frame,
                 const struct chat_event *e, struct buf *out)
{
    struct chunk c;

    if (e->part_kind == CHAT_TOOL_CALL) {
        c = open_delta(w, frame, e->choice, out);
        put_call(&c.w, new_call(w, e->choice, e->number), e, true);
        close_delta(&c, NULL);
    } else if (e->text.n && e->part_kind == CHAT_REDACTED) {
        c = open_delta(w, frame, e->choice, out);
        json_key(&c.w, "reasoning_details");
        json_open_array(&c.w);
        json_open_object(&c.w);
        put_word(&c.w, "type", "reasoning.encrypted");
        put_text(&c.w, "data", e->text);
        json_close_object(&c.w);
        json_close_array(&c.w);
        close_delta(&c, NULL);
    } else if (e->text.n) {
        delta(w, frame, e, out);
    }
}

static void signature(struct chat_writer *w, const struct chat_frame *frame,
                      const struct chat_event *e, struct buf *out)
{
    struct chunk c = open_delta(w, frame, e->choice, out);

    json_key(&c.w, "reasoning_details");
    json_open_array(&c.w);
    json_open_object(&c.w);
    put_word(&c.w, "type", "reasoning.text");
    put_text(&c.w, "signature", e->text);
    json_close_object(&c.w);
    json_close_array(&c.w);
    close_delta(&c, NULL);
}

static void begin(struct chat_writer *w, const struct chat_frame *frame,
                  const struct chat_event *e, struct buf *out)
{
    struct chunk c;

    w->id = e->id.n ? arena_str(w->a, e->id) : w->id;
    w->model = e->model.n ? arena_str(w->a, e->model) : w->model;
    w->created_s = e->created_s ? e->created_s : w->created_s;
    c = open_delta(w, frame, 0, out);
    put_word(&c.w, "role", "assistant");
    put_text(&c.w, "content", STR(""));
    close_delta(&c, NULL);
}

static void logprobs(struct chat_writer *w, const struct chat_frame *frame,
                     const struct chat_event *e, struct buf *out)
{
    struct chunk c = open_delta(w, frame, e->choice, out);

    json_close_object(&c.w);
    put_raw(&c.w, "logprobs", e->text);
    json_key(&c.w, "finish_reason");
    json_null(&c.w);
    json_close_object(&c.w);
    json_close_array(&c.w);
    close_chunk(&c);
}

static void end(struct chat_writer *w, const struct chat_frame *frame, struct buf *out)
{
    struct chunk c;

    if (frame->wants_usage && w->has_usage) {
        c = open_chunk(w, frame, out);
        json_close_array(&c.w);
        openai_put_usage(&c.w, &w->usage, frame);
        if (frame->members.p)
            json_raw(&c.w, frame->members);
        close_chunk(&c);
    }
    buf_puts(out, "data: [DONE]\n\n");
}

void openai_chat_write_event(struct chat_writer *w, const struct chat_frame *frame,
                             const struct chat_event *e, struct buf *out)
{
    struct chunk c;

    switch (e->kind) {
    case CHAT_EVENT_BEGIN:
        begin(w, frame, e, out);
        break;
    case CHAT_EVENT_PART:
        part(w, frame, e, out);
        break;
    case CHAT_EVENT_DELTA:
        delta(w, frame, e, out);
        break;
    case CHAT_EVENT_SIGNATURE:
        signature(w, frame, e, out);
        break;
    case CHAT_EVENT_LOGPROBS:
        logprobs(w, frame, e, out);
        break;
    case CHAT_EVENT_FINISH:
        c = open_delta(w, frame, e->choice, out);
        close_delta(&c, openai_finish_word(e->finish));
        break;
    case CHAT_EVENT_USAGE:
        w->has_usage = true;
        w->usage = e->usage;
        break;
    case CHAT_EVENT_END:
        end(w, frame, out);
        break;
    case CHAT_EVENT_SOURCES:
    case CHAT_EVENT_PART_END:
    case CHAT_EVENT_CUT: /* each choice has its finish */
    case CHAT_EVENT_ERROR: /* put_error of dialect.h */
        break;
    }
}
