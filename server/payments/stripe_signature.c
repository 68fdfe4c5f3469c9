/* stripe_signature.c: see stripe_signature.h. */
#include "payments/stripe_signature.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

#define TIME_DIGITS 12 /* seconds until the year 33658 */
#define V1_DIGITS 64

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_hex(struct str text, struct digest *ret)
{
    if (text.n != 2 * sizeof(ret->b))
        return false;
    for (size_t i = 0; i < sizeof(ret->b); i++) {
        int high = hex_value(text.p[2 * i]), low = hex_value(text.p[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        ret->b[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

int stripe_signature_read(struct str header, struct stripe_signature *ret)
{
    struct stripe_signature s = {.n = 0};
    struct str rest = header, value, name;
    struct digest d;

    while (rest.n > 0 && str_split(&rest, ',', &value)) {
        if (str_find(value, '=') < 0 || !str_split(&value, '=', &name))
            return STRIPE_SIGNATURE_E_HEADER;
        name = str_trim(name);
        if (str_eq_c(name, "t")) {
            if (s.t.p || value.n > TIME_DIGITS || str_i64(value, &s.at_s) != STR_OK || s.at_s < 0)
                return STRIPE_SIGNATURE_E_HEADER;
            s.t = value;
        } else if (str_eq_c(name, "v1") && s.n < STRIPE_V1_MAX) {
            if (!read_hex(value, &d))
                return STRIPE_SIGNATURE_E_HEADER;
            s.v1[s.n++] = value;
        }
    }
    if (!s.t.p || s.n == 0)
        return STRIPE_SIGNATURE_E_HEADER;
    *ret = s;
    return STRIPE_SIGNATURE_OK;
}

static bool signed_by(const struct stripe_signature *s, struct str secret, struct str text)
{
    struct digest want = digest_hmac_sha256(secret, text), got;
    bool same = false;

    for (size_t i = 0; i < s->n; i++)
        if (read_hex(s->v1[i], &got) && digest_eq(&want, &got))
            same = true;
    return same;
}

int stripe_signature_check(struct str header, struct str body, const struct str *secrets, size_t n,
                           int64_t now_s)
{
    struct stripe_signature s;
    struct buf text;
    bool good = false;
    int r = stripe_signature_read(header, &s);

    if (r != STRIPE_SIGNATURE_OK)
        return r;
    buf_init(&text, body.n + TIME_DIGITS + 1);
    buf_put_str(&text, s.t);
    buf_putc(&text, '.');
    buf_put_str(&text, body);
    r = buf_finish(&text);
    for (size_t i = 0; r == 0 && i < n; i++)
        if (secrets[i].n > 0 && signed_by(&s, secrets[i], buf_str(&text)))
            good = true;
    buf_done(&text);
    if (r < 0)
        return err_trace(r);
    if (!good)
        return STRIPE_SIGNATURE_E_FORGED;
    return s.at_s < now_s - STRIPE_TOLERANCE_S || s.at_s > now_s + STRIPE_TOLERANCE_S
               ? STRIPE_SIGNATURE_E_TIME
               : STRIPE_SIGNATURE_OK;
}
