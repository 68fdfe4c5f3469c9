/* events.c: see events.h. */
#include "translation/events.h"

#include <errno.h>

#include "base/err.h"

struct chat_event *events_add(struct events *e, enum chat_event_kind kind, int64_t choice,
                              size_t number)
{
    static _Thread_local struct chat_event scratch;
    struct chat_event *made;

    if (e->r == 0 && e->n == e->room) {
        size_t room = e->room ? e->room * 2 : 8;
        struct chat_event *v = arena_array(e->a, struct chat_event, room);

        if (!v) {
            e->r = err_origin(-ENOMEM);
        } else {
            if (e->n)
                memcpy(v, e->v, e->n * sizeof(*v));
            e->v = v;
            e->room = room;
        }
    }
    made = e->r ? &scratch : &e->v[e->n++];
    *made = (struct chat_event){.kind = kind, .choice = choice, .number = number};
    return made;
}

void events_add_told(struct events *e, enum chat_event_kind kind, const struct llm_report *told)
{
    struct chat_event *event = events_add(e, kind, 0, 0);

    if (kind == CHAT_EVENT_USAGE) {
        event->usage = told->usage;
        event->lacks_prompt = told->lacks_prompt;
        event->lacks_output = told->lacks_output;
    }
    event->has_service = told->has_service;
    event->service = told->service;
}

int events_end(const struct events *e, struct chat_events *ret)
{
    if (e->r)
        return e->r;
    *ret = (struct chat_events){.v = e->v, .n = e->n};
    return CHAT_OK;
}

int events_read(const struct events_reading *how, struct chat_reader *r, struct arena *turn,
                const struct sse_event *event, struct chat_events *ret)
{
    struct json_fault fault;
    struct events e;
    struct tree t;

    events_begin(&e, turn);
    if (!event || (how->has_mark && str_eq(str_trim(event->data), STR("[DONE]")))) {
        how->end(r, &e);
        return events_end(&e, ret);
    }
    if (!event->data.p)
        return events_end(&e, ret);
    how->frame(r, &t, &e, event->type, tree_open(&t, turn, event->data, &fault));
    tree_close(&t);
    if (t.r != CHAT_OK)
        return t.r < 0 ? t.r : CHAT_E_SYNTAX;
    return events_end(&e, ret);
}

static void close_text(struct events *e, struct flow *f, int64_t choice)
{
    if (f->open)
        events_add(e, CHAT_EVENT_PART_END, choice, f->number)->part_kind = f->kind;
    f->open = false;
}

void flow_delta(struct events *e, int64_t choice, size_t number, enum chat_part_kind kind,
                struct str text)
{
    struct chat_event *event;

    if (!text.n)
        return;
    event = events_add(e, CHAT_EVENT_DELTA, choice, number);
    event->part_kind = kind;
    event->text = text;
}

void flow_text(struct events *e, struct flow *f, int64_t choice, enum chat_part_kind kind,
               struct str text)
{
    if (!text.n)
        return;
    if (f->open && f->kind != kind)
        close_text(e, f, choice);
    if (!f->open) {
        f->open = true;
        f->kind = kind;
        f->number = f->next++;
        events_add(e, CHAT_EVENT_PART, choice, f->number)->part_kind = kind;
    }
    flow_delta(e, choice, f->number, kind, text);
}

void flow_thought(struct events *e, struct flow *f, int64_t choice, struct str signature)
{
    if (!signature.p)
        return;
    close_text(e, f, choice);
    events_add(e, CHAT_EVENT_PART, choice, f->next)->part_kind = CHAT_THINKING;
    events_add(e, CHAT_EVENT_SIGNATURE, choice, f->next)->text = signature;
    events_add(e, CHAT_EVENT_PART_END, choice, f->next)->part_kind = CHAT_THINKING;
    f->next++;
}

void flow_redacted(struct events *e, struct flow *f, int64_t choice, struct str data)
{
    struct chat_event *event;

    close_text(e, f, choice);
    event = events_add(e, CHAT_EVENT_PART, choice, f->next);
    event->part_kind = CHAT_REDACTED;
    event->text = data;
    events_add(e, CHAT_EVENT_PART_END, choice, f->next)->part_kind = CHAT_REDACTED;
    f->next++;
}

/* A call without arguments has the empty object for them. */
static void close_calls(struct events *e, struct flow *f, int64_t choice)
{
    for (size_t i = 0; i < f->n_calls; i++) {
        struct flow_call *call = &f->calls[i];

        if (call->ended)
            continue;
        if (call->empty)
            flow_delta(e, choice, call->number, CHAT_TOOL_CALL, STR("{}"));
        events_add(e, CHAT_EVENT_PART_END, choice, call->number)->part_kind = CHAT_TOOL_CALL;
        call->ended = true;
    }
}

static struct flow_call *new_call(struct events *e, struct flow *f, struct arena *keep,
                                  int64_t choice, const struct flow_piece *piece)
{
    struct str id = piece->id.n ? arena_str(keep, piece->id) : STR_NONE;
    struct chat_event *event;

    if (!f->calls)
        f->calls = arena_array(keep, struct flow_call, EVENTS_CALLS);
    if (!f->calls || f->n_calls == EVENTS_CALLS || id.n < piece->id.n) {
        e->r = e->r ? e->r : err_origin(-ENOMEM);
        return NULL;
    }
    close_text(e, f, choice);
    close_calls(e, f, choice);
    event = events_add(e, CHAT_EVENT_PART, choice, f->next);
    event->part_kind = CHAT_TOOL_CALL;
    event->id = piece->id;
    event->name = piece->name;
    event->custom = piece->custom;
    f->calls[f->n_calls] = (struct flow_call){
        .key = piece->key, .id = id, .number = f->next++, .empty = !piece->custom};
    return &f->calls[f->n_calls++];
}

/* Does it begin a call, though one of its key has begun? */
static bool is_another(const struct flow_call *call, const struct flow_piece *piece)
{
    return piece->name.n && piece->id.n && call->id.n && !str_eq(piece->id, call->id);
}

void flow_call(struct events *e, struct flow *f, struct arena *keep, int64_t choice,
               const struct flow_piece *piece)
{
    struct flow_call *call = NULL;

    for (size_t i = f->n_calls; i > 0 && !call; i--)
        if (f->calls[i - 1].key == piece->key)
            call = &f->calls[i - 1];
    if (!call || is_another(call, piece))
        call = new_call(e, f, keep, choice, piece);
    if (!call || !piece->arguments.n)
        return;
    call->empty = false;
    flow_delta(e, choice, call->number, CHAT_TOOL_CALL, piece->arguments);
}

void flow_close(struct events *e, struct flow *f, int64_t choice)
{
    close_text(e, f, choice);
    close_calls(e, f, choice);
}

void flow_finish(struct events *e, struct flow *f, enum chat_finish finish, struct str word)
{
    struct chat_event *event;

    flow_close(e, f, 0);
    event = events_add(e, CHAT_EVENT_FINISH, 0, 0);
    event->finish = finish;
    event->word = word;
}

void flow_end(struct events *e, struct flow *f, bool *ended, const struct llm_report *told)
{
    if (*ended)
        return;
    *ended = true;
    flow_close(e, f, 0);
    events_add_told(e, CHAT_EVENT_END, told);
}
