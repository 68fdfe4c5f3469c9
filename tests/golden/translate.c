/* translate.c: the neutral readers and writers as a command, for tests/golden/run.
 *
 * Reads lines `KIND FROM TO PIECE IN OUT` from standard input: KIND is request, answer or stream, a
 * request's with a word for each thing that is known of the target behind it (request.adaptive);
 * PIECE cuts a stream's bytes (0: whole). Writes OUT and prints one line: `ok`, `lost A,B (noted C)`
 * or `fault PATH: REASON`. KIND cuts reads a stream cut at every one of its bytes, in two and in
 * three pieces, and says `ok` and how many cuts there were when all gave the same events. */
#include <stdio.h>
#include <stdlib.h>

#include "slurp.h"

#include "base/bounds.h"
#include "translation/call_ids.h"
#include "translation/framing.h"

static const struct chat_dialect *const dialects[] = {&openai_chat_neutral,
                                                      &anthropic_messages_neutral,
                                                      &gemini_neutral, &openai_responses_neutral,
                                                      &bedrock_converse_neutral,
                                                      &ollama_chat_neutral};

static const struct chat_dialect *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(dialects); i++)
        if (strcmp(dialects[i]->name, name) == 0)
            return dialects[i];
    fprintf(stderr, "translate: no dialect %s\n", name);
    exit(2);
}

static void spill(const char *path, struct str s)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(s.p, 1, s.n, f) != s.n || fclose(f)) {
        fprintf(stderr, "translate: cannot write %s\n", path);
        exit(2);
    }
}

static void tell_losses(const struct chat_losses *losses)
{
    const char *before = "lost ";

    for (size_t i = 0; i < losses->n; i++)
        if (!losses->noted[i]) {
            printf("%s%.*s", before, STR_FMT(losses->path[i]));
            before = ",";
        }
    if (*before == 'l')
        printf("ok");
    before = " noted ";
    for (size_t i = 0; i < losses->n; i++)
        if (losses->noted[i]) {
            printf("%s%.*s", before, STR_FMT(losses->path[i]));
            before = ",";
        }
    printf("\n");
}

static const struct chat_frame frame = {.id = STR("call_0000"), .model = STR("asked-model"),
                                        .created_s = 1700000000, .wants_usage = true,
                                        .has_cost = true, .cost = {1234567}};

static struct chat_target target_of(struct str words)
{
    struct chat_target target = {
        .model = STR("target-model"), .output_limit = 2048, .ask_usage = true};
    struct str word;

    while (str_split(&words, '.', &word)) {
        if (str_eq_c(word, "adaptive"))
            target.adaptive = true;
        else if (str_eq_c(word, "plain"))
            target.plain_openai = true;
        else if (str_eq_c(word, "no_sampling"))
            target.no_sampling = true;
        else if (str_eq_c(word, "reasons"))
            target.reasons = CHAT_REASONS;
        else if (str_eq_c(word, "reasons_not"))
            target.reasons = CHAT_REASONS_NOT;
    }
    return target;
}

static void request(struct arena *a, const struct chat_dialect *from, const struct chat_dialect *to,
                    struct str words, struct str in, struct buf *out)
{
    const struct chat_target target = target_of(words);
    struct chat_losses losses = {.n = 0};
    struct chat_request read;
    struct json_fault fault;
    int r = from->read_request(a, in, &read, &fault);

    if (r != CHAT_OK) {
        printf("fault %s: %s\n", fault.path, fault.reason);
        return;
    }
    to->write_request(&read, &target, out, &losses);
    tell_losses(&losses);
}

static void answer(struct arena *a, const struct chat_dialect *from, const struct chat_dialect *to,
                   struct str in, struct buf *out)
{
    struct call_ids ids = {.mark = STR("0000")};
    struct chat_answer read;
    struct json_fault fault;
    int r = from->read_answer(a, in, &read, &fault);

    if (r != CHAT_OK) {
        printf("fault %s: %s\n", fault.path, fault.reason);
        return;
    }
    call_ids_answer(&ids, a, &read);
    to->write_answer(&read, &frame, out);
    printf("ok\n");
}

struct passing {
    struct arena *a;
    const struct chat_dialect *from, *to;
    struct chat_reader *r;
    struct chat_writer *w;
    struct call_ids ids;
    struct buf *out;
};

/* False: there is no more to read, and what there is to say of it has been said. As in the gateway an
 * event lives in an arena that goes before the next one comes. */
static bool pass(struct passing *p, const struct sse_event *event)
{
    _cleanup_(arena_freep) struct arena *turn = arena_new(MIB(64));
    struct chat_events events = {.n = 0};

    if (!turn || p->from->read_event(p->r, turn, event, &events) != CHAT_OK) {
        printf("fault: a frame that is none\n");
        return false;
    }
    call_ids_events(&p->ids, p->a, &events);
    for (size_t i = 0; i < events.n; i++) {
        if (events.v[i].kind == CHAT_EVENT_ERROR) {
            printf("error %.*s: %.*s\n", STR_FMT(events.v[i].word), STR_FMT(events.v[i].text));
            return false;
        }
        p->to->write_event(p->w, &frame, &events.v[i], p->out);
    }
    return true;
}

static enum framing_kind framing_of(const struct chat_dialect *from)
{
    return from == &bedrock_converse_neutral ? FRAMING_FRAMES
           : from == &ollama_chat_neutral    ? FRAMING_LINES
                                             : FRAMING_SSE;
}

static void stream(struct arena *a, const struct chat_dialect *from, const struct chat_dialect *to,
                   size_t piece, struct str in, struct buf *out)
{
    struct passing p = {.a = a, .from = from, .to = to, .r = from->reader_new(a),
                        .w = to->writer_new(a, &frame), .ids = {.mark = STR("0000")}, .out = out};
    struct framing framing;
    struct sse_event event;
    int next = FRAMING_OK;
    bool ok = true;

    framing_init(&framing, framing_of(from), 0);
    while (in.n && ok) {
        struct str part = str_n(in.p, piece && piece < in.n ? piece : in.n);

        in = str_n(in.p + part.n, in.n - part.n);
        ok = framing_push(&framing, part) == FRAMING_OK;
        while (ok && (next = framing_next(&framing, &event)) == FRAMING_OK)
            ok = pass(&p, &event);
        ok = ok && next != FRAMING_E_BROKEN;
    }
    framing_end(&framing);
    while (ok && framing_next(&framing, &event) == FRAMING_OK)
        ok = pass(&p, &event);
    ok = ok && pass(&p, NULL);
    framing_done(&framing);
    if (ok)
        printf("ok\n");
    else if (next == FRAMING_E_BROKEN)
        printf("fault: a frame that is none\n");
}

/* --- cuts --- */

/* Streams of up to this many bytes are read from the start for every cut; longer ones from the
 * event before the one that is cut to the one behind it, where the reader holds nothing of before. */
enum { CUT_WHOLE_BYTES = 16384 };

/* An event with its lengths, so that two readings can be compared as bytes. */
static void put_event(struct buf *out, const struct sse_event *e)
{
    const size_t lengths[] = {e->type.n, e->data.n, e->raw.n, e->ended};

    buf_put_str(out, str_n((const char *)lengths, sizeof(lengths)));
    buf_put_str(out, e->type);
    buf_put_str(out, e->data);
}

static void cut_events(enum framing_kind kind, const struct str *pieces, size_t n, struct buf *ret)
{
    struct framing framing;
    struct sse_event e;

    framing_init(&framing, kind, 0);
    for (size_t i = 0; i < n; i++) {
        if (framing_push(&framing, pieces[i]) != FRAMING_OK)
            buf_puts(ret, "too large");
        while (framing_next(&framing, &e) == FRAMING_OK)
            put_event(ret, &e);
    }
    framing_end(&framing);
    while (framing_next(&framing, &e) == FRAMING_OK)
        put_event(ret, &e);
    framing_done(&framing);
}

/* Every cut of `in` from `from` to `to` in two pieces, and in three with a second cut behind it that
 * follows from the place of the first. False: some cut gives other events. */
static bool cut_span(enum framing_kind kind, struct str in, size_t from, size_t to, size_t *ret_at)
{
    struct buf whole, cut;
    bool same = true;

    buf_init(&whole, MIB(64));
    buf_init(&cut, MIB(64));
    cut_events(kind, &in, 1, &whole);
    for (size_t i = from; i < to && same; i++) {
        struct str rest = str_n(in.p + i, in.n - i);
        size_t second = rest.n ? (i * 2654435761u) % rest.n : 0;
        const struct str two[] = {str_n(in.p, i), rest};
        const struct str three[] = {two[0], str_n(rest.p, second),
                                    str_n(rest.p + second, rest.n - second)};

        buf_reset(&cut);
        cut_events(kind, two, 2, &cut);
        same = str_eq(buf_str(&whole), buf_str(&cut));
        buf_reset(&cut);
        cut_events(kind, three, 3, &cut);
        same = same && str_eq(buf_str(&whole), buf_str(&cut));
        *ret_at = i;
    }
    buf_done(&whole);
    buf_done(&cut);
    return same;
}

/* Where each event of the stream begins, and its end. */
static size_t *event_starts(struct arena *a, enum framing_kind kind, struct str in, size_t *ret_n)
{
    size_t *at = arena_array(a, size_t, in.n + 2), n = 0, sum = 0;
    struct framing framing;
    struct sse_event e;

    if (!at)
        exit(2);
    framing_init(&framing, kind, 0);
    if (framing_push(&framing, in) != FRAMING_OK)
        exit(2);
    framing_end(&framing);
    while (framing_next(&framing, &e) == FRAMING_OK) {
        at[n++] = sum;
        sum += e.raw.n;
    }
    framing_done(&framing);
    at[n] = sum;
    *ret_n = n;
    return at;
}

static void cuts(struct arena *a, const struct chat_dialect *from, struct str in)
{
    enum framing_kind kind = framing_of(from);
    size_t at = 0, n, *starts;
    bool same = true;

    if (in.n <= CUT_WHOLE_BYTES) {
        same = cut_span(kind, in, 0, in.n + 1, &at);
        printf(same ? "ok %zu\n" : "fault: other events when cut at %zu\n", same ? in.n + 1 : at);
        return;
    }
    starts = event_starts(a, kind, in, &n);
    for (size_t i = 0; i < n && same; i++) {
        size_t first = starts[i ? i - 1 : 0], last = starts[i + 2 > n ? n : i + 2];
        struct str span = str_n(in.p + first, last - first);

        same = cut_span(kind, span, starts[i] - first, starts[i + 1] - first, &at);
        at += first;
    }
    printf(same && n ? "ok %zu\n" : "fault: other events when cut at %zu\n", same ? in.n : at);
}

int main(void)
{
    char kind[64], from[40], to[40], in_path[1024], out_path[1024];
    size_t piece;

    while (scanf("%63s %39s %39s %zu %1023s %1023s", kind, from, to, &piece, in_path, out_path) == 6) {
        struct arena *a = arena_new(MIB(512));
        const struct chat_dialect *f = find(from), *t = find(to);
        struct str in = slurp(a, in_path);
        struct buf out;

        buf_init(&out, MIB(64));
        if (str_starts(str_c(kind), STR("request")))
            request(a, f, t, str_c(kind), in, &out);
        else if (strcmp(kind, "answer") == 0)
            answer(a, f, t, in, &out);
        else if (strcmp(kind, "cuts") == 0)
            cuts(a, f, in);
        else
            stream(a, f, t, piece, in, &out);
        spill(out_path, buf_str(&out));
        fflush(stdout);
        buf_done(&out);
        arena_free(a);
    }
    return 0;
}
