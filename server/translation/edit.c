/* edit.c: see edit.h. A member's name is found by walking back from its value; that is sound only
 * because the scanner has accepted the document. */
#include "translation/edit.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Offset of the first byte that is not white space at or after i. */
static uint32_t skip_forward(struct str doc, uint32_t i)
{
    while (i < doc.n && is_space(doc.p[i]))
        i++;
    return i;
}

/* Offset of the last byte that is not white space before i. */
static uint32_t skip_back(struct str doc, uint32_t i)
{
    assert(i > 0);
    do
        i--;
    while (i > 0 && is_space(doc.p[i]));
    return i;
}

/* The name of the member whose value begins at `at`, with its quotes. */
static struct json_span name_of(struct str doc, uint32_t at)
{
    uint32_t colon = skip_back(doc, at), close, open;
    unsigned slashes;

    assert(doc.p[colon] == ':');
    close = skip_back(doc, colon);
    assert(doc.p[close] == '"');
    open = close;
    do {
        open--;
        slashes = 0;
        while (open > slashes && doc.p[open - slashes - 1] == '\\')
            slashes++;
    } while (doc.p[open] != '"' || slashes % 2);
    return (struct json_span){.at = open, .n = close + 1 - open};
}

/* Kept in order; what is put in at a place goes in front of what is taken out there. */
static void add(struct edit *e, uint32_t at, uint32_t n, struct str text, bool removes)
{
    size_t i = e->n++;

    assert(i < EDIT_CHANGES);
    for (; i > 0; i--) {
        const struct json_splice *before = &e->change[i - 1];

        if (before->at < at || (before->at == at && (n > 0 || before->n == 0)))
            break;
        e->change[i] = e->change[i - 1];
        e->removes[i] = e->removes[i - 1];
    }
    e->change[i] = (struct json_splice){.at = at, .n = n, .text = text};
    e->removes[i] = removes;
}

void edit_begin(struct edit *e, struct str doc)
{
    *e = (struct edit){.doc = doc};
}

void edit_replace(struct edit *e, struct json_span value, struct str text)
{
    add(e, value.at, value.n, text, false);
}

void edit_rename(struct edit *e, struct json_span value, const char *name)
{
    struct json_span old = name_of(e->doc, value.at);

    add(e, old.at + 1, old.n - 2, str_c(name), false);
}

void edit_remove(struct edit *e, struct json_span value)
{
    uint32_t from = name_of(e->doc, value.at).at;
    uint32_t to = skip_forward(e->doc, value.at + value.n);

    if (to < e->doc.n && e->doc.p[to] == ',')
        to = skip_forward(e->doc, to + 1);
    else
        to = value.at + value.n;
    add(e, from, to - from, STR(""), true);
}

void edit_insert(struct edit *e, uint32_t at, struct str text)
{
    add(e, at, 0, text, false);
}

/* Where the last members of an object go, the comma in front of them goes too. */
static void take_comma_before(struct edit *e, size_t last)
{
    struct json_splice *s = &e->change[last];
    uint32_t end = skip_forward(e->doc, s->at + s->n), comma;
    size_t first = last;

    if (end >= e->doc.n || e->doc.p[end] != '}')
        return;
    while (first > 0 && e->removes[first - 1] &&
           e->change[first - 1].at + e->change[first - 1].n == e->change[first].at)
        first--;
    comma = skip_back(e->doc, e->change[first].at);
    if (e->doc.p[comma] != ',')
        return;
    e->change[first].n += e->change[first].at - comma;
    e->change[first].at = comma;
}

void edit_apply(struct edit *e, struct buf *out)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->removes[i])
            take_comma_before(e, i);
    json_splice_apply(e->doc, e->change, e->n, out);
}
