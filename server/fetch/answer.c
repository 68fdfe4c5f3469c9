/* answer.c: see answer.h. */
#include "fetch/answer.h"

#include "base/bounds.h"

enum {
    SIZE_DIGITS_MAX = 15,    /* of a chunk: no body comes near it, and it fits 64 bits */
    EXCESS_MAX = KIB(64),    /* extensions and trailers, of one answer */
    LENGTH_MAX_DIGITS = 18,
};

/* What a head says about its body and its connection. */
struct framing {
    bool http_1_0, sized, chunked, close;
    uint64_t length;
};

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* The number of bytes up to and with the empty line; 0: not there yet. */
static size_t find_end(struct answer *a, const char *p, size_t n)
{
    const char *at = p + a->looked, *end = p + n;

    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        at++;
        if (at < end && *at == '\n')
            return (size_t)(at + 1 - p);
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
            return (size_t)(at + 2 - p);
    }
    a->looked = n < 3 ? 0 : n - 3;
    return 0;
}

/* The next line without its end, and where the one after it begins. */
static struct str next_line(const char **at, const char *end)
{
    const char *begin = *at, *lf = memchr(begin, '\n', (size_t)(end - begin));
    size_t n = (size_t)(lf - begin);

    *at = lf + 1;
    return str_n(begin, n && begin[n - 1] == '\r' ? n - 1 : n);
}

static bool read_status(struct str line, struct framing *f, int *ret)
{
    const char *c = line.p;

    if (line.n < strlen("HTTP/1.1 200") || !str_starts(line, STR("HTTP/1.")) ||
        (c[7] != '0' && c[7] != '1') || c[8] != ' ' || (line.n > 12 && c[12] != ' '))
        return false;
    f->http_1_0 = c[7] == '0';
    *ret = 0;
    for (size_t i = 9; i < 12; i++) {
        if (c[i] < '0' || c[i] > '9')
            return false;
        *ret = *ret * 10 + (c[i] - '0');
    }
    return *ret >= 100 && !memchr(line.p, '\0', line.n) && !memchr(line.p, '\r', line.n);
}

/* "Name: value" into a lower-case name, NUL-terminated in place, and the value. */
static bool cut_header(struct str line, struct fetch_header *ret)
{
    char *begin = (char *)(uintptr_t)line.p, *colon = memchr(line.p, ':', line.n);

    if (!colon || colon == begin || memchr(line.p, '\0', line.n) || memchr(line.p, '\r', line.n))
        return false;
    for (char *c = begin; c < colon; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
        if (!is_name_char(*c))
            return false;
    }
    *colon = '\0';
    ret->name = begin;
    ret->value = str_trim(str_n(colon + 1, (size_t)(begin + line.n - colon - 1)));
    return true;
}

static bool has_token(struct str list, struct str token)
{
    struct str part;

    while (list.n && str_split(&list, ',', &part))
        if (str_ieq(str_trim(part), token))
            return true;
    return false;
}

static bool read_length(struct framing *f, struct str value)
{
    uint64_t length;

    if (value.n > LENGTH_MAX_DIGITS || str_u64(value, &length) != STR_OK ||
        (f->sized && f->length != length))
        return false;
    f->sized = true;
    f->length = length;
    return true;
}

static bool read_framing(struct framing *f, const struct fetch_header *h)
{
    struct str name = str_c(h->name);

    if (str_eq(name, STR("content-length")))
        return read_length(f, h->value);
    if (str_eq(name, STR("transfer-encoding"))) {
        if (f->chunked || !str_ieq(h->value, STR("chunked")))
            return false;
        f->chunked = true;
    } else if (str_eq(name, STR("connection"))) {
        f->close = f->close || has_token(h->value, STR("close"));
    }
    return true;
}

static bool has_no_body(const struct answer *a, int status)
{
    return a->to_head || status == 204 || status == 304;
}

static void settle_body(struct answer *a, const struct framing *f, int status)
{
    a->keep = !f->http_1_0 && !f->close && !(f->chunked && f->sized);
    a->left = f->chunked ? 0 : f->length;
    if (has_no_body(a, status) || (f->sized && !f->chunked && !f->length))
        a->state = ANSWER_WHOLE;
    else if (f->chunked)
        a->state = ANSWER_SIZE;
    else if (f->sized)
        a->state = ANSWER_SIZED;
    else
        a->state = ANSWER_TO_END;
    a->keep = a->keep && a->state != ANSWER_TO_END;
}

static bool pass_interim(struct answer *a, int status)
{
    a->looked = 0;
    return status != 101 && ++a->interim <= ANSWER_INTERIM_MAX; /* nobody asked for another protocol */
}

int answer_head(struct answer *a, char *p, size_t n, struct fetch_header *headers,
                struct fetch_head *ret, size_t *ret_used)
{
    size_t used = find_end(a, p, n);
    const char *at = p, *end = p + used;
    struct fetch_head head = {.headers = headers};
    struct framing framing = {.length = 0};
    struct str line;

    assert(a->state == ANSWER_HEAD);
    if (!used) /* what is no HTTP at all need not be waited for */
        return memcmp(p, "HTTP/", MIN(n, strlen("HTTP/"))) == 0 ? ANSWER_E_MORE : ANSWER_E_BAD;
    if (!read_status(next_line(&at, end), &framing, &head.status))
        return ANSWER_E_BAD;
    while ((line = next_line(&at, end)).n) {
        struct fetch_header *h = &headers[head.header_count];

        if (head.header_count++ == ANSWER_HEADERS_MAX || !cut_header(line, h) ||
            !read_framing(&framing, h))
            return ANSWER_E_BAD;
        if (strcmp(h->name, "content-type") == 0)
            head.content_type = h->value;
    }
    if (framing.chunked && framing.http_1_0)
        return ANSWER_E_BAD;
    if (head.status >= 200)
        settle_body(a, &framing, head.status);
    else if (!pass_interim(a, head.status))
        return ANSWER_E_BAD;
    *ret = head;
    *ret_used = used;
    return ANSWER_OK;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool size_digit(struct answer *a, char c)
{
    int digit = digit_of(c);

    if (digit < 0) {
        a->state = c == '\r' ? ANSWER_SIZE_LF : ANSWER_EXTENSION;
        return a->digits > 0 && (c == '\r' || c == ';' || c == ' ' || c == '\t');
    }
    a->left = a->left << 4 | (uint64_t)digit;
    return ++a->digits <= SIZE_DIGITS_MAX;
}

static bool expect(struct answer *a, char c, char wanted, enum answer_state next)
{
    a->state = next;
    return c == wanted;
}

static bool skip(struct answer *a, char c, enum answer_state at_end)
{
    if (c == '\r')
        a->state = at_end;
    return c != '\n' && c != '\0' && ++a->excess <= EXCESS_MAX;
}

/* One byte of what stands around chunks; false: it may not stand there. */
static bool frame_byte(struct answer *a, char c)
{
    switch (a->state) {
    case ANSWER_SIZE:
        return size_digit(a, c);
    case ANSWER_EXTENSION:
        return skip(a, c, ANSWER_SIZE_LF);
    case ANSWER_SIZE_LF:
        a->digits = 0;
        return expect(a, c, '\n', a->left ? ANSWER_CHUNK : ANSWER_TRAILER);
    case ANSWER_CHUNK_CR:
        return expect(a, c, '\r', ANSWER_CHUNK_LF);
    case ANSWER_CHUNK_LF:
        return expect(a, c, '\n', ANSWER_SIZE);
    case ANSWER_TRAILER:
        a->state = c == '\r' ? ANSWER_END_LF : ANSWER_TRAILER_LINE;
        return c == '\r' || skip(a, c, ANSWER_TRAILER_LINE);
    case ANSWER_TRAILER_LINE: /* a line feed ends it, whatever is before it */
        if (c == '\n')
            a->state = ANSWER_TRAILER;
        return c != '\0' && ++a->excess <= EXCESS_MAX;
    case ANSWER_END_LF:
        return expect(a, c, '\n', ANSWER_WHOLE);
    case ANSWER_HEAD:
    case ANSWER_SIZED:
    case ANSWER_CHUNK:
    case ANSWER_TO_END:
    case ANSWER_WHOLE:
        break;
    }
    return false;
}

/* Moves what of the body stands at `at` down to `to`; how many bytes. */
static size_t take_body(struct answer *a, char *to, const char *at, size_t n)
{
    size_t take = a->state == ANSWER_TO_END ? n : (size_t)MIN((uint64_t)n, a->left);

    if (to != at)
        memmove(to, at, take);
    if (a->state == ANSWER_TO_END)
        return take;
    a->left -= take;
    if (!a->left)
        a->state = a->state == ANSWER_SIZED ? ANSWER_WHOLE : ANSWER_CHUNK_CR;
    return take;
}

int answer_body(struct answer *a, char *p, size_t n, size_t *ret_body, size_t *ret_used)
{
    size_t at = 0, body = 0;

    assert(a->state != ANSWER_HEAD);
    while (at < n && a->state != ANSWER_WHOLE) {
        if (a->state == ANSWER_SIZED || a->state == ANSWER_CHUNK || a->state == ANSWER_TO_END) {
            size_t taken = take_body(a, p + body, p + at, n - at);

            at += taken;
            body += taken;
        } else if (!frame_byte(a, p[at++])) {
            *ret_body = body;
            return ANSWER_E_BAD;
        }
    }
    *ret_body = body;
    *ret_used = at;
    return a->state == ANSWER_WHOLE ? ANSWER_OK : ANSWER_E_MORE;
}

bool answer_ends(struct answer *a)
{
    if (a->state == ANSWER_TO_END)
        a->state = ANSWER_WHOLE;
    return a->state == ANSWER_WHOLE;
}
