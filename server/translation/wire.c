/* wire.c: see wire.h. */
#include "translation/wire.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "json/write.h"
#include "translation/dialect.h"

int wire_wrong(struct json_fault *fault, const char *path, const char *reason)
{
    *fault = (struct json_fault){.at = 0};
    (void)snprintf(fault->path, sizeof(fault->path), "%s", path);
    (void)snprintf(fault->reason, sizeof(fault->reason), "%s", reason);
    return DIALECT_E_FIELD;
}

int wire_text(struct arena *a, struct str doc, struct json_span s, struct str *ret)
{
    struct str raw, text = STR_NONE;
    struct buf out;
    int r;

    if (!wire_given(s))
        return 0;
    raw = str_n(doc.p + s.at + 1, s.n - 2);
    if (str_find(raw, '\\') < 0) {
        *ret = raw;
        return 0;
    }
    buf_init(&out, s.n);
    r = json_span_text(doc, s, &out);
    if (r >= 0)
        text = arena_str(a, buf_str(&out));
    buf_done(&out);
    if (!text.p)
        return err_origin(-ENOMEM);
    *ret = text;
    return 0;
}

bool wire_true(struct str doc, struct json_span s)
{
    return s.n && str_eq(json_span_str(doc, s), STR("true"));
}

void wire_put_string(struct buf *out, struct str s)
{
    buf_putc(out, '"');
    json_escape(out, s);
    buf_putc(out, '"');
}

/* Strings are stepped over. */
struct str wire_object_at(struct str s)
{
    unsigned depth = 0;
    bool quoted = false;

    if (!s.n || s.p[0] != '{')
        return STR_NONE;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '{')
            depth++;
        else if (!quoted && c == '}' && --depth == 0)
            return str_n(s.p, i + 1);
    }
    return STR_NONE;
}
