/* visitor.h: a browser without scripts that keeps cookies and sends forms as our pages would. */
#pragma once

#include "browse.h"

static inline void keep_cookie(struct browse *b, const char *line)
{
    size_t name = strcspn(line, "="), n = strcspn(line, ";\r");
    size_t at = 0;

    while (at < ARRAY_LEN(b->cookies) && b->cookies[at][0] &&
           strncmp(b->cookies[at], line, name + 1) != 0)
        at++;
    assert_true(at < ARRAY_LEN(b->cookies));
    assert_true(n < sizeof(b->cookies[at]));
    memcpy(b->cookies[at], line, n);
    b->cookies[at][n] = '\0';
}

static inline void forget_cookies(struct browse *b)
{
    memset(b->cookies, 0, sizeof(b->cookies));
}

/* The whole answer, head and body; the caller frees it. body NULL: a GET. origin NULL: none. */
static inline char *browse_ask(struct browse *b, const char *method, const char *path,
                               const char *body, const char *origin)
{
    struct buf text;
    char *answer;

    buf_init(&text, 1 << 20);
    buf_printf(&text, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n", method,
               path, b->served.port);
    buf_puts(&text, "Accept: text/html\r\nContent-Type: application/x-www-form-urlencoded\r\n");
    for (size_t i = 0; i < ARRAY_LEN(b->cookies); i++)
        if (b->cookies[i][0])
            buf_printf(&text, "Cookie: %s\r\n", b->cookies[i]);
    if (origin)
        buf_printf(&text, "Origin: %s\r\n", origin);
    buf_printf(&text, "Content-Length: %zu\r\n\r\n%s", body ? strlen(body) : 0, body ? body : "");
    buf_putc(&text, '\0');
    assert_int_equal(buf_finish(&text), 0);
    answer = ask(&b->served, text.p);
    buf_done(&text);
    for (const char *p = answer; (p = strcasestr(p, "set-cookie: ")) != NULL; p += 12)
        keep_cookie(b, p + 12);
    return answer;
}

static inline char *browse_get(struct browse *b, const char *path)
{
    return browse_ask(b, "GET", path, NULL, NULL);
}

/* The CSRF token of a page, "" if it has none. */
static inline const char *csrf_of(const char *page)
{
    static char token[65];
    const char *p = strstr(page, "name=\"csrf\" value=\"");

    token[0] = '\0';
    if (p)
        snprintf(token, sizeof(token), "%s", p + strlen("name=\"csrf\" value=\""));
    token[strcspn(token, "\"")] = '\0';
    return token;
}

/* Sends a form as a page of ours would; fields is urlencoded, without the token. */
static inline char *browse_send(struct browse *b, const char *from, const char *path,
                                const char *fields)
{
    _cleanup_(freep) char *page = browse_get(b, from);
    _cleanup_(freep) char *body = NULL;
    char origin[64];

    snprintf(origin, sizeof(origin), "http://127.0.0.1:%u", b->served.port);
    assert_true(asprintf(&body, "%s%scsrf=%s", fields, *fields ? "&" : "", csrf_of(page)) > 0);
    return browse_ask(b, "POST", path, body, origin);
}

static inline int status_of(const char *answer)
{
    uint32_t status = 0;

    if (str_u32(str_n(answer + strlen("HTTP/1.1 "), 3), &status) != STR_OK)
        fail_msg("no answer: %.200s", answer);
    return (int)status;
}

#define assert_status(answer, status)                                                              \
    do {                                                                                           \
        if (status_of(answer) != (status))                                                         \
            fail_msg("not %d: %.1500s", (status), (answer));                                       \
    } while (0)
