/* events_write.c: neutral events as a stream in Google's format.
 *
 * Odd: calls of tools go out whole, so their arguments are gathered; the end of the answers and what
 * was used go out in one last frame. */
#include "base/bounds.h"
#include "translation/events.h"
#include "translation/gemini/gemini.h"
#include "translation/put.h"

struct chat_writer {
    struct arena *a;
    struct str id, model;
    struct usage usage;
    enum chat_finish finish[EVENTS_CHOICES];
    size_t n_choices;
    size_t n_calls;
    struct {
        int64_t choice;
        size_t number;
        struct chat_part part;
        struct buf arguments; /* freed with the arena */
        bool open;
    } call[EVENTS_CALLS];
};

static void free_buf(void *b)
{
    buf_done(b);
}

struct chat_writer *gemini_writer(struct arena *a, const struct chat_frame *frame)
{
    struct chat_writer *w = arena_new0(a, struct chat_writer);

    if (w) {
        w->a = a;
        w->id = frame->id;
        w->model = frame->model;
        w->n_choices = 1;
    }
    return w;
}

struct frame {
    struct json_writer w;
    struct buf *out;
};

static struct frame open_frame(struct buf *out)
{
    struct frame f = {.out = out};

    buf_puts(out, "data: ");
    json_begin(&f.w, out);
    json_open_object(&f.w);
    json_key(&f.w, "candidates");
    json_open_array(&f.w);
    return f;
}

static void close_frame(struct chat_writer *w, struct frame *f)
{
    put_text(&f->w, "modelVersion", w->model);
    put_text(&f->w, "responseId", w->id);
    json_close_object(&f->w);
    buf_puts(f->out, "\r\n\r\n");
}

/* A frame of one candidate: a part of it, and what it is told of the tokens (OpenAI's form). */
static void one_candidate(struct chat_writer *w, int64_t choice, const struct chat_part *part,
                          struct str logprobs, struct buf *out)
{
    struct frame f = open_frame(out);
    struct chat_losses lost = {.n = 0};

    json_open_object(&f.w);
    json_key(&f.w, "content");
    json_open_object(&f.w);
    json_key(&f.w, "parts");
    json_open_array(&f.w);
    gemini_put_answer_part(&f.w, part, &lost);
    json_close_array(&f.w);
    put_word(&f.w, "role", "model");
    json_close_object(&f.w);
    gemini_put_logprobs(&f.w, logprobs);
    put_int(&f.w, "index", choice);
    json_close_object(&f.w);
    json_close_array(&f.w);
    close_frame(w, &f);
}

static void one_part(struct chat_writer *w, int64_t choice, const struct chat_part *part,
                     struct buf *out)
{
    one_candidate(w, choice, part, STR_NONE, out);
}

static void begin_call(struct chat_writer *w, const struct chat_event *e)
{
    size_t i = w->n_calls;

    if (i == EVENTS_CALLS || arena_defer(w->a, free_buf, &w->call[i].arguments))
        return;
    buf_init(&w->call[i].arguments, BOUND_SSE_EVENT_BYTES);
    w->call[i].choice = e->choice;
    w->call[i].number = e->number;
    w->call[i].open = true;
    w->call[i].part = (struct chat_part){.kind = CHAT_TOOL_CALL};
    w->call[i].part.tool.id = arena_str(w->a, e->id.p ? e->id : STR(""));
    w->call[i].part.tool.name = arena_str(w->a, e->name.p ? e->name : STR(""));
    w->n_calls++;
}

/* -1: no call of this number. */
static int64_t call_of(const struct chat_writer *w, const struct chat_event *e)
{
    for (size_t i = w->n_calls; i-- > 0;)
        if (w->call[i].choice == e->choice && w->call[i].number == e->number && w->call[i].open)
            return (int64_t)i;
    return -1;
}

static void end_call(struct chat_writer *w, const struct chat_event *e, struct buf *out)
{
    int64_t i = call_of(w, e);

    if (i < 0)
        return;
    w->call[i].open = false;
    w->call[i].part.tool.arguments = buf_str(&w->call[i].arguments);
    one_part(w, e->choice, &w->call[i].part, out);
}

static void delta(struct chat_writer *w, const struct chat_event *e, struct buf *out)
{
    struct chat_part part = {.kind = e->part_kind, .text = e->text};
    int64_t i = e->part_kind == CHAT_TOOL_CALL ? call_of(w, e) : -1;

    if (i >= 0)
        buf_put_str(&w->call[i].arguments, e->text);
    else if (e->part_kind == CHAT_TEXT || e->part_kind == CHAT_THINKING ||
             e->part_kind == CHAT_REFUSAL)
        one_part(w, e->choice, &part, out);
}

/* It comes behind what it signs, in an empty part, as in Google's own streams. */
static void signature(struct chat_writer *w, const struct chat_event *e, struct buf *out)
{
    const struct chat_part part = {
        .kind = CHAT_THINKING, .text = STR(""), .signature = e->text};

    one_part(w, e->choice, &part, out);
}

static void end(struct chat_writer *w, const struct chat_frame *frame, struct buf *out)
{
    struct frame f = open_frame(out);

    for (size_t i = 0; i < w->n_choices; i++) {
        json_open_object(&f.w);
        json_key(&f.w, "content");
        json_open_object(&f.w);
        put_raw(&f.w, "parts", STR("[{\"text\":\"\"}]"));
        put_word(&f.w, "role", "model");
        json_close_object(&f.w);
        put_word(&f.w, "finishReason", gemini_finish_word(w->finish[i]));
        put_int(&f.w, "index", (int64_t)i);
        json_close_object(&f.w);
    }
    json_close_array(&f.w);
    gemini_put_usage(&f.w, &w->usage, frame);
    if (frame->members.p)
        json_raw(&f.w, frame->members);
    close_frame(w, &f);
}

static void begin(struct chat_writer *w, const struct chat_event *e)
{
    if (e->id.n)
        w->id = arena_str(w->a, e->id);
    if (e->model.n)
        w->model = arena_str(w->a, e->model);
}

void gemini_write_event(struct chat_writer *w, const struct chat_frame *frame,
                        const struct chat_event *e, struct buf *out)
{
    static const struct chat_part nothing = {.kind = CHAT_TEXT, .text = STR("")};

    if (e->choice < 0 || e->choice >= EVENTS_CHOICES)
        return;
    w->n_choices = MAX(w->n_choices, (size_t)e->choice + 1);
    switch (e->kind) {
    case CHAT_EVENT_BEGIN:
        begin(w, e);
        break;
    case CHAT_EVENT_PART:
        if (e->part_kind == CHAT_TOOL_CALL)
            begin_call(w, e);
        break;
    case CHAT_EVENT_DELTA:
        delta(w, e, out);
        break;
    case CHAT_EVENT_PART_END:
        end_call(w, e, out);
        break;
    case CHAT_EVENT_FINISH:
        w->finish[e->choice] = e->finish;
        break;
    case CHAT_EVENT_USAGE:
        w->usage = e->usage;
        break;
    case CHAT_EVENT_CUT:
    case CHAT_EVENT_END:
        end(w, frame, out);
        break;
    case CHAT_EVENT_SIGNATURE:
        signature(w, e, out);
        break;
    case CHAT_EVENT_LOGPROBS:
        one_candidate(w, e->choice, &nothing, e->text, out);
        break;
    case CHAT_EVENT_SOURCES:
    case CHAT_EVENT_ERROR: /* put_error of dialect.h */
        break;
    }
}
