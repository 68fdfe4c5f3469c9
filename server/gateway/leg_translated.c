/* leg_translated.c: client and upstream speak different formats: the chat goes through its neutral
 * form, see chat_dialect.h.
 *
 * The request is read once, for the first target that needs it. What a target's format cannot say
 * is refused with the client's name of it, or left out and named where the route's policy says so. */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "gateway/call_flow.h"

static const struct chat_dialect *client_side(const struct call *c)
{
    return c->endpoint->format->neutral;
}

static const struct chat_dialect *upstream_side(const struct call *c)
{
    return leg_format(&c->leg)->neutral;
}

static int read_chat(struct call *c, struct json_fault *fault)
{
    struct arena *a = c->r->arena;
    struct chat_request *chat;
    int r;

    if (c->chat)
        return LEG_OK;
    chat = arena_new0(a, struct chat_request);
    if (!chat)
        return err_origin(-ENOMEM);
    r = client_side(c)->read_request(a, c->r->body, chat, fault);
    if (r < 0)
        return err_trace(r);
    if (r != CHAT_OK)
        return LEG_E_REFUSED;
    chat->stream = c->wire.llm.stream;
    c->chat = chat;
    return LEG_OK;
}

/* The first version of the Messages API that refuses sampling settings. */
#define WITHOUT_SAMPLING STR("2026-10-21")

/* Unless an operator sets another, the version that is sent is the older one (provider_table.c). */
static bool sends_newer_version(const struct call *c, const struct catalog_account *a)
{
    if (leg_format(&c->leg) != &format_anthropic_messages)
        return false;
    for (size_t i = 0; i < a->n_headers; i++)
        if (str_ieq(str_c(a->headers[i].name), STR("anthropic-version")))
            return str_cmp(a->headers[i].value, WITHOUT_SAMPLING) >= 0;
    return false;
}

static bool is_known_for(const struct catalog_model *m, enum ability ability)
{
    return m->abilities_known && (m->abilities & ABILITY_BIT(ability));
}

static int reasons(const struct catalog_model *m)
{
    if (!m->abilities_known)
        return CHAT_REASONS_UNKNOWN;
    return is_known_for(m, ABILITY_REASONING) ? CHAT_REASONS : CHAT_REASONS_NOT;
}

static int put_request(struct call *c, const struct catalog_target *target,
                       const struct wire_request_edit *edit, struct buf *out,
                       struct json_fault *fault)
{
    struct chat_target to = {
        .model = edit->model,
        .output_limit = (int64_t)edit->output_limit,
        .limit_name = edit->limit_name,
        .ask_usage = edit->ask_usage,
        .plain_openai = provider_has(target->account->provider, PROVIDER_PLAIN_OPENAI),
        .adaptive = is_known_for(target->model, ABILITY_ADAPTIVE),
        .no_sampling = is_known_for(target->model, ABILITY_NO_SAMPLING) ||
                       sends_newer_version(c, target->account),
        .reasons = reasons(target->model),
    };
    struct chat_losses losses = {.n = 0};
    int r = read_chat(c, fault);

    if (r != LEG_OK)
        return r;
    upstream_side(c)->write_request(c->chat, &to, out, &losses);
    return leg_judge_losses(c, target, &losses, fault);
}

static uint64_t text_bytes(const struct chat_part *part)
{
    return part->text.n + part->tool.arguments.n;
}

static void report_answer(const struct chat_answer *answer, struct wire_report *ret)
{
    struct llm_report *llm = &ret->llm;

    ret->has_choices = answer->n_choices > 0;
    llm->id = answer->id;
    llm->has_usage = answer->has_usage;
    llm->usage = answer->usage;
    llm->lacks_prompt = answer->lacks_prompt;
    llm->lacks_output = answer->lacks_output;
    llm->has_service = answer->has_service;
    llm->service = answer->service;
    for (size_t i = 0; i < answer->n_choices; i++) {
        const struct chat_choice *choice = &answer->choices[i];

        if (choice->finish != CHAT_FINISH_NONE)
            llm->finish_reason = str_c(chat_finish_name(choice->finish));
        for (size_t k = 0; k < choice->n_parts; k++)
            llm->output_bytes += text_bytes(&choice->parts[k]);
    }
}

/* The end of the call's id, of which most is random. */
static struct call_ids ids_of(struct call *c)
{
    char id[CALL_ID_TEXT];

    call_id_text(c->r->id, id);
    return (struct call_ids){
        .mark = arena_str(c->r->arena, str_c(id + strlen(id) - CALL_IDS_MARK))};
}

static int read_whole(struct call *c, struct str body, struct wire_report *ret)
{
    const struct dialect *own = leg_format(&c->leg)->dialect;
    struct json_fault fault;
    int r;

    *ret = (struct wire_report){.bytes = body};
    if (own && own->read_reply(body, ret) == DIALECT_OK && ret->error)
        return LEG_OK; /* an error within a 200 is no answer to translate */
    *ret = (struct wire_report){.bytes = body};
    c->leg.answer = (struct chat_answer){.n_choices = 0};
    r = upstream_side(c)->read_answer(c->r->arena, body, &c->leg.answer, &fault);
    if (r != CHAT_OK)
        return LEG_E_BAD;
    c->leg.ids = ids_of(c);
    call_ids_answer(&c->leg.ids, c->r->arena, &c->leg.answer);
    report_answer(&c->leg.answer, ret);
    if (c->endpoint->keeps)
        c->leg.answer.id = STR_NONE;
    return LEG_OK;
}

/* What is kept is found by an id of our own: those of other formats are made to be looked at. */
static struct str own_id(struct call *c)
{
    char id[CALL_ID_TEXT];

    if (c->leg.id.p)
        return c->leg.id;
    call_id_text(c->r->id, id);
    c->leg.id = c->endpoint->keeps ? arena_strf(c->r->arena, "resp_%s", strchr(id, '_') + 1)
                                   : arena_str(c->r->arena, str_c(id));
    return c->leg.id;
}

static struct chat_frame frame_of(struct call *c)
{
    return (struct chat_frame){
        .id = own_id(c),
        .model = c->record.requested_model,
        .created_s = c->record.started_at / 1000000,
        .wants_usage = c->wire.llm.wants_usage,
    };
}

static void put_whole(struct call *c, const struct wire_report *report,
                      const struct wire_report_edit *edit, struct buf *out)
{
    struct chat_frame frame = frame_of(c);

    (void)report;
    frame.has_cost = edit->has_cost;
    frame.cost = edit->cost;
    frame.members = edit->members;
    client_side(c)->write_answer(&c->leg.answer, &frame, out);
}

static int open_stream(struct call *c)
{
    struct arena *a = c->r->arena;
    struct chat_frame frame = frame_of(c);

    c->leg.reader = upstream_side(c)->reader_new(a);
    c->leg.writer = client_side(c)->writer_new(a, &frame);
    c->leg.ids = ids_of(c);
    return c->leg.reader && c->leg.writer ? 0 : err_origin(-ENOMEM);
}

static void report_event(const struct chat_event *e, struct wire_report *ret)
{
    struct llm_report *llm = &ret->llm;

    if (e->has_service) {
        llm->has_service = true;
        llm->service = e->service;
    }
    switch (e->kind) {
    case CHAT_EVENT_BEGIN:
        llm->id = e->id;
        break;
    case CHAT_EVENT_PART:
    case CHAT_EVENT_DELTA:
        llm->output_bytes += e->text.n;
        break;
    case CHAT_EVENT_FINISH:
        llm->finish_reason = str_c(chat_finish_name(e->finish));
        break;
    case CHAT_EVENT_USAGE:
        llm->has_usage = true;
        llm->usage = e->usage;
        llm->lacks_prompt = e->lacks_prompt;
        llm->lacks_output = e->lacks_output;
        break;
    case CHAT_EVENT_ERROR:
        ret->error = true;
        break;
    case CHAT_EVENT_END:
        ret->done = true;
        break;
    case CHAT_EVENT_PART_END:
    case CHAT_EVENT_SIGNATURE:
    case CHAT_EVENT_SOURCES:
    case CHAT_EVENT_LOGPROBS:
    case CHAT_EVENT_CUT:
        break;
    }
}

/* Events of one frame live until the next is read: a client's bytes are made of them at once. */
static int read_event(struct call *c, const struct sse_event *event, struct wire_report *ret)
{
    struct leg *l = &c->leg;
    int r;

    l->events.n = 0;
    arena_free(steal(&l->turn));
    l->turn = arena_new(BOUND_REQUEST_ARENA_BYTES);
    if (!l->turn)
        return err_origin(-ENOMEM);
    r = upstream_side(c)->read_event(l->reader, l->turn, event, &l->events);
    if (r != CHAT_OK)
        return r < 0 ? err_trace(r) : LEG_E_BAD;
    call_ids_events(&l->ids, c->r->arena, &l->events);
    for (size_t i = 0; i < l->events.n; i++) {
        report_event(&l->events.v[i], ret);
        if (c->endpoint->keeps && l->events.v[i].kind == CHAT_EVENT_BEGIN)
            l->events.v[i].id = STR_NONE;
    }
    return LEG_OK;
}

static bool is_idle(const struct call *c, const struct sse_event *event)
{
    (void)event;
    return c->leg.events.n == 0;
}

/* All but the end, which waits for the price. */
static void put_event(struct call *c, const struct sse_event *event,
                      const struct wire_report *report, struct buf *out)
{
    struct chat_frame frame = frame_of(c);

    (void)event;
    (void)report;
    if (!c->leg.events.n)
        buf_puts(out, ": the provider is at work\n\n");
    for (size_t i = 0; i < c->leg.events.n; i++)
        if (c->leg.events.v[i].kind != CHAT_EVENT_END)
            client_side(c)->write_event(c->leg.writer, &frame, &c->leg.events.v[i], out);
}

static void put_end(struct call *c, const struct sse_event *event,
                    const struct wire_report *report, struct buf *out)
{
    const struct chat_event end = {.kind = CHAT_EVENT_END};
    struct chat_frame frame = frame_of(c);

    if (c->leg.events.n)
        put_event(c, event, report, out);
    frame.has_cost = true;
    frame.cost = c->record.charge_nano;
    frame.members = call_trace_member(c);
    if (!(c->wire.llm.wants_usage && c->last.has_usage))
        c->endpoint->format->dialect->put_note(
            &(struct wire_report_edit){.has_cost = true, .cost = frame.cost, .members = frame.members},
            out);
    client_side(c)->write_event(c->leg.writer, &frame, &end, out);
}

static void write_event(struct call *c, struct chat_event e, struct buf *out)
{
    struct chat_frame frame = frame_of(c);

    client_side(c)->write_event(c->leg.writer, &frame, &e, out);
}

/* The writer knows what is open, and the choices that have begun. */
static void put_stop(struct call *c, const struct wire_stop *stop, struct buf *out)
{
    if (c->last.has_usage)
        write_event(c, (struct chat_event){.kind = CHAT_EVENT_USAGE, .usage = stop->usage}, out);
    for (uint32_t i = 0; i < stop->choices; i++)
        write_event(c,
                    (struct chat_event){
                        .kind = CHAT_EVENT_FINISH, .choice = i, .finish = CHAT_FINISH_LENGTH},
                    out);
    write_event(c, (struct chat_event){.kind = CHAT_EVENT_CUT}, out);
}

const struct leg_kind leg_translated = {
    .put_request = put_request,
    .read_whole = read_whole,
    .put_whole = put_whole,
    .open = open_stream,
    .read_event = read_event,
    .is_idle = is_idle,
    .put_event = put_event,
    .put_end = put_end,
    .put_stop = put_stop,
};
