/* totp.c: see totp.h. */
#include "identity/totp.h"

#include <liboath/oath.h>
#include <pthread.h>

#include "base/bounds.h"
#include "base/buf.h"

#define DIGITS 6
#define WINDOW 1 /* steps, to both sides */
#define URI_BYTES KIB(4)

static void init(void)
{
    int r = oath_init();

    assert(r == OATH_OK);
}

static bool is_code(struct str code)
{
    for (size_t i = 0; i < code.n; i++)
        if (code.p[i] < '0' || code.p[i] > '9')
            return false;
    return code.n == DIGITS;
}

/* liboath stops at the first step that fits, so each is asked for by itself: were the one before spent, it
 * would hide the next. It compares as strcmp does; what that tells is of no use within a step. */
bool totp_check(const uint8_t secret[TOTP_SECRET_BYTES], struct str code, int64_t now_s,
                int64_t after_step, int64_t *ret_step)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int64_t now = now_s / TOTP_STEP_S;
    char text[DIGITS + 1];

    if (!is_code(code))
        return false;
    memcpy(text, code.p, DIGITS);
    text[DIGITS] = '\0';
    pthread_once(&once, init);
    for (int64_t step = MAX(now - WINDOW, after_step + 1); step <= now + WINDOW; step++) {
        int at = 0;

        if (oath_totp_validate2((const char *)secret, TOTP_SECRET_BYTES, step * TOTP_STEP_S,
                                TOTP_STEP_S, 0, 0, &at, text) >= 0) {
            *ret_step = step;
            return true;
        }
    }
    return false;
}

/* In groups of so many; 0: in one piece. 20 bytes are 32 letters and digits, without a rest. */
static void put_base32(struct buf *out, const uint8_t *p, size_t n, size_t group)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    size_t put = 0;

    for (size_t bit = 0; bit + 5 <= 8 * n; bit += 5) {
        unsigned two = (unsigned)p[bit / 8] << 8 | (bit / 8 + 1 < n ? p[bit / 8 + 1] : 0u);

        if (group && put && put % group == 0)
            buf_putc(out, ' ');
        buf_putc(out, letters[two >> (11 - bit % 8) & 31]);
        put++;
    }
}

static struct str finish(struct arena *a, struct buf *text)
{
    struct str s = arena_str(a, buf_str(text));

    if (buf_finish(text))
        s = STR_NONE;
    buf_done(text);
    return s;
}

struct str totp_typed(struct arena *a, const uint8_t secret[TOTP_SECRET_BYTES])
{
    struct buf text;

    buf_init(&text, URI_BYTES);
    put_base32(&text, secret, TOTP_SECRET_BYTES, 4);
    return finish(a, &text);
}

static void put_escaped(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            (c && strchr("-._~@", c)))
            buf_putc(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

struct str totp_uri(struct arena *a, const uint8_t secret[TOTP_SECRET_BYTES], struct str issuer,
                    struct str account)
{
    struct buf text;

    buf_init(&text, URI_BYTES);
    buf_puts(&text, "otpauth://totp/");
    put_escaped(&text, issuer);
    buf_putc(&text, ':');
    put_escaped(&text, account);
    buf_puts(&text, "?secret=");
    put_base32(&text, secret, TOTP_SECRET_BYTES, 0);
    buf_puts(&text, "&issuer=");
    put_escaped(&text, issuer);
    return finish(a, &text);
}
