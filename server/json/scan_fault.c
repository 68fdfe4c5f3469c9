/* scan_fault.c: how a scan refuses a document, see scanner.h. */
#include <stdio.h>

#include "json/scanner.h"

/* "messages[2].content": what is open, outermost first; a path too long keeps its beginning. */
static void put_path(const struct scanner *s, char *to, size_t bytes)
{
    size_t n = 0;

    to[0] = '\0';
    for (unsigned i = 0; i < s->depth && n < bytes; i++) {
        const struct frame *f = &s->frames[i];
        int r = 0;

        if (f->close == ']' && f->n)
            r = snprintf(to + n, bytes - n, "[%u]", f->n - 1);
        else if (f->key.p)
            r = snprintf(to + n, bytes - n, "%s%.*s", n ? "." : "", (int)MIN(f->key.n, bytes),
                         f->key.p);
        n += r > 0 ? (size_t)r : 0;
    }
    for (n = strlen(to); n && !str_utf8(str_n(to, n)); n--)
        to[n - 1] = '\0'; /* a character that was cut */
}

const char *scan_refuse(struct scanner *s, const char *at, const char *reason)
{
    struct json_fault f = {.at = (size_t)(at - s->start)};

    put_path(s, f.path, sizeof(f.path));
    (void)snprintf(f.reason, sizeof(f.reason), "%s", reason);
    *s->fault = f;
    return NULL;
}

const char *scan_refuse_expected(struct scanner *s, const char *p, const char *expected)
{
    char reason[sizeof(s->fault->reason)];

    if (p == s->end)
        return scan_refuse(s, p, "the document ends too early");
    (void)snprintf(reason, sizeof(reason), "expected %s", expected);
    return scan_refuse(s, p, reason);
}
