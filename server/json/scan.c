/* scan.c: see scan.h. One loop over an explicit stack of open containers; each turn reads one
 * member or element. What reads a thing takes the place where it begins and gives the place behind it,
 * or NULL once the fault has been written; so the place stays in a register. */
#include "json/scan.h"

#include <limits.h>

#include "base/bounds.h"
#include "json/scanner.h"
#include "json/text.h"

#define hot inline __attribute__((always_inline)) /* what each member takes: one loop */
#define rare __attribute__((noinline, cold))

/* What nearly all documents do with. It is little, so that a scan touches little memory; a document that
 * takes more moves to a place of the full bounds on its way (scan_far). */
enum { NEAR_DEPTH = 12, NEAR_KEYS = 96 };

static hot char peek(const struct scanner *s, const char *p)
{
    return p < s->end ? *p : '\0';
}

/* The next character that is no white space, at *p; '\0' at the end. */
static hot char next_char(const struct scanner *s, const char **p)
{
    char c = peek(s, *p);

    while (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
        ++*p;
        c = peek(s, *p);
    }
    return c;
}

/* p stands on a backslash. */
static const char *scan_escape(struct scanner *s, const char *p, bool is_key)
{
    struct text_escape e;

    if (s->end - p >= 2 && text_letter(p[1]))
        return p + 2;
    e = text_unescape(p, s->end);

    if (!e.n_in)
        return scan_refuse(s, p, "invalid escape sequence in a string");
    if (is_key && e.lone)
        return scan_refuse(s, p, "half of a surrogate pair in a key");
    if (is_key && e.out[0] == '\0')
        return scan_refuse(s, p, "NUL in a key");
    return p + e.n_in;
}

/* The one thing that p stands on. */
static const char *scan_odd(struct scanner *s, const char *p, bool is_key)
{
    const char *behind;

    if (*p == '\\')
        return scan_escape(s, p, is_key);
    if (!(*p & 0x80))
        return scan_refuse(s, p, "control character in a string");
    behind = text_wide_end(p, s->end);
    return behind > p ? behind : scan_refuse(s, p, "invalid UTF-8 in a string");
}

/* p stands on what is no plain character of its string. */
static __attribute__((noinline)) const char *scan_on(struct scanner *s, const char *p, bool is_key,
                                                     bool *ret_escaped)
{
    while (p && p < s->end && *p != '"') {
        const char *ahead = is_key ? p : text_long_end(p, s->end);

        if (ahead == p) {
            *ret_escaped |= *p == '\\';
            ahead = scan_odd(s, p, is_key);
        }
        p = ahead ? text_plain_end(ahead, s->end) : NULL;
    }
    if (p == s->end)
        return scan_refuse(s, p, "a string does not end");
    return p ? p + 1 : NULL;
}

/* p stands behind the opening quote. */
static hot const char *scan_string(struct scanner *s, const char *p, bool is_key,
                                      bool *ret_escaped)
{
    const char *stop = text_plain_end(p, s->end);

    *ret_escaped = false;
    return stop < s->end && *stop == '"' ? stop + 1 : scan_on(s, stop, is_key, ret_escaped);
}

/* At least one digit. */
static const char *scan_digits(struct scanner *s, const char *p)
{
    const char *from = p;

    while (p < s->end && *p >= '0' && *p <= '9')
        p++;
    return p > from ? p : scan_refuse_expected(s, p, "a digit");
}

static __attribute__((noinline)) const char *scan_number(struct scanner *s, const char *p,
                                                         uint8_t *ret_kind)
{
    p += *p == '-';
    p = peek(s, p) == '0' ? p + 1 : scan_digits(s, p);
    if (p && peek(s, p) == '.') {
        *ret_kind = JSON_NUMBER;
        p = scan_digits(s, p + 1);
    }
    if (p && (peek(s, p) == 'e' || peek(s, p) == 'E')) {
        *ret_kind = JSON_NUMBER;
        p++;
        if (peek(s, p) == '+' || peek(s, p) == '-')
            p++;
        p = scan_digits(s, p);
    }
    return p;
}

/* p stands on a digit: nearly all numbers are counts. */
static hot const char *scan_count(struct scanner *s, const char *p, uint8_t *ret_kind)
{
    const char *from = p;

    *ret_kind = JSON_INT;
    if (*p == '0')
        p++;
    else
        while (p < s->end && *p >= '0' && *p <= '9')
            p++;
    return peek(s, p) == '.' || (peek(s, p) | 0x20) == 'e' ? scan_number(s, from, ret_kind) : p;
}

static hot const char *scan_literal(struct scanner *s, const char *p, const char *word, size_t n)
{
    if ((size_t)(s->end - p) < n || memcmp(p, word, n) != 0)
        return scan_refuse(s, p, "expected a value");
    return p + n;
}

/* p stands on c. */
static hot const char *scan_scalar(struct scanner *s, const char *p, char c, uint8_t *ret_kind)
{
    bool escaped;

    switch (c) {
    case '"':
        *ret_kind = JSON_STRING;
        return scan_string(s, p + 1, false, &escaped);
    case 't':
        *ret_kind = JSON_BOOL;
        return scan_literal(s, p, "true", strlen("true"));
    case 'f':
        *ret_kind = JSON_BOOL;
        return scan_literal(s, p, "false", strlen("false"));
    case 'n':
        *ret_kind = JSON_NULL;
        return scan_literal(s, p, "null", strlen("null"));
    case '0' ... '9':
        return scan_count(s, p, ret_kind);
    case '-':
        *ret_kind = JSON_INT;
        return scan_number(s, p, ret_kind);
    default:
        return scan_refuse_expected(s, p, "a value");
    }
}

/* p stands on the bracket. */
static const char *open_container(struct scanner *s, const char *p, char bracket, uint16_t node)
{
    struct frame *f = &s->frames[s->depth];

    if (s->depth == BOUND_JSON_DEPTH)
        return scan_refuse(s, p, "nested too deeply");
    if (s->result.containers == BOUND_JSON_CONTAINERS)
        return scan_refuse(s, p, "too many objects and arrays");
    s->result.containers++;
    f->close = bracket == '{' ? '}' : ']';
    f->at = (uint32_t)(p - s->start);
    f->n = 0;
    f->key = STR_NONE;
    f->node = &s->tree->nodes[node];
    f->checked = bracket == '{' && (node != WATCH_NOWHERE || s->check_all);
    if (f->checked)
        keys_open(&s->keys, &f->keys);
    s->top = f;
    s->depth++;
    s->result.depth = MAX(s->result.depth, s->depth);
    return p + 1;
}

static hot void note(const struct scanner *s, uint32_t here, uint32_t at, const char *behind,
                        uint8_t kind)
{
    if (here)
        watch_note(s->watches, here,
                   (struct json_span){
                       .at = at, .n = (uint32_t)(behind - s->start) - at, .kind = kind});
}

/* p stands on the bracket. */
static hot const char *close_container(struct scanner *s, struct frame *f, const char *p)
{
    p++;
    if (f->checked)
        keys_close(&s->keys, &f->keys);
    note(s, f->node->here, f->at, p, f->close == '}' ? JSON_OBJECT : JSON_ARRAY);
    if (--s->depth) {
        s->top = f - 1;
    } else {
        s->result.root_close = (uint32_t)(p - s->start) - 1;
        s->result.root_empty = f->n == 0;
    }
    return p;
}

/* A scalar is read whole, a container is only opened. */
static hot const char *begin_value(struct scanner *s, const char *p, uint16_t node)
{
    char c = next_char(s, &p);
    uint32_t at = (uint32_t)(p - s->start);
    uint8_t kind = JSON_NULL;

    if (s->result.values == s->most_values)
        return scan_refuse(s, p, "too many values");
    s->result.values++;
    if (c == '{' || c == '[')
        return open_container(s, p, c, node);
    p = scan_scalar(s, p, c, &kind);
    if (p && node != WATCH_NOWHERE)
        note(s, s->tree->nodes[node].here, at, p, kind);
    return p;
}

static rare const char *refuse_key(struct scanner *s, int outcome, struct str raw)
{
    if (outcome == KEYS_E_TWICE)
        return scan_refuse(s, raw.p - 1, "this key stands twice in its object");
    if (outcome == KEYS_E_FULL)
        return scan_refuse(s, raw.p - 1, "too many keys");
    return scan_refuse(s, raw.p - 1, "this key is too long");
}

/* The key has been read: is it a second one, and who watches its value? p is given back. */
static hot const char *meet_key(struct scanner *s, struct frame *f, const char *p,
                                   struct str key, uint16_t *ret)
{
    struct key_words words = key_words(key);
    int r = keys_add(&s->keys, &f->keys, f->key, key, words);

    if (r != KEYS_OK)
        return refuse_key(s, r, f->key);
    *ret = watch_member(s->tree, f->node, key, words);
    return p;
}

/* Apart from meet_key(), so that only such keys pay for the room on the stack. */
static __attribute__((noinline)) const char *meet_escaped_key(struct scanner *s, struct frame *f,
                                                              const char *p, uint16_t *ret)
{
    char scratch[BOUND_JSON_ESCAPED_KEY_BYTES];
    struct str key;

    if (!text_decode(f->key, scratch, sizeof(scratch), &key))
        return refuse_key(s, KEYS_E_LONG, f->key);
    return meet_key(s, f, p, key, ret);
}

/* p stands on where the key should; gives the place behind the colon. *ret: the node of the value. */
static hot const char *scan_key(struct scanner *s, struct frame *f, const char *p, char c,
                                uint16_t *ret)
{
    bool escaped;
    const char *from;

    f->key = STR_NONE;
    if (c != '"')
        return scan_refuse_expected(s, p, "a key in quotes");
    if (f->n == BOUND_JSON_KEYS_PER_OBJECT)
        return scan_refuse(s, p, "too many keys in one object");
    from = p + 1;
    p = scan_string(s, from, true, &escaped);
    if (!p)
        return NULL;
    f->n++;
    f->key = str_n(from, (size_t)(p - from) - 1);
    if (f->checked)
        p = escaped ? meet_escaped_key(s, f, p, ret) : meet_key(s, f, p, f->key, ret);
    if (!p)
        return NULL;
    return next_char(s, &p) == ':' ? p + 1 : scan_refuse_expected(s, p, "a colon");
}

/* The next member or element of the innermost container, or its end. */
static hot const char *scan_step(struct scanner *s, const char *p)
{
    struct frame *f = s->top;
    bool is_object = f->close == '}';
    uint16_t node = WATCH_NOWHERE;
    char c = next_char(s, &p);

    if (c == f->close)
        return close_container(s, f, p);
    if (f->n) {
        if (c != ',')
            return scan_refuse_expected(s, p, is_object ? "a comma or }" : "a comma or ]");
        p++;
        c = is_object ? next_char(s, &p) : c;
    }
    if (is_object) {
        p = scan_key(s, f, p, c, &node);
        if (!p)
            return NULL;
    } else {
        f->n++;
        node = f->node->element;
    }
    return begin_value(s, p, node);
}

/* To the end, or to where there may be no room for the next step, which opens at most one container and adds
 * at most one key. */
static __attribute__((noinline)) const char *scan_steps(struct scanner *s, const char *p)
{
    while (p && s->depth - 1 < s->far_depth && s->keys.n < s->far_keys) /* depth 0 wraps */
        p = scan_step(s, p);
    return p;
}

/* Goes on in a place of the full bounds, of some 80 KB: what does not fit there is refused. */
static rare const char *scan_far(struct scanner *s, const char *p)
{
    struct frame frames[BOUND_JSON_DEPTH];
    struct key_entry keys[BOUND_JSON_OPEN_KEYS + 1];

    memcpy(frames, s->frames, s->depth * sizeof(frames[0]));
    memcpy(keys, s->keys.v, (s->keys.n + 1) * sizeof(keys[0]));
    s->frames = frames;
    s->top = frames + s->depth - 1;
    s->keys.v = keys;
    s->keys.room = BOUND_JSON_OPEN_KEYS;
    s->far_depth = s->far_keys = UINT_MAX;
    return scan_steps(s, p);
}

static const char *scan_document(struct scanner *s)
{
    const char *p = s->start;
    char c = next_char(s, &p);

    s->result.root_open = (uint32_t)(p - s->start);
    s->result.root_kind = c == '{' ? JSON_OBJECT : JSON_ARRAY;
    s->result.values++;
    if (c != '{' && c != '[') {
        p = scan_scalar(s, p, c, &s->result.root_kind);
        s->result.root_close = p ? (uint32_t)(p - s->start) : 0;
    } else {
        p = open_container(s, p, c, WATCH_ROOT);
    }
    p = scan_steps(s, p);
    if (p && s->depth)
        p = scan_far(s, p);
    if (!p)
        return NULL;
    (void)next_char(s, &p);
    return p == s->end ? p : scan_refuse(s, p, "something follows the document");
}

enum scan_kind { SCAN, SCAN_ROWS, SCAN_CHECK };

static int scan_by(const struct watch_tree *tree, struct str doc, struct json_watch *watches,
                   enum scan_kind kind, struct json_scan_result *ret, struct json_fault *fault)
{
    struct frame frames[NEAR_DEPTH];
    struct key_entry keys[NEAR_KEYS + 1];
    struct scanner s;

    s.start = doc.p;
    s.end = str_end(doc);
    s.frames = frames;
    s.top = NULL;
    s.depth = 0;
    s.far_depth = NEAR_DEPTH - 1;
    s.far_keys = NEAR_KEYS;
    s.check_all = kind == SCAN_CHECK;
    s.most_values = kind == SCAN_ROWS ? BOUND_JSON_ROW_VALUES : BOUND_JSON_VALUES;
    s.result = (struct json_scan_result){0};
    s.fault = fault;
    s.watches = watches;
    s.tree = tree;
    keys_begin(&s.keys, doc.p, keys, NEAR_KEYS);
    if (doc.n > UINT32_MAX) {
        (void)scan_refuse(&s, s.start, "the document is too large");
        return JSON_E_FAULT;
    }
    if (!scan_document(&s))
        return JSON_E_FAULT;
    *ret = s.result;
    return JSON_OK;
}

/* By paths that are met for the first time, or that are no constants. */
static rare int scan_unknown(struct str doc, struct json_watch *watches, size_t n_watches,
                             enum scan_kind kind, struct json_scan_result *ret,
                             struct json_fault *fault)
{
    union {
        struct watch_tree tree;
        char room[sizeof(struct watch_tree) + WATCH_NODES_MAX * sizeof(struct watch_node)];
    } own;

    watch_make(&own.tree, watches, n_watches);
    return scan_by(&own.tree, doc, watches, kind, ret, fault);
}

static int scan(struct str doc, struct json_watch *watches, size_t n_watches, enum scan_kind kind,
                struct json_scan_result *ret, struct json_fault *fault)
{
    const struct watch_tree *tree = watch_begin(watches, n_watches);

    if (!tree)
        return scan_unknown(doc, watches, n_watches, kind, ret, fault);
    return scan_by(tree, doc, watches, kind, ret, fault);
}

int json_scan(struct str doc, struct json_watch *watches, size_t n_watches,
              struct json_scan_result *ret, struct json_fault *fault)
{
    return scan(doc, watches, n_watches, SCAN, ret, fault);
}

int json_scan_rows(struct str doc, struct json_watch *watches, size_t n_watches,
                   struct json_scan_result *ret, struct json_fault *fault)
{
    return scan(doc, watches, n_watches, SCAN_ROWS, ret, fault);
}

int json_check(struct str doc, struct json_fault *fault)
{
    struct json_scan_result ignored;

    return scan(doc, NULL, 0, SCAN_CHECK, &ignored, fault);
}
