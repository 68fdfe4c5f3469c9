/* entry.c: see entry.h. Putting and reading are spelt by record.def, so a new field needs no line
 * here. */
#include "ledger/entry.h"

#include "base/digest.h"

#define ENTRY_MAGIC "TGJ"
/* Of the bytes, not of the field list, which has its own sum. */
#define ENTRY_FORMAT 2

/* Read on the machine that wrote it: native byte order. */
struct entry_head {
    char magic[3];
    uint8_t format;
    uint32_t crc;   /* of all that follows it, body included */
    uint32_t size;  /* of the body */
    uint32_t shape; /* of the field list, as far as it is used */
    int64_t session;
    uint8_t call[16];
    uint16_t n_call, n_attempt;
    uint8_t type, n_video, pad[2];
};
#define CRC_FROM offsetof(struct entry_head, size)

#define COUNT_FIELD(name, kind, bound, label) +1
#define N_CALL (0 RECORD_CALL(COUNT_FIELD))
#define N_ATTEMPT (0 RECORD_ATTEMPT(COUNT_FIELD))
#define N_SHADOW (0 RECORD_SHADOW(COUNT_FIELD))
#define N_VIDEO (0 RECORD_VIDEO(COUNT_FIELD))

/* A varint of 64 bits has ten bytes at most. */
#define VARINT_BYTES 10

/* --- the field list's sum --- */

static uint32_t sum_of(const char *const *words, size_t n, uint32_t crc)
{
    for (size_t i = 0; i < n; i++)
        crc = digest_crc32c(crc, words[i], strlen(words[i]) + 1);
    return crc;
}

/* Of the first n_call and n_attempt fields. */
static uint32_t shape_of(unsigned n_call, unsigned n_attempt)
{
#define FIELD_WORD(name, kind, bound, label) #name ":" #kind,
    static const char *const call[] = {RECORD_CALL(FIELD_WORD)};
    static const char *const attempt[] = {RECORD_ATTEMPT(FIELD_WORD)};

    return sum_of(attempt, n_attempt, sum_of(call, n_call, 0));
}

/* Of the whole list; worked out once, which is the same whoever does it. */
static uint32_t own_shape(void)
{
    static _Atomic uint32_t shape;
    uint32_t known = atomic_load_explicit(&shape, memory_order_relaxed);

    if (!known) {
        known = shape_of(N_CALL, N_ATTEMPT);
        atomic_store_explicit(&shape, known, memory_order_relaxed);
    }
    return known;
}

static bool shape_fits(const struct entry_head *head)
{
    if (head->n_call == N_CALL && head->n_attempt == N_ATTEMPT)
        return head->shape == own_shape();
    return head->n_call <= N_CALL && head->n_attempt <= N_ATTEMPT &&
           head->shape == shape_of(head->n_call, head->n_attempt);
}

/* --- putting: p has room for what room_of() says --- */

static char *put_varint(char *p, int64_t v)
{
    uint64_t z = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);

    for (; z >= 0x80; z >>= 7)
        *p++ = (char)(z | 0x80);
    *p++ = (char)z;
    return p;
}

static char *put_bytes(char *p, const void *bytes, size_t n)
{
    memcpy(p, bytes, n);
    return p + n;
}

/* 0: absent; else one more than the length. */
static char *put_text(char *p, struct str s)
{
    p = put_varint(p, s.p ? (int64_t)s.n + 1 : 0);
    return s.p ? put_bytes(p, s.p, s.n) : p;
}

/* A call's own id stands in the head. */
enum { UUID_NONE = 0, UUID_OWN = 1, UUID_FOLLOWS = 2 };

static char *put_uuid(char *p, struct call_id id, struct call_id own)
{
    bool none = call_id_eq(id, (struct call_id){{0}}), is_own = call_id_eq(id, own);

    *p++ = none ? UUID_NONE : is_own ? UUID_OWN : UUID_FOLLOWS;
    return none || is_own ? p : put_bytes(p, id.b, sizeof(id.b));
}

#define PUT_UUID(p, f) put_uuid(p, f, of->call_id)
#define PUT_ID put_varint
#define PUT_TIME put_varint
#define PUT_I64 put_varint
#define PUT_I32 put_varint
#define PUT_BOOL put_varint
#define PUT_MONEY(p, f) put_varint(p, (f).nano)
#define PUT_TEXT put_text
#define PUT_JSON put_text

#define ROOM_UUID(f) 1 + sizeof((f).b)
#define ROOM_ID(f) VARINT_BYTES
#define ROOM_TIME(f) VARINT_BYTES
#define ROOM_I64(f) VARINT_BYTES
#define ROOM_I32(f) VARINT_BYTES
#define ROOM_BOOL(f) VARINT_BYTES
#define ROOM_MONEY(f) VARINT_BYTES
#define ROOM_TEXT(f) VARINT_BYTES + (f).n
#define ROOM_JSON(f) VARINT_BYTES + (f).n

static unsigned attempts_of(const struct call_record *r)
{
    return r->attempts <= 0 ? 0 : (unsigned)MIN(r->attempts, (int32_t)BOUND_ATTEMPTS);
}

#define ROOM(name, kind, bound, label) +ROOM_##kind(of->name)
#define PUT(name, kind, bound, label) p = PUT_##kind(p, of->name);

static size_t attempt_room(const struct attempt_record *of)
{
    return 0 RECORD_ATTEMPT(ROOM);
}

static size_t video_room(const struct video_record *of)
{
    return 0 RECORD_VIDEO(ROOM);
}

static size_t room_of(const struct call_record *of)
{
    size_t n = VARINT_BYTES * (1 + 4 * BOUND_HOLD_PURSES) RECORD_CALL(ROOM) RECORD_SHADOW(ROOM);

    for (unsigned i = 0; i < attempts_of(of); i++)
        n += attempt_room(&of->attempt[i]);
    return of->video ? n + video_room(of->video) : n;
}

static char *put_attempt(char *p, const struct attempt_record *of)
{
    RECORD_ATTEMPT(PUT)
    return p;
}

static char *put_record(char *p, const struct call_record *of)
{
    RECORD_CALL(PUT)
    for (unsigned i = 0; i < attempts_of(of); i++)
        p = put_attempt(p, &of->attempt[i]);
    return p;
}

static char *put_shadow(char *p, const struct call_record *of)
{
    if (call_record_is_shadow(of)) {
        RECORD_SHADOW(PUT)
    }
    return p;
}

static char *put_video(char *p, const struct video_record *of)
{
    RECORD_VIDEO(PUT)
    return p;
}

/* What comes out of the session's lease: of a share that the node gave itself nothing does. */
static int64_t taken_of(const struct hold *hold, size_t i, int64_t used)
{
    return cell_window_shared(hold->window_us[i]) ? 0 : MIN(used, hold->amount[i]);
}

static char *put_draws(char *p, const struct hold *hold, const int64_t *used)
{
    int64_t n = 0;

    for (size_t i = 0; hold && used && i < hold->n; i++)
        n += used[i] > 0;
    p = put_varint(p, n);
    for (size_t i = 0; n && i < hold->n; i++) {
        if (used[i] <= 0)
            continue;
        p = put_varint(p, hold->cell[i]->purse.v);
        p = put_varint(p, cell_window_start(hold->window_us[i]));
        p = put_varint(p, taken_of(hold, i, used[i]));
        p = put_varint(p, used[i]);
    }
    return p;
}

static uint32_t crc_of(const char *head, size_t size)
{
    return digest_crc32c(0, head + CRC_FROM, size - CRC_FROM);
}

void entry_put(struct buf *out, enum entry_type type, int64_t session,
               const struct call_record *record, const struct hold *hold, const int64_t *used)
{
    struct entry_head head = {.magic = ENTRY_MAGIC,
                              .format = ENTRY_FORMAT,
                              .type = (uint8_t)type,
                              .shape = own_shape(),
                              .session = session,
                              .n_call = N_CALL,
                              .n_attempt = N_ATTEMPT,
                              .n_video = record->video ? N_VIDEO : 0};
    char *start = buf_reserve(out, sizeof(head) + room_of(record)), *end;

    if (!start)
        return;
    end = put_draws(put_record(start + sizeof(head), record), hold, used);
    end = record->video ? put_video(end, record->video) : put_shadow(end, record);
    head.size = (uint32_t)(end - start - (ptrdiff_t)sizeof(head));
    memcpy(head.call, record->call_id.b, sizeof(head.call));
    memcpy(start, &head, sizeof(head));
    head.crc = crc_of(start, sizeof(head) + head.size);
    memcpy(start, &head, sizeof(head));
    out->n += sizeof(head) + head.size;
}

/* --- reading --- */

/* At the first byte that does not fit everything else reads as 0. */
struct reading {
    const char *p, *end;
    bool bad;
    struct call_id own; /* of the head */
};

static int64_t get_varint(struct reading *in)
{
    uint64_t z = 0;

    for (unsigned shift = 0; shift < 64 && in->p < in->end; shift += 7) {
        uint8_t b = (uint8_t)*in->p++;

        z |= (uint64_t)(b & 0x7F) << shift;
        if (!(b & 0x80))
            return (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
    }
    in->bad = true;
    in->p = in->end;
    return 0;
}

static const char *get_bytes(struct reading *in, int64_t n)
{
    const char *p = in->p;

    if (n < 0 || n > in->end - in->p) {
        in->bad = true;
        in->p = in->end;
        return NULL;
    }
    in->p += n;
    return p;
}

static struct str get_text(struct reading *in)
{
    int64_t coded = get_varint(in);
    const char *p = coded > 0 ? get_bytes(in, coded - 1) : NULL;

    in->bad = in->bad || coded < 0;
    return p ? str_n(p, (size_t)(coded - 1)) : STR_NONE;
}

static struct call_id get_uuid(struct reading *in)
{
    struct call_id id = {{0}};
    const char *kind = get_bytes(in, 1), *p;

    if (!kind || *kind == UUID_NONE)
        return id;
    if (*kind == UUID_OWN)
        return in->own;
    p = *kind == UUID_FOLLOWS ? get_bytes(in, sizeof(id.b)) : NULL;
    if (p)
        memcpy(id.b, p, sizeof(id.b));
    in->bad = in->bad || !p;
    return id;
}

static int32_t get_i32(struct reading *in)
{
    int64_t v = get_varint(in);

    in->bad = in->bad || v != (int32_t)v;
    return (int32_t)v;
}

static struct money get_money(struct reading *in)
{
    return (struct money){get_varint(in)};
}

#define GET_UUID get_uuid
#define GET_ID get_varint
#define GET_TIME get_varint
#define GET_I64 get_varint
#define GET_I32 get_i32
#define GET_BOOL get_varint
#define GET_MONEY get_money
#define GET_TEXT get_text
#define GET_JSON get_text
#define GET(name, kind, bound, label) \
    if (left > 0) {                   \
        left--;                       \
        to->name = GET_##kind(in);    \
    }

static void get_attempt(struct reading *in, unsigned left, struct attempt_record *to)
{
    memset(to, 0, sizeof(*to));
    RECORD_ATTEMPT(GET)
}

static void get_call(struct reading *in, unsigned left, unsigned n_attempt, struct call_record *to)
{
    memset(to, 0, offsetof(struct call_record, attempt));
    RECORD_CALL(GET)
    in->bad = in->bad || to->attempts < 0 || to->attempts > BOUND_ATTEMPTS;
    for (unsigned i = 0; i < attempts_of(to); i++)
        get_attempt(in, n_attempt, &to->attempt[i]);
}

static size_t get_draws(struct reading *in, struct settle_draw draws[BOUND_HOLD_PURSES])
{
    int64_t n = get_varint(in);

    if (n < 0 || n > BOUND_HOLD_PURSES) {
        in->bad = true;
        return 0;
    }
    for (int64_t i = 0; i < n; i++) {
        draws[i].purse.v = get_varint(in);
        draws[i].window_us = get_varint(in);
        draws[i].taken = get_varint(in);
        draws[i].used = get_varint(in);
    }
    return (size_t)n;
}

/* Behind the draws, where there is anything. */
static void get_shadow(struct reading *in, struct call_record *to)
{
    unsigned left = in->p < in->end ? N_SHADOW : 0;

    RECORD_SHADOW(GET)
}

static const struct video_record *get_video(struct reading *in, unsigned left, struct video_record *to)
{
    memset(to, 0, sizeof(*to));
    RECORD_VIDEO(GET)
    return to;
}

int entry_view(const struct entry *e, struct entry_view *ret)
{
    struct reading in = {e->body.p, e->body.p + e->body.n, false, e->call};

    get_call(&in, e->n_call, e->n_attempt, &ret->call);
    ret->entry = (struct settle_entry){&ret->call, ret->draws, get_draws(&in, ret->draws)};
    if (e->n_video)
        ret->call.video = get_video(&in, e->n_video, &ret->video);
    else
        get_shadow(&in, &ret->call);
    return in.bad || in.p != in.end || !call_id_eq(ret->call.call_id, e->call) ? ENTRY_E_BROKEN
                                                                              : ENTRY_OK;
}

static struct entry entry_of(const struct entry_head *head, const char *body)
{
    struct entry e = {.type = (enum entry_type)head->type,
                      .session = head->session,
                      .n_call = head->n_call,
                      .n_attempt = head->n_attempt,
                      .n_video = head->n_video,
                      .body = str_n(body, head->size)};

    memcpy(e.call.b, head->call, sizeof(e.call.b));
    return e;
}

struct entry entry_known(struct str record)
{
    struct entry_head head;

    assert(record.n >= sizeof(head));
    memcpy(&head, record.p, sizeof(head));
    assert(record.n == sizeof(head) + head.size);
    return entry_of(&head, record.p + sizeof(head));
}

static bool only_zeros(struct str bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i])
            return false;
    return true;
}

int entry_get(struct str bytes, struct entry *ret, size_t *ret_size)
{
    struct entry_head head = {0};

    *ret_size = 0;
    memcpy(&head, bytes.p, MIN(bytes.n, sizeof(head)));
    if (bytes.n >= sizeof(head.magic) && memcmp(head.magic, ENTRY_MAGIC, sizeof(head.magic)) != 0)
        return only_zeros(bytes) ? ENTRY_E_TORN : ENTRY_E_BROKEN;
    if (bytes.n >= offsetof(struct entry_head, crc) && head.format != ENTRY_FORMAT)
        return ENTRY_E_FOREIGN;
    if (bytes.n < sizeof(head) || head.size > bytes.n - sizeof(head))
        return ENTRY_E_TORN;
    *ret_size = sizeof(head) + head.size;
    if (head.crc != crc_of(bytes.p, *ret_size) || head.type < ENTRY_BEGIN ||
        head.type > ENTRY_END)
        return ENTRY_E_BROKEN;
    if (!shape_fits(&head))
        return ENTRY_E_FOREIGN;
    *ret = entry_of(&head, bytes.p + sizeof(head));
    return ENTRY_OK;
}

size_t entry_find(struct str bytes, size_t from)
{
    const char *at = bytes.p + from, *end = bytes.p + bytes.n;
    struct entry unused;
    size_t size;

    while (at < end && (at = memmem(at, (size_t)(end - at), ENTRY_MAGIC, strlen(ENTRY_MAGIC)))) {
        if (entry_get(str_n(at, (size_t)(end - at)), &unused, &size) == ENTRY_OK)
            return (size_t)(at - bytes.p);
        at++;
    }
    return bytes.n;
}
