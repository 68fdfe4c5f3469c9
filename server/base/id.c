/* id.c: see id.h. The 12 bits behind the milliseconds carry their fraction (RFC 9562 6.2, method
 * 3), so that ids of one node order by more than the millisecond. */
#include "base/id.h"

#include "base/clock.h"
#include "base/random.h"

static const char hex_digits[] = "0123456789abcdef";

struct call_id call_id_new(void)
{
    struct call_id id;
    int64_t us = MAX(clock_wall_us(), (int64_t)0);
    uint64_t ms = (uint64_t)us / 1000;
    unsigned fraction = (unsigned)(us % 1000) * 4096 / 1000;

    random_name(id.b + 8, 8);
    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    id.b[6] = (uint8_t)(0x70 | fraction >> 8);
    id.b[7] = (uint8_t)fraction;
    id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
    return id;
}

void call_id_text(struct call_id id, char out[CALL_ID_TEXT])
{
    memcpy(out, "call_", 5);
    for (size_t i = 0; i < sizeof(id.b); i++) {
        out[5 + 2 * i] = hex_digits[id.b[i] >> 4];
        out[6 + 2 * i] = hex_digits[id.b[i] & 15];
    }
    out[CALL_ID_TEXT - 1] = '\0';
}

void call_id_uuid(struct call_id id, char out[UUID_TEXT])
{
    char *p = out;

    for (size_t i = 0; i < sizeof(id.b); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = hex_digits[id.b[i] >> 4];
        *p++ = hex_digits[id.b[i] & 15];
    }
    *p = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool call_id_parse(struct str s, struct call_id *ret)
{
    struct call_id id;
    bool dashed;
    size_t at = 0;

    if (str_starts(s, STR("call_")))
        s = str_n(s.p + 5, s.n - 5);
    dashed = s.n == UUID_TEXT - 1;
    if (s.n != 2 * sizeof(id.b) && !dashed)
        return false;
    for (size_t i = 0; i < sizeof(id.b); i++) {
        int high, low;

        if (dashed && (i == 4 || i == 6 || i == 8 || i == 10) && s.p[at++] != '-')
            return false;
        high = hex_value(s.p[at++]);
        low = hex_value(s.p[at++]);
        if (high < 0 || low < 0)
            return false;
        id.b[i] = (uint8_t)(high << 4 | low);
    }
    *ret = id;
    return true;
}

bool call_id_eq(struct call_id a, struct call_id b)
{
    return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

bool call_id_given(struct call_id id)
{
    static const struct call_id none;

    return !call_id_eq(id, none);
}

int64_t call_id_ms(struct call_id id)
{
    int64_t ms = 0;

    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id.b[i];
    return ms;
}
