/* mail.c: the mail that a letter makes; see letter.h. Bodies are quoted-printable, so that a plain text
 * stays readable as it travels and no line is longer than 76 bytes; headers that are not plain ASCII, or
 * long, are encoded words. */
#include <time.h>

#include "base/base64.h"
#include "notices/letter.h"

#define LINE_MAX_BYTES 76
/* An encoded word of at most 75 bytes has room for 45, since four carry three. */
#define WORD_BYTES 45
/* The first one shares its line with the header's name. */
#define FIRST_WORD_BYTES 36
/* What an unencoded header may be at most, so that none has to be folded. */
#define PLAIN_BYTES 60

static bool is_plain(struct str s)
{
    if (s.n > PLAIN_BYTES)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~' || (s.p[i] == '=' && i + 1 < s.n && s.p[i + 1] == '?'))
            return false;
    return true;
}

/* As many whole characters of s as fit into a word. */
static size_t word_length(struct str s, size_t most)
{
    size_t n = 0;

    while (n < s.n) {
        size_t c = str_utf8_length(s.p + n, s.n - n);

        c = c ? c : 1;
        if (n + c > most)
            break;
        n += c;
    }
    return n;
}

static void put_words(struct buf *out, struct str s)
{
    char clean[WORD_BYTES];

    for (bool first = true; s.n; first = false) {
        size_t n = word_length(s, first ? FIRST_WORD_BYTES : WORD_BYTES);

        for (size_t i = 0; i < n; i++)
            clean[i] = (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : s.p[i];
        buf_puts(out, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
        base64_put(out, clean, n);
        buf_puts(out, "?=");
        s = str_n(s.p + n, s.n - n);
    }
}

static void put_text_header(struct buf *out, const char *name, struct str s)
{
    buf_printf(out, "%s: ", name);
    if (is_plain(s))
        buf_put_str(out, s);
    else
        put_words(out, s);
    buf_puts(out, "\r\n");
}

/* A name in quotes, where its bytes may be any printable ones but the two that quotes know. */
static void put_mailbox(struct buf *out, const struct mailbox *m)
{
    if (m->name.n && is_plain(m->name) && str_find(m->name, '"') < 0 && str_find(m->name, '\\') < 0) {
        buf_printf(out, "\"%.*s\" ", STR_FMT(m->name));
    } else if (m->name.n) {
        put_words(out, m->name);
        buf_puts(out, "\r\n ");
    }
    buf_printf(out, "<%.*s>", STR_FMT(m->address));
}

static void put_date(struct buf *out, int64_t at_us)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t at = (time_t)(at_us / 1000000);
    struct tm t;

    gmtime_r(&at, &t);
    buf_printf(out, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d +0000\r\n", days + 3 * t.tm_wday,
               t.tm_mday, months + 3 * t.tm_mon, t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

/* A blank at a line's end would be lost on the way, so it is encoded. */
static bool must_encode(struct str s, size_t i)
{
    char c = s.p[i];

    if (c == ' ')
        return i + 1 == s.n || s.p[i + 1] == '\n';
    return c < ' ' || c > '~' || c == '=';
}

static void put_quoted(struct buf *out, struct str s)
{
    size_t column = 0;

    for (size_t i = 0; i < s.n; i++) {
        bool encode = must_encode(s, i);

        if (s.p[i] == '\n') {
            buf_puts(out, "\r\n");
            column = 0;
            continue;
        }
        if (column + (encode ? 3 : 1) > LINE_MAX_BYTES - 1) {
            buf_puts(out, "=\r\n");
            column = 0;
        }
        if (encode)
            buf_printf(out, "=%02X", (unsigned char)s.p[i]);
        else
            buf_putc(out, s.p[i]);
        column += encode ? 3 : 1;
    }
}

static void put_part(struct buf *out, struct str boundary, const char *type, const struct letter *l,
                     void (*put)(const struct letter *, struct buf *))
{
    struct buf text;

    buf_init(&text, MAIL_BYTES_MAX);
    put(l, &text);
    buf_printf(out,
               "--=_%.*s\r\nContent-Type: %s; charset=utf-8\r\n"
               "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
               STR_FMT(boundary), type);
    if (buf_finish(&text))
        buf_reserve(out, out->max + 1); /* fails it too */
    else
        put_quoted(out, buf_str(&text));
    buf_puts(out, "\r\n");
    buf_done(&text);
}

/* Its boundary cannot stand in a part: "=_" is never written by put_quoted(). */
void mail_put(const struct mail *m, struct buf *out)
{
    put_date(out, m->at_us);
    buf_puts(out, "From: ");
    put_mailbox(out, &m->from);
    buf_printf(out, "\r\nTo: <%.*s>\r\n", STR_FMT(m->to));
    put_text_header(out, "Subject", m->letter->subject);
    buf_printf(out, "Message-ID: <%.*s@%.*s>\r\n", STR_FMT(m->tag), STR_FMT(m->host));
    buf_puts(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
    buf_printf(out, "Content-Type: multipart/alternative;\r\n boundary=\"=_%.*s\"\r\n\r\n", STR_FMT(m->tag));
    put_part(out, m->tag, "text/plain", m->letter, letter_put_text);
    put_part(out, m->tag, "text/html", m->letter, letter_put_html);
    buf_printf(out, "--=_%.*s--\r\n", STR_FMT(m->tag));
}
