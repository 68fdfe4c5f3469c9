/* context.c: see context.h. */
#include "traces/context.h"

enum { VERSION_AT = 0, TRACE_AT = 3, PARENT_AT = 36, FLAGS_AT = 53, LENGTH = 55 };
enum { FLAG_SAMPLED = 1 };

static bool digit(char c, uint8_t *ret)
{
    if (c >= '0' && c <= '9')
        *ret = (uint8_t)(c - '0');
    else if (c >= 'a' && c <= 'f')
        *ret = (uint8_t)(c - 'a' + 10);
    else
        return false;
    return true;
}

static bool hex(const char *p, size_t n, uint8_t *ret)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t high, low;

        if (!digit(p[2 * i], &high) || !digit(p[2 * i + 1], &low))
            return false;
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

/* Later versions may have more behind the flags; version 255 is none. */
static bool reads_as_parent(struct str h, struct trace_context *ret)
{
    uint8_t version, flags;

    if (h.n < LENGTH || h.p[TRACE_AT - 1] != '-' || h.p[PARENT_AT - 1] != '-' ||
        h.p[FLAGS_AT - 1] != '-' || !hex(h.p + VERSION_AT, 1, &version) || version == 0xff)
        return false;
    if (h.n > LENGTH && (version == 0 || h.p[LENGTH] != '-'))
        return false;
    if (!hex(h.p + TRACE_AT, TRACE_ID_BYTES, ret->trace) ||
        !hex(h.p + PARENT_AT, SPAN_ID_BYTES, ret->parent) || !hex(h.p + FLAGS_AT, 1, &flags))
        return false;
    ret->sampled = flags & FLAG_SAMPLED;
    return !is_zero(ret->trace, TRACE_ID_BYTES) && !is_zero(ret->parent, SPAN_ID_BYTES);
}

void trace_context_read(struct str header, struct call_id call, struct trace_context *ret)
{
    *ret = (struct trace_context){.has_parent = true};
    if (header.p && reads_as_parent(str_trim(header), ret))
        return;
    *ret = (struct trace_context){.has_parent = false};
    memcpy(ret->trace, call.b, TRACE_ID_BYTES);
}

bool trace_context_kept(const struct trace_context *t, struct call_id call, uint32_t millionths)
{
    uint64_t random = 0;

    if (t->has_parent)
        return t->sampled;
    for (size_t i = 9; i < sizeof(call.b); i++) /* of a version 7 id these 56 bits are random */
        random = random << 8 | call.b[i];
    return random % 1000000 < millionths;
}
