/* translate.c: the neutral readers and writers as a command, for tests/golden/run.
 *
 * Reads lines `KIND FROM TO PIECE IN OUT` from standard input: KIND is request, answer or stream;
 * PIECE cuts a stream's bytes (0: whole). Writes OUT and prints one line: `ok`, `lost A,B (noted C)`
 * or `fault PATH: REASON`. */
#include <stdio.h>
#include <stdlib.h>

#include "base/bounds.h"
#include "translation/bedrock_converse/frames.h"
#include "translation/chat_dialect.h"

static const struct chat_dialect *const dialects[] = {&openai_chat_neutral,
                                                      &anthropic_messages_neutral,
                                                      &gemini_neutral, &openai_responses_neutral,
                                                      &bedrock_converse_neutral};

static const struct chat_dialect *find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(dialects); i++)
        if (strcmp(dialects[i]->name, name) == 0)
            return dialects[i];
    fprintf(stderr, "translate: no dialect %s\n", name);
    exit(2);
}

static struct str slurp(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    struct str s = {NULL, 0};
    char *p;
    long n;

    if (!f || fseek(f, 0, SEEK_END) || (n = ftell(f)) < 0 || fseek(f, 0, SEEK_SET)) {
        fprintf(stderr, "translate: cannot read %s\n", path);
        exit(2);
    }
    p = arena_alloc(a, (size_t)n + 1);
    if (p && fread(p, 1, (size_t)n, f) == (size_t)n)
        s = str_n(p, (size_t)n);
    fclose(f);
    return s;
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

static void request(struct arena *a, const struct chat_dialect *from, const struct chat_dialect *to,
                    struct str in, struct buf *out)
{
    const struct chat_target target = {.model = STR("target-model"), .output_limit = 2048,
                                       .ask_usage = true, .adaptive = false};
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
    struct chat_answer read;
    struct json_fault fault;
    int r = from->read_answer(a, in, &read, &fault);

    if (r != CHAT_OK) {
        printf("fault %s: %s\n", fault.path, fault.reason);
        return;
    }
    to->write_answer(&read, &frame, out);
    printf("ok\n");
}

/* False: there is no more to read, and what there is to say of it has been said. */
static bool pass(struct arena *a, const struct chat_dialect *from, const struct chat_dialect *to,
                 struct chat_reader *r, struct chat_writer *w, const struct sse_event *event,
                 struct buf *out)
{
    struct chat_events events = {.n = 0};

    if (from->read_event(r, a, event, &events) != CHAT_OK) {
        printf("fault: a frame that is none\n");
        return false;
    }
    for (size_t i = 0; i < events.n; i++) {
        if (events.v[i].kind == CHAT_EVENT_ERROR) {
            printf("error %.*s: %.*s\n", STR_FMT(events.v[i].word), STR_FMT(events.v[i].text));
            return false;
        }
        to->write_event(w, &frame, &events.v[i], out);
    }
    return true;
}

/* Amazon's binary frames instead of events in text. */
static void frame_stream(struct arena *a, const struct chat_dialect *from,
                         const struct chat_dialect *to, size_t piece, struct str in,
                         struct buf *out)
{
    struct chat_reader *r = from->reader_new(a);
    struct chat_writer *w = to->writer_new(a, &frame);
    struct sse_event event;
    struct frames frames;
    bool ok = true, exception;
    int next = FRAMES_OK;

    frames_init(&frames);
    while (in.n && ok) {
        struct str part = str_n(in.p, piece && piece < in.n ? piece : in.n);

        in = str_n(in.p + part.n, in.n - part.n);
        ok = frames_push(&frames, part) == FRAMES_OK;
        while (ok && (next = frames_next(&frames, &event, &exception)) == FRAMES_OK)
            ok = pass(a, from, to, r, w, &event, out);
        ok = ok && next != FRAMES_E_BROKEN;
    }
    ok = ok && pass(a, from, to, r, w, NULL, out);
    frames_done(&frames);
    if (ok)
        printf("ok\n");
    else if (next == FRAMES_E_BROKEN)
        printf("fault: a frame that is none\n");
}

static void stream(struct arena *a, const struct chat_dialect *from, const struct chat_dialect *to,
                   size_t piece, struct str in, struct buf *out)
{
    struct chat_reader *r = from->reader_new(a);
    struct chat_writer *w = to->writer_new(a, &frame);
    struct sse_event event;
    struct sse sse;
    bool ok = true;

    sse_init(&sse);
    while (in.n && ok) {
        struct str part = str_n(in.p, piece && piece < in.n ? piece : in.n);

        in = str_n(in.p + part.n, in.n - part.n);
        ok = sse_push(&sse, part) == SSE_OK;
        while (ok && sse_next(&sse, &event) == SSE_OK)
            ok = pass(a, from, to, r, w, &event, out);
    }
    sse_end(&sse);
    while (ok && sse_next(&sse, &event) == SSE_OK)
        ok = pass(a, from, to, r, w, &event, out);
    ok = ok && pass(a, from, to, r, w, NULL, out);
    sse_done(&sse);
    if (ok)
        printf("ok\n");
}

int main(void)
{
    char kind[16], from[40], to[40], in_path[1024], out_path[1024];
    size_t piece;

    while (scanf("%15s %39s %39s %zu %1023s %1023s", kind, from, to, &piece, in_path, out_path) == 6) {
        struct arena *a = arena_new(MIB(512));
        const struct chat_dialect *f = find(from), *t = find(to);
        struct str in = slurp(a, in_path);
        struct buf out;

        buf_init(&out, MIB(64));
        if (strcmp(kind, "request") == 0)
            request(a, f, t, in, &out);
        else if (strcmp(kind, "answer") == 0)
            answer(a, f, t, in, &out);
        else if (strcmp(from, "bedrock_converse") == 0)
            frame_stream(a, f, t, piece, in, &out);
        else
            stream(a, f, t, piece, in, &out);
        spill(out_path, buf_str(&out));
        fflush(stdout);
        buf_done(&out);
        arena_free(a);
    }
    return 0;
}
