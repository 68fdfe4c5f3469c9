/* entry.c: see entry.h. The fields come from record.def; amounts go out as nano-dollars. */
#include "ledger/entry.h"

#include "base/clock.h"
#include "base/digest.h"
#include "json/write.h"

/* In memory and on disk of the same machine: native byte order. */
struct entry_head {
    uint32_t crc;  /* of all that follows it, parts included */
    uint32_t size; /* of the parts together */
    uint32_t calls, attempts;
    int64_t session;
    uint8_t call[16];
    uint8_t type, pad[7];
};

static void put_uuid(struct json_writer *w, struct call_id id)
{
    char text[UUID_TEXT];

    call_id_uuid(id, text);
    json_cstr(w, text);
}

static void put_id(struct json_writer *w, int64_t v)
{
    if (v)
        json_int(w, v);
    else
        json_null(w);
}

static void put_time(struct json_writer *w, int64_t us)
{
    char text[CLOCK_RFC3339_SIZE];

    if (!us) {
        json_null(w);
        return;
    }
    clock_rfc3339(us, text);
    json_cstr(w, text);
}

static void put_text(struct json_writer *w, struct str s)
{
    if (s.p)
        json_str(w, s);
    else
        json_null(w);
}

static void put_json(struct json_writer *w, struct str s)
{
    if (s.p && s.n)
        json_raw(w, s);
    else
        json_null(w);
}

static void put_money(struct json_writer *w, struct money m)
{
    json_int(w, m.nano);
}

#define PUT_UUID put_uuid
#define PUT_ID put_id
#define PUT_TIME put_time
#define PUT_I64 json_int
#define PUT_I32 json_int
#define PUT_BOOL json_bool
#define PUT_MONEY put_money
#define PUT_TEXT put_text
#define PUT_JSON put_json
#define PUT_CALL(name, kind, bound, label) \
    json_key(&w, #name);                   \
    PUT_##kind(&w, r->name);
#define PUT_ATTEMPT(name, kind, bound, label) \
    json_key(&w, #name);                      \
    PUT_##kind(&w, t->name);

static void put_calls(struct buf *out, const struct call_record *r)
{
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    RECORD_CALL(PUT_CALL)
    json_close_object(&w);
}

static void put_attempts(struct buf *out, const struct call_record *r)
{
    int32_t n = MIN(r->attempts, (int32_t)BOUND_ATTEMPTS);

    for (int32_t i = 0; i < n; i++) {
        const struct attempt_record *t = &r->attempt[i];
        struct json_writer w;

        if (i)
            buf_putc(out, ',');
        json_begin(&w, out);
        json_open_object(&w);
        json_key(&w, "team_id");
        json_int(&w, r->team_id);
        json_key(&w, "call_id");
        put_uuid(&w, r->call_id);
        RECORD_ATTEMPT(PUT_ATTEMPT)
        json_close_object(&w);
    }
}

static void put_draws(struct buf *out, const struct call_record *r, const struct hold *hold,
                      const int64_t *used)
{
    bool first = true;

    for (size_t i = 0; hold && used && i < hold->n; i++) {
        struct json_writer w;

        if (!used[i])
            continue;
        if (!first)
            buf_putc(out, ',');
        first = false;
        json_begin(&w, out);
        json_open_object(&w);
        json_key(&w, "team_id");
        json_int(&w, r->team_id);
        json_key(&w, "call_id");
        put_uuid(&w, r->call_id);
        json_key(&w, "purse_id");
        json_int(&w, hold->cell[i]->purse.v);
        json_key(&w, "window_start");
        if (hold->window_us[i] == INT64_MIN)
            json_cstr(&w, "-infinity");
        else
            put_time(&w, hold->window_us[i]);
        json_key(&w, "taken");
        json_int(&w, MIN(used[i], hold->amount[i]));
        json_key(&w, "used");
        json_int(&w, used[i]);
        json_close_object(&w);
    }
}

/* The database's text holds any character but NUL, which a request may well contain: it becomes
 * U+FFFD, as what is not UTF-8 became already. */
static void replace_nuls(char *p, size_t n)
{
    for (size_t i = 0; i + 6 <= n; i++) {
        if (p[i] != '\\')
            continue;
        if (memcmp(p + i, "\\u0000", 6) == 0)
            memcpy(p + i + 2, "fffd", 4);
        i++; /* what follows a backslash is no backslash of its own */
    }
}

static uint32_t crc_of(const char *head, size_t size)
{
    return digest_crc32c(0, head + sizeof(uint32_t), size - sizeof(uint32_t));
}

void entry_put(struct buf *out, enum entry_type type, int64_t session,
               const struct call_record *record, const struct hold *hold, const int64_t *used)
{
    struct entry_head head = {.session = session, .type = (uint8_t)type};
    size_t at = out->n;

    memcpy(head.call, record->call_id.b, sizeof(head.call));
    buf_put(out, &head, sizeof(head));
    put_calls(out, record);
    head.calls = (uint32_t)(out->n - at - sizeof(head));
    put_attempts(out, record);
    head.attempts = (uint32_t)(out->n - at - sizeof(head)) - head.calls;
    put_draws(out, record, hold, used);
    head.size = (uint32_t)(out->n - at - sizeof(head));
    if (buf_finish(out))
        return;
    replace_nuls(out->p + at + sizeof(head), head.size);
    memcpy(out->p + at, &head, sizeof(head));
    head.crc = crc_of(out->p + at, out->n - at);
    memcpy(out->p + at, &head, sizeof(head));
}

int entry_get(struct str bytes, struct entry *ret, size_t *ret_size)
{
    struct entry_head head;
    const char *parts = bytes.p + sizeof(head);

    if (bytes.n < sizeof(head))
        return ENTRY_E_TORN;
    memcpy(&head, bytes.p, sizeof(head));
    if (head.size > bytes.n - sizeof(head))
        return ENTRY_E_TORN;
    if (head.crc != crc_of(bytes.p, sizeof(head) + head.size) || head.calls > head.size ||
        head.attempts > head.size - head.calls || head.type < ENTRY_BEGIN || head.type > ENTRY_END)
        return ENTRY_E_BROKEN;
    *ret = (struct entry){
        .type = (enum entry_type)head.type,
        .session = head.session,
        .calls = str_n(parts, head.calls),
        .attempts = str_n(parts + head.calls, head.attempts),
        .draws = str_n(parts + head.calls + head.attempts, head.size - head.calls - head.attempts)};
    memcpy(ret->call.b, head.call, sizeof(head.call));
    *ret_size = sizeof(head) + head.size;
    return ENTRY_OK;
}
