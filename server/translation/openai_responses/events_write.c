/* events_write.c: neutral events as a stream in the Responses format.
 *
 * Odd: the end of every part, of every item and of the whole repeats all that was said before, so
 * the writer keeps the text of each part. Each part is an item of its own. */
#include "base/bounds.h"
#include "translation/events.h"
#include "translation/openai_responses/responses.h"
#include "translation/put.h"

#define PARTS_MAX 512

struct chat_writer {
    struct arena *a;
    struct str id, model;
    int64_t created_s, sequence;
    bool begun, has_usage;
    struct usage usage;
    struct chat_choice choice; /* parts: below, whole once they have ended */
    struct chat_part part[PARTS_MAX];
    struct {
        size_t number; /* the neutral one */
        bool open;
        struct buf text;
    } state[PARTS_MAX];
};

static void free_buf(void *b)
{
    buf_done(b);
}

struct chat_writer *responses_writer(struct arena *a, const struct chat_frame *frame)
{
    struct chat_writer *w = arena_new0(a, struct chat_writer);

    if (w) {
        w->a = a;
        w->id = frame->id;
        w->model = frame->model;
        w->created_s = frame->created_s;
        w->choice.parts = w->part;
    }
    return w;
}

struct line {
    struct json_writer w;
    struct buf *out;
};

static struct line open_event(struct chat_writer *w, const char *type, struct buf *out)
{
    struct line l = {.out = out};

    buf_puts(out, "event: ");
    buf_puts(out, type);
    buf_puts(out, "\ndata: ");
    json_begin(&l.w, out);
    json_open_object(&l.w);
    put_word(&l.w, "type", type);
    put_int(&l.w, "sequence_number", w->sequence++);
    return l;
}

static void close_event(struct line *l)
{
    json_close_object(&l->w);
    buf_puts(l->out, "\n\n");
}

static void whole(struct chat_writer *w, const struct chat_frame *frame, const char *type,
                  const char *status, bool done, struct buf *out)
{
    struct response_object o = {.id = w->id, .model = w->model, .created_s = w->created_s,
                                .status = status, .choice = done ? &w->choice : NULL,
                                .usage = done && w->has_usage ? &w->usage : NULL};
    struct line l = open_event(w, type, out);

    json_key(&l.w, "response");
    responses_put_object(&l.w, &o, frame);
    close_event(&l);
}

static void begin(struct chat_writer *w, const struct chat_frame *frame,
                  const struct chat_event *e, struct buf *out)
{
    w->begun = true;
    if (e->id.n)
        w->id = arena_str(w->a, e->id);
    if (e->model.n)
        w->model = arena_str(w->a, e->model);
    w->created_s = e->created_s ? e->created_s : w->created_s;
    whole(w, frame, "response.created", "in_progress", false, out);
    whole(w, frame, "response.in_progress", "in_progress", false, out);
}

/* -1: no item of this part. */
static int64_t item_of(const struct chat_writer *w, size_t number)
{
    for (size_t i = w->choice.n_parts; i-- > 0;)
        if (w->state[i].number == number)
            return (int64_t)i;
    return -1;
}

static void put_place(struct chat_writer *w, struct json_writer *j, size_t i, bool placed)
{
    const struct chat_part *p = &w->part[i];
    const char *kind = p->kind == CHAT_TOOL_CALL  ? p->tool.custom ? "ctc" : "fc"
                       : p->kind == CHAT_THINKING ? "rs"
                                                  : "msg";

    json_key(j, "item_id");
    json_raw(j, STR("\""));
    buf_puts(j->out, kind);
    buf_putc(j->out, '_');
    json_escape(j->out, w->id);
    buf_printf(j->out, "_%zu\"", i);
    put_int(j, "output_index", (int64_t)i);
    if (placed)
        put_int(j, p->kind == CHAT_THINKING ? "summary_index" : "content_index", 0);
}

static bool is_text(const struct chat_part *p)
{
    return p->kind == CHAT_TEXT || p->kind == CHAT_REFUSAL;
}

/* Texts have the list wherever they are told, though none is given here. */
static void put_logprobs(struct json_writer *j, const struct chat_part *p)
{
    if (p->kind == CHAT_TEXT)
        put_raw(j, "logprobs", STR("[]"));
}

/* {"type":"output_text","text":...} */
static void put_inner(struct json_writer *j, const struct chat_part *p, struct str text)
{
    json_key(j, "part");
    json_open_object(j);
    put_word(j, "type", p->kind == CHAT_THINKING  ? "summary_text"
                        : p->kind == CHAT_REFUSAL ? "refusal"
                                                  : "output_text");
    put_text(j, p->kind == CHAT_REFUSAL ? "refusal" : "text", text);
    if (p->kind == CHAT_TEXT)
        put_raw(j, "annotations", STR("[]"));
    put_logprobs(j, p);
    json_close_object(j);
}

static void inner_event(struct chat_writer *w, size_t i, const char *type, struct str text,
                        struct buf *out)
{
    struct line l = open_event(w, type, out);

    put_place(w, &l.w, i, true);
    put_inner(&l.w, &w->part[i], text);
    close_event(&l);
}

static void part(struct chat_writer *w, const struct chat_event *e, struct buf *out)
{
    size_t i = w->choice.n_parts;
    struct chat_part *p = &w->part[i];
    struct line l;

    if (i == PARTS_MAX || arena_defer(w->a, free_buf, &w->state[i].text))
        return;
    buf_init(&w->state[i].text, BOUND_SSE_EVENT_BYTES);
    w->choice.n_parts++;
    w->state[i].number = e->number;
    w->state[i].open = true;
    *p = (struct chat_part){.kind = e->part_kind};
    p->tool.id = e->id.p ? arena_str(w->a, e->id) : STR_NONE;
    p->tool.name = e->name.p ? arena_str(w->a, e->name) : STR_NONE;
    p->tool.custom = e->custom;
    if (e->part_kind == CHAT_REDACTED)
        buf_put_str(&w->state[i].text, e->text);
    l = open_event(w, "response.output_item.added", out);
    put_int(&l.w, "output_index", (int64_t)i);
    json_key(&l.w, "item");
    responses_put_part_item(&l.w, p, w->id, i, false);
    close_event(&l);
    if (is_text(p))
        inner_event(w, i, "response.content_part.added", STR(""), out);
    else if (p->kind == CHAT_THINKING)
        inner_event(w, i, "response.reasoning_summary_part.added", STR(""), out);
}

static const char *delta_type(const struct chat_part *p, bool done)
{
    switch (p->kind) {
    case CHAT_TEXT:
        return done ? "response.output_text.done" : "response.output_text.delta";
    case CHAT_REFUSAL:
        return done ? "response.refusal.done" : "response.refusal.delta";
    case CHAT_THINKING:
        return done ? "response.reasoning_summary_text.done"
                    : "response.reasoning_summary_text.delta";
    case CHAT_TOOL_CALL:
        if (p->tool.custom)
            return done ? "response.custom_tool_call_input.done"
                        : "response.custom_tool_call_input.delta";
        return done ? "response.function_call_arguments.done"
                    : "response.function_call_arguments.delta";
    case CHAT_REDACTED:
    case CHAT_IMAGE:
    case CHAT_AUDIO:
    case CHAT_VIDEO:
    case CHAT_DOCUMENT:
    case CHAT_TOOL_RESULT:
    case CHAT_FOREIGN:
    case CHAT_PART_KINDS:
        break;
    }
    return NULL;
}

static void delta(struct chat_writer *w, const struct chat_event *e, struct buf *out)
{
    int64_t i = item_of(w, e->number);
    const char *type = i < 0 ? NULL : delta_type(&w->part[i], false);
    struct line l;

    if (!type)
        return;
    buf_put_str(&w->state[i].text, e->text);
    l = open_event(w, type, out);
    put_place(w, &l.w, (size_t)i, w->part[i].kind != CHAT_TOOL_CALL);
    put_text(&l.w, "delta", e->text);
    put_logprobs(&l.w, &w->part[i]);
    close_event(&l);
}

static const char *done_member(const struct chat_part *p)
{
    if (p->kind == CHAT_TOOL_CALL)
        return p->tool.custom ? "input" : "arguments";
    return p->kind == CHAT_REFUSAL ? "refusal" : "text";
}

static void part_end(struct chat_writer *w, size_t number, struct buf *out)
{
    int64_t i = item_of(w, number);
    struct chat_part *p = i < 0 ? NULL : &w->part[i];
    const char *type = p ? delta_type(p, true) : NULL;
    struct str text = p ? buf_str(&w->state[i].text) : STR_NONE;
    struct line l;

    if (!p || !w->state[i].open)
        return;
    w->state[i].open = false;
    if (p->kind == CHAT_TOOL_CALL)
        p->tool.arguments = text;
    else
        p->text = text;
    if (type) {
        l = open_event(w, type, out);
        put_place(w, &l.w, (size_t)i, p->kind != CHAT_TOOL_CALL);
        put_text(&l.w, done_member(p), text);
        put_logprobs(&l.w, p);
        close_event(&l);
    }
    if (is_text(p))
        inner_event(w, (size_t)i, "response.content_part.done", text, out);
    else if (p->kind == CHAT_THINKING)
        inner_event(w, (size_t)i, "response.reasoning_summary_part.done", text, out);
    l = open_event(w, "response.output_item.done", out);
    put_int(&l.w, "output_index", i);
    json_key(&l.w, "item");
    responses_put_part_item(&l.w, p, w->id, (size_t)i, true);
    close_event(&l);
}

static void end(struct chat_writer *w, const struct chat_frame *frame, struct buf *out)
{
    bool cut = w->choice.finish == CHAT_FINISH_LENGTH || w->choice.finish == CHAT_FINISH_CONTEXT ||
               w->choice.finish == CHAT_FINISH_FILTER;

    for (size_t i = 0; i < w->choice.n_parts; i++)
        part_end(w, w->state[i].number, out);
    whole(w, frame, cut ? "response.incomplete" : "response.completed", "completed", true, out);
}

static void sign(struct chat_writer *w, const struct chat_event *e)
{
    int64_t i = item_of(w, e->number);

    if (i >= 0)
        w->part[i].signature = arena_str(w->a, e->text);
}

static bool has_item(enum chat_part_kind kind)
{
    return kind == CHAT_TEXT || kind == CHAT_REFUSAL || kind == CHAT_THINKING ||
           kind == CHAT_REDACTED || kind == CHAT_TOOL_CALL;
}

void responses_write_event(struct chat_writer *w, const struct chat_frame *frame,
                           const struct chat_event *e, struct buf *out)
{
    if (e->choice)
        return;
    if (!w->begun && e->kind != CHAT_EVENT_ERROR)
        begin(w, frame, e->kind == CHAT_EVENT_BEGIN ? e : &(struct chat_event){0}, out);
    switch (e->kind) {
    case CHAT_EVENT_PART:
        if (has_item(e->part_kind))
            part(w, e, out);
        break;
    case CHAT_EVENT_DELTA:
        delta(w, e, out);
        break;
    case CHAT_EVENT_SIGNATURE:
        sign(w, e);
        break;
    case CHAT_EVENT_PART_END:
        part_end(w, e->number, out);
        break;
    case CHAT_EVENT_FINISH:
        w->choice.finish = e->finish;
        break;
    case CHAT_EVENT_USAGE:
        w->has_usage = true;
        w->usage = e->usage;
        break;
    case CHAT_EVENT_CUT:
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
