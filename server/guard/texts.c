/* texts.c: see texts.h: one pass over the document with a stack of what is open. */
#include "guard/texts.h"

#include "base/bounds.h"
#include "guard/detect.h"

enum {
    NAMED_MAX = 200,  /* an id or a name is not longer */
    MEDIA_MIN = 256,  /* shorter ones are looked at whatever they are */
    MEDIA_STRIDE = 64 /* in the midst of large ones */
};
#define MEDIA_EDGE KIB(32) /* of them all is compared at both ends */

struct level {
    bool is_object;
    bool open;  /* of a tool: names mean nothing in it */
    bool named; /* strings that stand here directly, or in arrays here, are named so that they are none */
    uint64_t path;
    uint32_t index;
};

struct walk {
    const char *p, *begin, *end;
    void (*fn)(void *, const struct text_at *);
    void *ctx;
    uint64_t marks; /* of the event: which part of an answer it carries */
    size_t depth;
    struct level level[BOUND_JSON_DEPTH + 1];
};

static uint64_t mix(uint64_t h, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)p[i]) * UINT64_C(1099511628211);
    return h;
}

static bool is_among(struct str name, const struct str *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(name, all[i]))
            return true;
    return false;
}

/* Members whose strings are words of the formats. */
static bool is_structure(struct str name)
{
    static const struct str names[] = {
        STR("type"), STR("role"), STR("id"), STR("model"), STR("object"), STR("status"),
        STR("format"), STR("detail"), STR("effort"), STR("verbosity"), STR("task_type"), STR("taskType"),
        STR("finish_reason"), STR("finishReason"), STR("stop_reason"), STR("service_tier"),
        STR("tool_call_id"), STR("tool_use_id"), STR("call_id"), STR("item_id"), STR("file_id"),
        STR("response_id"), STR("responseId"), STR("previous_response_id"), STR("modelVersion"),
        STR("media_type"), STR("mime_type"), STR("mimeType"), STR("encoding_format"), STR("truncate"),
        STR("system_fingerprint"), STR("prompt_cache_key"), STR("reasoning_effort"), STR("tool_choice"),
        STR("modalities"), STR("responseModalities"), STR("responseMimeType"), STR("signature"),
        STR("thoughtSignature"), STR("thought_signature"), STR("obfuscation"),
    };

    return is_among(name, names, ARRAY_LEN(names));
}

/* Members that hold what a tool is called with or has given. */
static bool is_open(struct str name, char first)
{
    static const struct str names[] = {STR("args"), STR("arguments"), STR("parameters"),
                                       STR("output"), STR("outputs")};

    if (str_find(name, '\\') >= 0)
        return true; /* whatever it is called */
    if (str_eq(name, STR("input")) || str_eq(name, STR("data")))
        return first == '{';
    return is_among(name, names, ARRAY_LEN(names));
}

/* Which of several texts the parts of an event belong to. */
static bool is_mark(struct str name, size_t depth)
{
    static const struct str names[] = {STR("index"), STR("output_index"), STR("content_index"),
                                       STR("item_id"), STR("summary_index")};

    return is_among(name, names, ARRAY_LEN(names)) || (depth == 1 && str_eq(name, STR("type")));
}

static bool is_base64(const char *p, size_t n, size_t stride)
{
    for (size_t i = 0; i < n; i += stride)
        if (!detect_is_word(p[i]) && p[i] != '+' && p[i] != '/' && p[i] != '=' && p[i] != '-' && p[i] != '_')
            return false;
    return true;
}

/* Base64, with "data:image/png;base64," in front of it or not. */
static bool is_media(struct str s)
{
    const char *comma = str_starts(s, STR("data:")) ? memchr(s.p, ',', MIN(s.n, (size_t)NAMED_MAX)) : NULL;

    if (comma)
        s = str_n(comma + 1, (size_t)(str_end(s) - comma - 1));
    if (s.n < MEDIA_MIN)
        return false;
    if (s.n <= 2 * MEDIA_EDGE)
        return is_base64(s.p, s.n, 1);
    return is_base64(s.p, MEDIA_EDGE, 1) && is_base64(str_end(s) - MEDIA_EDGE, MEDIA_EDGE, 1) &&
           is_base64(s.p, s.n, MEDIA_STRIDE);
}

static void skip_space(struct walk *w)
{
    while (w->p < w->end && (*w->p == ' ' || *w->p == '\n' || *w->p == '\r' || *w->p == '\t'))
        w->p++;
}

/* p stands on the opening quote, and behind the closing one afterwards. */
static bool take_string(struct walk *w, struct str *ret)
{
    const char *from = ++w->p;

    while (w->p < w->end) {
        const char *quote = memchr(w->p, '"', (size_t)(w->end - w->p));
        size_t slashes = 0;

        if (!quote)
            return false;
        while (quote - slashes > from && quote[-(ptrdiff_t)slashes - 1] == '\\')
            slashes++;
        w->p = quote + 1;
        if (slashes % 2 == 0) {
            *ret = str_n(from, (size_t)(quote - from));
            return true;
        }
    }
    return false;
}

/* Numbers and words. */
static bool take_word(struct walk *w)
{
    const char *from = w->p;

    while (w->p < w->end && !strchr(",]} \n\r\t", *w->p))
        w->p++;
    return w->p > from;
}

static void found(struct walk *w, struct str s, const struct level *l, uint64_t path)
{
    struct text_at text = {.at = (size_t)(s.p - w->begin), .n = s.n, .place = path};

    if (s.n == 0 || (l->named && !l->open && s.n <= NAMED_MAX) || is_media(s))
        return;
    w->fn(w->ctx, &text);
}

static bool open_container(struct walk *w, const struct level *inherited)
{
    if (w->depth == BOUND_JSON_DEPTH)
        return false;
    w->level[++w->depth] = *inherited;
    w->level[w->depth].is_object = *w->p++ == '{';
    w->level[w->depth].index = 0;
    return true;
}

/* A value of the open level, which is known by its name or its index. */
static bool take_value(struct walk *w, struct level l)
{
    struct str s;

    skip_space(w);
    if (w->p == w->end)
        return false;
    if (*w->p == '{' || *w->p == '[') {
        if (*w->p == '{')
            l.named = false;
        return open_container(w, &l);
    }
    if (*w->p != '"')
        return take_word(w);
    if (!take_string(w, &s))
        return false;
    found(w, s, &l, l.path);
    return true;
}

/* The value's own bytes, where it is a short one. */
static void note_mark(struct walk *w, const char *from)
{
    w->marks = mix(w->marks, from, (size_t)(w->p - from));
}

static bool take_member(struct walk *w)
{
    struct level l = w->level[w->depth];
    struct str name;
    const char *from;
    bool marks;

    if (*w->p != '"' || !take_string(w, &name))
        return false;
    skip_space(w);
    if (w->p == w->end || *w->p++ != ':')
        return false;
    skip_space(w);
    from = w->p;
    marks = !l.open && is_mark(name, w->depth);
    l.path = mix(l.path, name.p, name.n);
    l.named = is_structure(name);
    l.open = l.open || (from < w->end && is_open(name, *from));
    if (marks)
        l.named = true;
    if (!take_value(w, l))
        return false;
    if (marks && from < w->end && *from != '{' && *from != '[') {
        w->marks = mix(w->marks, name.p, name.n);
        note_mark(w, from);
    }
    return true;
}

static bool take_element(struct walk *w)
{
    struct level *open = &w->level[w->depth], l = *open;

    l.path = mix(l.path, (const char *)&open->index, sizeof(open->index));
    open->index++;
    return take_value(w, l);
}

/* One step within the open container. */
static bool step(struct walk *w)
{
    const struct level *l = &w->level[w->depth];

    if (*w->p == (l->is_object ? '}' : ']')) {
        w->p++;
        w->depth--;
        return true;
    }
    if (*w->p == ',') {
        w->p++;
        return true;
    }
    return l->is_object ? take_member(w) : take_element(w);
}

bool texts_each(struct str doc, void (*fn)(void *ctx, const struct text_at *text), void *ctx,
                uint64_t *ret_kind)
{
    struct walk w = {.p = doc.p, .begin = doc.p, .end = str_end(doc), .fn = fn, .ctx = ctx};

    if (!take_value(&w, (struct level){.path = UINT64_C(14695981039346656037)}))
        return false;
    while (w.depth) {
        skip_space(&w);
        if (w.p == w.end || !step(&w))
            return false;
    }
    skip_space(&w);
    *ret_kind = w.marks;
    return w.p == w.end;
}
