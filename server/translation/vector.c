/* vector.c: see vector.h. */
#include "translation/vector.h"

#include <endian.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/bounds.h"
#include "base/err.h"

/* Digits of a float that tell it from its neighbours, with sign, point and exponent. */
enum { NUMBER_BYTES = 16 };

/* --- one number --- */

/* Powers of ten that a double holds exactly, and the largest integer below which it holds all. */
static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
enum { EXPONENT_MOST = 10000 };
#define EXACT_BELOW (UINT64_C(1) << 53)

struct decimal {
    uint64_t digits;
    int scale;  /* powers of ten to multiply by */
    bool exact; /* nothing was left out */
};

static const char *read_digits(const char *p, int per_digit, struct decimal *d)
{
    for (; *p >= '0' && *p <= '9'; p++) {
        if (d->digits >= EXACT_BELOW / 10) {
            d->exact = false;
            continue;
        }
        d->digits = d->digits * 10 + (uint64_t)(*p - '0');
        d->scale += per_digit;
    }
    return p;
}

static const char *read_decimal(const char *p, struct decimal *d)
{
    bool below;
    int e = 0;

    p = read_digits(p, 0, d);
    if (*p == '.')
        p = read_digits(p + 1, -1, d);
    if (*p != 'e' && *p != 'E')
        return p;
    p++;
    below = *p == '-';
    p += *p == '-' || *p == '+';
    for (; *p >= '0' && *p <= '9'; p++)
        e = MIN(e * 10 + (*p - '0'), EXPONENT_MOST);
    d->scale += below ? -e : e;
    return p;
}

/* Does the double stand half-way between two floats? Its last 29 bits are what a float has no room
 * for. Anywhere else the float nearest to it is the one nearest to the number that it was rounded
 * from. */
static bool is_half_way(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    return (bits & 0x1fffffff) == 0x10000000;
}

static float nearest(const char *text, const struct decimal *d)
{
    int scale = d->scale < 0 ? -d->scale : d->scale;
    double v = 0;

    if (!d->exact || scale >= (int)ARRAY_LEN(tens))
        return strtof(text, NULL);
    v = d->scale < 0 ? (double)d->digits / tens[scale] : (double)d->digits * tens[scale];
    if (v != 0 && (v < (double)FLT_MIN || v > (double)FLT_MAX || is_half_way(v)))
        return strtof(text, NULL);
    return (float)v;
}

/* p stands on a number of a text in which something that is none stands behind it. */
static const char *read_number(const char *p, float *ret)
{
    struct decimal d = {.exact = true};
    bool below = *p == '-';
    const char *from = p + below;

    p = read_decimal(from, &d);
    *ret = nearest(from, &d);
    *ret = below ? -*ret : *ret;
    return p;
}

/* --- a list of them --- */

/* Numbers taken off the front of a list, which ends in its bracket. */
struct list_reading {
    const char *p;
    bool wrong; /* something that is no number, or no float */
};

static void begin(struct list_reading *l, struct str raw)
{
    *l = (struct list_reading){.p = raw.p + 1};
}

static bool next(struct list_reading *l, float *ret)
{
    while (*l->p == ' ' || *l->p == '\t' || *l->p == '\n' || *l->p == '\r' || *l->p == ',')
        l->p++;
    if (*l->p == ']')
        return false;
    l->wrong = *l->p != '-' && !(*l->p >= '0' && *l->p <= '9');
    if (!l->wrong)
        l->p = read_number(l->p, ret);
    l->wrong = l->wrong || !isfinite(*ret);
    return !l->wrong;
}

static int read_numbers(struct str raw, struct embed_vector *ret)
{
    struct embed_vector v = {.numbers = raw};
    struct list_reading l;
    float f;

    for (begin(&l, raw); next(&l, &f);)
        v.n++;
    if (l.wrong || !v.n)
        return VECTOR_E_NONE;
    *ret = v;
    return VECTOR_OK;
}

static float from_little_endian(const char *p)
{
    uint32_t bits;
    float f;

    memcpy(&bits, p, sizeof(bits));
    bits = le32toh(bits);
    memcpy(&f, &bits, sizeof(f));
    return f;
}

static int read_floats(struct arena *a, struct str bytes, struct embed_vector *ret)
{
    size_t n = bytes.n / sizeof(float);
    float *floats;

    if (!n || bytes.n % sizeof(float))
        return VECTOR_E_NONE;
    floats = arena_array(a, float, n);
    if (!floats)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        floats[i] = from_little_endian(bytes.p + i * sizeof(float));
        if (!isfinite(floats[i]))
            return VECTOR_E_NONE;
    }
    *ret = (struct embed_vector){.floats = floats, .n = n};
    return VECTOR_OK;
}

/* Base64 has no character that JSON has to escape, but for the slash, which some do. */
static int read_text(struct arena *a, struct str raw, struct embed_vector *ret)
{
    struct json_span span = {.n = (uint32_t)raw.n, .kind = JSON_STRING};
    int r = VECTOR_E_NONE;
    struct buf text, bytes;

    buf_init(&text, BOUND_UPSTREAM_REPLY_BYTES);
    buf_init(&bytes, BOUND_UPSTREAM_REPLY_BYTES);
    if (json_span_text(raw, span, &text) == JSON_OK && base64_read(buf_str(&text), &bytes))
        r = read_floats(a, buf_str(&bytes), ret);
    buf_done(&bytes);
    buf_done(&text);
    return r;
}

int vector_read(struct arena *a, struct str raw, struct embed_vector *ret)
{
    if (raw.n >= 2 && raw.p[0] == '[')
        return read_numbers(raw, ret);
    if (raw.n >= 2 && raw.p[0] == '"')
        return read_text(a, raw, ret);
    return VECTOR_E_NONE;
}

/* --- written --- */

void vector_put_numbers(const struct embed_vector *v, struct buf *out)
{
    if (v->numbers.p) {
        buf_put_str(out, v->numbers);
        return;
    }
    for (size_t i = 0; i < v->n; i++)
        buf_printf(out, "%c%.*g", i ? ',' : '[', FLT_DECIMAL_DIG, (double)v->floats[i]);
    buf_putc(out, ']');
}

static size_t put_little_endian(char *to, float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof(bits));
    bits = htole32(bits);
    memcpy(to, &bits, sizeof(bits));
    return sizeof(bits);
}

void vector_put_base64(const struct embed_vector *v, struct buf *out)
{
    char bytes[3 * 64 * sizeof(float)]; /* whole groups, so that only the last has padding */
    struct list_reading l = {.p = "]"};
    size_t n = 0;

    if (v->numbers.p)
        begin(&l, v->numbers);
    buf_putc(out, '"');
    for (size_t i = 0; i < v->n; i++) {
        float f = v->numbers.p ? 0 : v->floats[i];

        if (v->numbers.p)
            (void)next(&l, &f);
        n += put_little_endian(bytes + n, f);
        if (n == sizeof(bytes)) {
            base64_put(out, bytes, n);
            n = 0;
        }
    }
    base64_put(out, bytes, n);
    buf_putc(out, '"');
}

void vector_copy(const struct embed_vector *v, float *out)
{
    struct list_reading l = {.p = "]"};

    if (!v->numbers.p) {
        memcpy(out, v->floats, v->n * sizeof(*out));
        return;
    }
    begin(&l, v->numbers);
    for (size_t i = 0; i < v->n; i++) {
        out[i] = 0;
        (void)next(&l, &out[i]);
    }
}

size_t vector_bytes(const struct embed_vector *v)
{
    return MAX(v->numbers.n, v->n * NUMBER_BYTES);
}
