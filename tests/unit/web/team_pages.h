/* team_pages.h: a team that signed up, its pages and its exports, for the suites that visit them. */
#pragma once

#include "history.h"

static struct browse site;

#define SIGN_UP "name=Ada+Lovelace&email=ada%40example.org&password=correct+horse+staple&team_name=Acme"

static inline int setup(void **state)
{
    _cleanup_(freep) char *answer = NULL;

    (void)state;
    browse_start(&site);
    answer = browse_send(&site, "/sign-up", "/sign-up", SIGN_UP);
    return status_of(answer) == 303 ? 0 : -1;
}

static inline int teardown(void **state)
{
    (void)state;
    browse_stop(&site);
    return 0;
}

static inline void shows(const char *path, const char *part)
{
    _cleanup_(freep) char *page = browse_get(&site, path);

    if (status_of(page) != 200 || !strstr(page, part))
        fail_msg("%s without '%s': %.3000s", path, part, page);
    assert_has_not(page, " style=");
    assert_has_not(page, "{{");
}

/* Copies what stands between two marks on a page. */
static inline const char *between(const char *text, const char *from, const char *to)
{
    static char found[4][512];
    static unsigned turn;
    char *into = found[turn++ % ARRAY_LEN(found)];
    const char *at = strstr(text, from), *end = at ? strstr(at + strlen(from), to) : NULL;

    if (!end)
        fail_msg("no '%s' ... '%s' in: %.2000s", from, to, text);
    at += strlen(from);
    snprintf(into, sizeof(found[0]), "%.*s", (int)(end - at), at);
    return into;
}

/* A path in a ring of buffers. */
_printf_(1, 2) static inline const char *path_of(const char *fmt, ...)
{
    static char paths[8][2048];
    static unsigned turn;
    char *into = paths[turn++ % ARRAY_LEN(paths)];
    va_list args;

    va_start(args, fmt);
    assert_in_range(vsnprintf(into, sizeof(paths[0]), fmt, args), 1, sizeof(paths[0]) - 1);
    va_end(args);
    return into;
}

/* The body of an answer that came in chunks. */
static inline char *unchunked(const char *answer)
{
    const char *p = strstr(answer, "\r\n\r\n") + 4;
    char *out = calloc(1, strlen(answer) + 1), *end;
    size_t n = 0, size;

    assert_non_null(out);
    while ((size = strtoul(p, &end, 16)) > 0) {
        memcpy(out + n, end + 2, size);
        n += size;
        p = end + 2 + size + 2;
    }
    return out;
}
