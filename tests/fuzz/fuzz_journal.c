/* Journal files: any bytes are read, passed over or refused; a record is taken apart within its
 * bytes, and one that was put comes back as it was. The checksum hides the inside from chance, so
 * bodies are tried without it, and files are made of records, bodies whose sums are right, zeros and
 * bytes as they are. */
#include "fuzz.h"

#include "base/digest.h"
#include "ledger/entry.h"
#include "ledger/replay.h"

/* Of a record's head, as entry.c has it. */
enum { HEAD_BYTES = 48, CRC_AT = 4, SIZE_AT = 8, CALL_AT = 24, TYPE_AT = 44 };
#define FILE_BYTES KIB(256)

static void view_holds(const struct entry_view *view, struct str in)
{
    HOLDS(view->entry.n_draws <= BOUND_HOLD_PURSES);
    HOLDS(view->call.attempts >= 0 && view->call.attempts <= BOUND_ATTEMPTS);
    HOLDS(!view->call.served_model.p || (view->call.served_model.p >= in.p &&
                                         view->call.served_model.p + view->call.served_model.n <=
                                             in.p + in.n));
    HOLDS(!view->call.video || view->call.video == &view->video);
}

static void body(struct str in)
{
    struct entry e = {.type = ENTRY_END};
    struct entry_view view;

    e.n_call = fuzz_byte(&in);
    e.n_attempt = fuzz_byte(&in);
    e.n_video = fuzz_byte(&in);
    e.body = in;
    if (entry_view(&e, &view) == ENTRY_OK)
        view_holds(&view, in);
}

/* --- records of the input's --- */

static int64_t number(struct str *in)
{
    static const int64_t ends[] = {0, 1, -1, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    unsigned what = fuzz_byte(in);
    int64_t v = 0;
    struct str bytes;

    if (what < ARRAY_LEN(ends))
        return ends[what];
    bytes = fuzz_take(in, what % sizeof(v) + 1);
    memcpy(&v, bytes.p, bytes.n);
    return v;
}

static struct str text(struct str *in)
{
    unsigned n = fuzz_byte(in);

    return n ? fuzz_take(in, n - 1) : STR_NONE;
}

static struct call_id uuid(struct str *in)
{
    struct str bytes = fuzz_take(in, sizeof(struct call_id));
    struct call_id id = {{0}};

    memcpy(id.b, bytes.p, bytes.n);
    return id;
}

#define FILL_UUID(in) uuid(in)
#define FILL_ID(in) number(in)
#define FILL_TIME(in) number(in)
#define FILL_I64(in) number(in)
#define FILL_I32(in) (int32_t) number(in)
#define FILL_BOOL(in) (fuzz_byte(in) & 1)
#define FILL_MONEY(in) \
    (struct money)     \
    {                  \
        number(in)     \
    }
#define FILL_TEXT(in) text(in)
#define FILL_JSON(in) text(in)
#define FILL(name, kind, bound, label) to->name = FILL_##kind(in);

static void fill_attempt(struct str *in, struct attempt_record *to)
{
    RECORD_ATTEMPT(FILL)
}

static void fill_video(struct str *in, struct call_id call, struct video_record *to)
{
    RECORD_VIDEO(FILL)
    to->call_id = call;
}

static void fill_record(struct str *in, struct call_record *to)
{
    static struct video_record video;

    RECORD_CALL(FILL)
    to->attempts = (int32_t)(fuzz_byte(in) % (BOUND_ATTEMPTS + 1));
    for (int32_t i = 0; i < to->attempts; i++)
        fill_attempt(in, &to->attempt[i]);
    to->video = fuzz_byte(in) & 1 ? &video : NULL;
    if (to->video)
        fill_video(in, to->call_id, &video);
}

static enum entry_type type_of(struct str *in)
{
    return (enum entry_type)(ENTRY_BEGIN + fuzz_byte(in) % 3);
}

/* Puts a record, and holds it against itself: taken apart and put again it is the same bytes. */
static void put_record(struct buf *out, struct str *in)
{
    static struct call_record record;
    static struct entry_view view;
    struct hold hold = {.n = fuzz_byte(in) % (BOUND_HOLD_PURSES + 1)};
    struct cell cells[BOUND_HOLD_PURSES] = {0};
    int64_t used[BOUND_HOLD_PURSES] = {0}, session = number(in);
    enum entry_type type = type_of(in);
    size_t from = out->n, size;
    struct entry e;
    struct buf again;

    fill_record(in, &record);
    for (size_t i = 0; i < hold.n; i++) {
        cells[i].purse.v = number(in);
        hold.cell[i] = &cells[i];
        hold.amount[i] = number(in);
        hold.window_us[i] = number(in);
        used[i] = number(in);
    }
    entry_put(out, type, session, &record, &hold, used);
    if (buf_finish(out))
        return;
    HOLDS(entry_get(str_n(out->p + from, out->n - from), &e, &size) == ENTRY_OK);
    HOLDS(size == out->n - from && e.type == type && e.session == session);
    HOLDS(entry_view(&e, &view) == ENTRY_OK);
    view_holds(&view, e.body);
    buf_init(&again, FILE_BYTES);
    entry_put(&again, type, session, &view.call, &hold, used);
    HOLDS(str_eq(buf_str(&again), str_n(out->p + from, out->n - from)));
    buf_done(&again);
}

/* A head whose sum is right, around bytes that no record was put from. */
static void put_forged(struct buf *out, struct str *in)
{
    static const struct call_record none;
    size_t from = out->n, size;
    struct call_id call = uuid(in);
    uint32_t n, sum;
    static struct entry_view view;
    struct entry e;
    struct str inside;
    char *head;

    entry_put(out, type_of(in), number(in), &none, NULL, NULL);
    inside = fuzz_take(in, fuzz_byte(in) * 4u);
    if (buf_finish(out))
        return;
    out->n = from + HEAD_BYTES;
    buf_put_str(out, inside);
    if (buf_finish(out))
        return;
    head = out->p + from;
    n = (uint32_t)inside.n;
    memcpy(head + SIZE_AT, &n, sizeof(n));
    memcpy(head + CALL_AT, call.b, sizeof(call.b));
    sum = digest_crc32c(0, head + SIZE_AT, HEAD_BYTES - SIZE_AT + n);
    memcpy(head + CRC_AT, &sum, sizeof(sum));
    HOLDS(entry_get(str_n(head, HEAD_BYTES + n), &e, &size) == ENTRY_OK && size == HEAD_BYTES + n);
    HOLDS(e.type == (enum entry_type)head[TYPE_AT] && call_id_eq(e.call, call));
    if (entry_view(&e, &view) == ENTRY_OK)
        view_holds(&view, e.body);
}

static void put_zeros(struct buf *out, size_t n)
{
    static const char zeros[255 * 32];

    buf_put(out, zeros, n);
}

/* A file as a journal may be left behind. */
static void put_file(struct buf *out, struct str in)
{
    while (in.n && !buf_finish(out)) {
        switch (fuzz_byte(&in) % 6) {
        case 0:
            put_record(out, &in);
            break;
        case 1:
            put_forged(out, &in);
            break;
        case 2:
            put_zeros(out, fuzz_byte(&in) * 32u);
            break;
        case 3:
            buf_put_str(out, fuzz_take(&in, fuzz_byte(&in)));
            break;
        case 4: /* a page that was lost */
            put_zeros(out, out->n % 4096 ? 4096 - out->n % 4096 : 0);
            break;
        default:
            if (out->n)
                out->p[(fuzz_byte(&in) << 8 | fuzz_byte(&in)) % out->n] ^= (char)fuzz_byte(&in);
        }
    }
}

static void feed(struct str file)
{
    struct replay *replay = replay_new();
    struct journal_segment *files = segment_of_files();
    char *copy = fuzz_copy(file);
    struct str bytes = {copy, file.n};
    size_t n = 0, at;
    struct entry e;
    int r;

    HOLDS(replay && files);
    r = entry_get(bytes, &e, &n);
    if (r == ENTRY_OK)
        HOLDS(n <= bytes.n && e.body.p >= bytes.p && e.body.p + e.body.n <= bytes.p + n);
    at = entry_find(bytes, 0);
    HOLDS(at <= bytes.n);
    HOLDS(at == bytes.n ||
          entry_get(str_n(bytes.p + at, bytes.n - at), &e, &n) == ENTRY_OK);
    HOLDS(r != ENTRY_OK || at == 0);
    r = replay_feed(replay, bytes, files);
    HOLDS(r == REPLAY_OK || r == REPLAY_E_FOREIGN || r == REPLAY_E_BROKEN);
    replay_free(replay);
    segment_unref(files);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(str_n((const char *)data, size));
    struct str in = {copy, size};
    struct buf file;

    if (fuzz_byte(&in) & 1) {
        buf_init(&file, FILE_BYTES);
        put_file(&file, in);
        feed(str_n(file.p ? file.p : "", file.n));
        buf_done(&file);
    } else {
        in = str_n(copy, size);
        feed(in);
        body(in);
    }
    free(copy);
    return 0;
}
