/* The wire formats in the neutral form: requests, answers and streams of every format, written as
 * every other. What is written is JSON, and a stream gives the same bytes whatever the cuts. */
#include "fuzz.h"

#include "base/bounds.h"
#include "json/scan.h"
#include "translation/call_ids.h"
#include "translation/framing.h"

static const struct chat_dialect *const dialects[] = {
    &openai_chat_neutral, &anthropic_messages_neutral, &gemini_neutral,
    &openai_responses_neutral, &bedrock_converse_neutral, &ollama_chat_neutral};

#define DIALECTS ARRAY_LEN(dialects)

static const struct chat_frame frame = {.id = STR("call_1"), .model = STR("m"), .created_s = 1,
                                        .wants_usage = true, .has_cost = true, .cost = {5}};

/* No key stands twice in it either: of two, who reads it could take the other. */
static void is_json(const struct buf *doc)
{
    struct json_fault fault;

    HOLDS(buf_finish(doc) == 0);
    HOLDS(json_check(buf_str(doc), &fault) == JSON_OK);
}

static void request(struct arena *a, const struct chat_dialect *from, struct str in)
{
    const struct chat_target target = {.model = STR("m"), .output_limit = 9, .ask_usage = true};
    struct json_fault fault = {0};
    struct chat_request read;
    int r = from->read_request(a, in, &read, &fault);

    HOLDS(r != CHAT_E_FIELD || fault.reason[0]);
    for (size_t i = 0; r == CHAT_OK && i < DIALECTS; i++) {
        struct chat_losses losses = {.n = 0};
        struct buf out;

        buf_init(&out, in.n * 16 + MIB(1));
        dialects[i]->write_request(&read, &target, &out, &losses);
        is_json(&out);
        HOLDS(losses.n <= CHAT_LOSSES_MAX);
        buf_done(&out);
    }
}

static void answer(struct arena *a, const struct chat_dialect *from, struct str in)
{
    struct call_ids ids = {.mark = STR("0")};
    struct json_fault fault = {0};
    struct chat_answer read;
    int r = from->read_answer(a, in, &read, &fault);

    if (r == CHAT_OK)
        call_ids_answer(&ids, a, &read);
    for (size_t i = 0; r == CHAT_OK && i < DIALECTS; i++) {
        struct buf out;

        if (!dialects[i]->write_answer)
            continue;
        buf_init(&out, in.n * 16 + MIB(1));
        dialects[i]->write_answer(&read, &frame, &out);
        is_json(&out);
        buf_done(&out);
    }
}

struct pipe {
    struct arena *a;
    const struct chat_dialect *from, *to;
    struct chat_reader *r;
    struct chat_writer *w;
    struct call_ids ids;
    struct buf out;
};

static bool pass(struct pipe *p, const struct sse_event *event)
{
    struct chat_events events = {.n = 0};
    struct arena *turn = arena_new(MIB(64)); /* as in the gateway: nothing of it is kept */
    bool ok;

    HOLDS(turn);
    ok = p->from->read_event(p->r, turn, event, &events) == CHAT_OK;
    if (ok)
        call_ids_events(&p->ids, p->a, &events);
    for (size_t i = 0; ok && i < events.n; i++)
        p->to->write_event(p->w, &frame, &events.v[i], &p->out);
    arena_free(turn);
    return ok;
}

static enum framing_kind framing_of(const struct chat_dialect *from)
{
    return from == &bedrock_converse_neutral ? FRAMING_FRAMES
           : from == &ollama_chat_neutral    ? FRAMING_LINES
                                             : FRAMING_SSE;
}

static void pieces(struct pipe *p, struct str in, size_t piece)
{
    struct framing framing;
    struct sse_event event;
    bool ok = true;

    framing_init(&framing, framing_of(p->from), 0);
    while (in.n && ok) {
        ok = framing_push(&framing, fuzz_take(&in, piece)) == FRAMING_OK;
        while (ok && framing_next(&framing, &event) == FRAMING_OK)
            ok = pass(p, &event);
    }
    framing_end(&framing);
    while (ok && framing_next(&framing, &event) == FRAMING_OK)
        ok = pass(p, &event);
    if (ok)
        (void)pass(p, NULL);
    framing_done(&framing);
}

static void stream(const struct chat_dialect *from, struct str in, size_t piece, struct buf *ret)
{
    for (size_t i = 0; i < DIALECTS; i++) {
        struct pipe p = {.a = arena_new(MIB(256)), .from = from, .to = dialects[i], .ids = {.mark = STR("0")}};

        if (p.to->writer_new) {
            HOLDS(p.a);
            p.r = from->reader_new(p.a);
            p.w = p.to->writer_new(p.a, &frame);
            buf_init(&p.out, in.n * 64 + MIB(1));
            HOLDS(p.r && p.w);
            pieces(&p, in, piece);
            buf_put_str(ret, buf_str(&p.out));
            buf_done(&p.out);
        }
        arena_free(p.a);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    const struct chat_dialect *from = dialects[fuzz_byte(&in) % DIALECTS];
    unsigned kind = fuzz_byte(&in) % 3;
    size_t piece = 1 + fuzz_byte(&in);
    struct arena *a = arena_new(MIB(256));
    struct buf whole, cut;

    HOLDS(a);
    buf_init(&whole, MIB(64));
    buf_init(&cut, MIB(64));
    if (kind == 0) {
        request(a, from, in);
    } else if (kind == 1) {
        answer(a, from, in);
    } else {
        stream(from, in, in.n + 1, &whole);
        stream(from, in, piece, &cut);
        HOLDS(str_eq(buf_str(&whole), buf_str(&cut)));
    }
    buf_done(&whole);
    buf_done(&cut);
    arena_free(a);
    return 0;
}
