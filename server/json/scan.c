/* scan.c: see scan.h. One loop over an explicit stack of open containers; each turn reads one
 * member or element. Functions return false once the fault has been written. */
#include "json/scan.h"

#include <stdio.h>

#include "base/bounds.h"
#include "json/keys.h"
#include "json/text.h"
#include "json/watch.h"

enum { LONG_BYTES = KIB(4) };

/* One open container. */
struct frame {
    uint8_t kind;   /* JSON_OBJECT or JSON_ARRAY */
    bool checked;   /* for duplicate keys */
    uint32_t at;    /* offset of its bracket */
    uint32_t n;     /* members or elements begun */
    struct str key; /* raw, of the member under way; p == NULL: none */
    const struct watch_node *node;
    struct key_set keys;
};

struct scanner {
    const char *start, *p, *end;
    bool check_all;
    uint32_t most_values;
    unsigned depth; /* open containers */
    struct json_scan_result result;
    struct json_fault *fault;
    struct json_watch *watches;
    const struct watch_tree *tree;
    struct frame frames[BOUND_JSON_DEPTH];
    struct key_store keys;
    union {
        struct watch_tree tree;
        char room[sizeof(struct watch_tree) + WATCH_NODES_MAX * sizeof(struct watch_node)];
    } own; /* where it is not shared */
};

/* "messages[2].content": what is open, outermost first; a path too long keeps its beginning. */
static void put_path(const struct scanner *s, char *to, size_t bytes)
{
    size_t n = 0;

    to[0] = '\0';
    for (unsigned i = 0; i < s->depth && n < bytes; i++) {
        const struct frame *f = &s->frames[i];
        int r = 0;

        if (f->kind == JSON_ARRAY && f->n)
            r = snprintf(to + n, bytes - n, "[%u]", f->n - 1);
        else if (f->key.p)
            r = snprintf(to + n, bytes - n, "%s%.*s", n ? "." : "", (int)MIN(f->key.n, bytes),
                         f->key.p);
        n += r > 0 ? (size_t)r : 0;
    }
    for (n = strlen(to); n && !str_utf8(str_n(to, n)); n--)
        to[n - 1] = '\0'; /* a character that was cut */
}

static bool refuse(struct scanner *s, const char *at, const char *reason)
{
    struct json_fault f = {.at = (size_t)(at - s->start)};

    put_path(s, f.path, sizeof(f.path));
    (void)snprintf(f.reason, sizeof(f.reason), "%s", reason);
    *s->fault = f;
    return false;
}

static bool refuse_here(struct scanner *s, const char *expected)
{
    char reason[sizeof(s->fault->reason)];

    if (s->p == s->end)
        return refuse(s, s->p, "the document ends too early");
    (void)snprintf(reason, sizeof(reason), "expected %s", expected);
    return refuse(s, s->p, reason);
}

static char peek(const struct scanner *s)
{
    return s->p < s->end ? *s->p : '\0';
}

static void skip_space(struct scanner *s)
{
    const char *p = s->p;

    while (p < s->end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    s->p = p;
}

/* s->p stands on a backslash. */
static bool scan_escape(struct scanner *s, bool is_key)
{
    struct text_escape e;

    if (s->end - s->p >= 2 && text_letter(s->p[1])) {
        s->p += 2;
        return true;
    }
    e = text_unescape(s->p, s->end);

    if (!e.n_in)
        return refuse(s, s->p, "invalid escape sequence in a string");
    if (is_key && e.lone)
        return refuse(s, s->p, "half of a surrogate pair in a key");
    if (is_key && e.out[0] == '\0')
        return refuse(s, s->p, "NUL in a key");
    s->p += e.n_in;
    return true;
}

/* True: s->p stands farther on in its string. A short document is read before the tables of the blocks
 * are in the processor's cache. */
static bool read_ahead(struct scanner *s)
{
    const char *from = s->p;

    if (s->end - s->start < LONG_BYTES)
        return false;
    s->p = text_long_end(from, s->end);
    return s->p > from;
}

/* s->p stands behind the opening quote; leaves it behind the closing one. */
static bool scan_string(struct scanner *s, bool is_key, bool *ret_escaped)
{
    for (;;) {
        s->p = text_plain_end(s->p, s->end);
        if (s->p == s->end)
            return refuse(s, s->p, "a string does not end");
        if (*s->p == '"') {
            s->p++;
            return true;
        }
        if (!is_key && read_ahead(s))
            continue;
        if (*s->p == '\\') {
            *ret_escaped = true;
            if (!scan_escape(s, is_key))
                return false;
        } else if (*s->p & 0x80) {
            const char *behind = text_wide_end(s->p, s->end);

            if (behind == s->p)
                return refuse(s, s->p, "invalid UTF-8 in a string");
            s->p = behind;
        } else {
            return refuse(s, s->p, "control character in a string");
        }
    }
}

/* At least one digit. */
static bool scan_digits(struct scanner *s)
{
    const char *p = s->p;

    while (p < s->end && *p >= '0' && *p <= '9')
        p++;
    if (p == s->p)
        return refuse_here(s, "a digit");
    s->p = p;
    return true;
}

static bool scan_number(struct scanner *s, uint8_t *ret_kind)
{
    *ret_kind = JSON_INT;
    if (*s->p == '-')
        s->p++;
    if (peek(s) == '0')
        s->p++;
    else if (!scan_digits(s))
        return false;
    if (peek(s) == '.') {
        *ret_kind = JSON_NUMBER;
        s->p++;
        if (!scan_digits(s))
            return false;
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        *ret_kind = JSON_NUMBER;
        s->p++;
        if (peek(s) == '+' || peek(s) == '-')
            s->p++;
        return scan_digits(s);
    }
    return true;
}

static bool scan_literal(struct scanner *s, struct str word)
{
    if (!str_starts(str_n(s->p, (size_t)(s->end - s->p)), word))
        return refuse(s, s->p, "expected a value");
    s->p += word.n;
    return true;
}

static bool scan_scalar(struct scanner *s, uint8_t *ret_kind)
{
    bool escaped;

    switch (peek(s)) {
    case '"':
        *ret_kind = JSON_STRING;
        s->p++;
        return scan_string(s, false, &escaped);
    case 't':
        *ret_kind = JSON_BOOL;
        return scan_literal(s, STR("true"));
    case 'f':
        *ret_kind = JSON_BOOL;
        return scan_literal(s, STR("false"));
    case 'n':
        *ret_kind = JSON_NULL;
        return scan_literal(s, STR("null"));
    case '-':
    case '0' ... '9':
        return scan_number(s, ret_kind);
    default:
        return refuse_here(s, "a value");
    }
}

/* s->p stands on the bracket. */
static bool open_container(struct scanner *s, uint16_t node)
{
    struct frame *f = &s->frames[s->depth];

    if (s->depth == BOUND_JSON_DEPTH)
        return refuse(s, s->p, "nested too deeply");
    if (s->result.containers == BOUND_JSON_CONTAINERS)
        return refuse(s, s->p, "too many objects and arrays");
    s->result.containers++;
    f->kind = *s->p == '{' ? JSON_OBJECT : JSON_ARRAY;
    f->at = (uint32_t)(s->p - s->start);
    f->n = 0;
    f->key = STR_NONE;
    f->node = &s->tree->nodes[node];
    f->checked = f->kind == JSON_OBJECT && (node != WATCH_NOWHERE || s->check_all);
    if (f->checked)
        keys_open(&s->keys, &f->keys);
    s->depth++;
    s->result.depth = MAX(s->result.depth, s->depth);
    s->p++;
    return true;
}

/* s->p stands on the bracket. */
static void close_container(struct scanner *s, const struct frame *f)
{
    s->p++;
    if (f->checked)
        keys_close(&s->keys, &f->keys);
    if (f->node->here)
        watch_note(s->watches, f->node->here, f->at, (uint32_t)(s->p - s->start) - f->at, f->kind);
    s->depth--;
    if (s->depth == 0) {
        s->result.root_close = (uint32_t)(s->p - s->start) - 1;
        s->result.root_empty = f->n == 0;
    }
}

/* A scalar is read whole, a container is only opened. */
static bool begin_value(struct scanner *s, uint16_t node)
{
    const char *start;
    uint8_t kind = JSON_NULL;

    skip_space(s);
    if (s->result.values == s->most_values)
        return refuse(s, s->p, "too many values");
    s->result.values++;
    start = s->p;
    if (peek(s) == '{' || peek(s) == '[')
        return open_container(s, node);
    if (!scan_scalar(s, &kind))
        return false;
    if (s->tree->nodes[node].here)
        watch_note(s->watches, s->tree->nodes[node].here, (uint32_t)(start - s->start),
                   (uint32_t)(s->p - start), kind);
    return true;
}

static bool refuse_key(struct scanner *s, int outcome, struct str raw)
{
    if (outcome == KEYS_E_TWICE)
        return refuse(s, raw.p - 1, "this key stands twice in its object");
    if (outcome == KEYS_E_FULL)
        return refuse(s, raw.p - 1, "too many keys");
    return refuse(s, raw.p - 1, "this key is too long");
}

/* The key has been read: is it a second one, and who watches its value? */
static bool meet_key(struct scanner *s, struct frame *f, struct str key, uint16_t *ret)
{
    int r = keys_add(&s->keys, &f->keys, f->key, key);

    if (r)
        return refuse_key(s, r, f->key);
    if (f->node->key_lengths >> (key.n & 63) & 1)
        *ret = watch_member(s->tree, f->node, key);
    return true;
}

/* Apart from meet_key(), so that only such keys pay for the room on the stack. */
static __attribute__((noinline)) bool meet_escaped_key(struct scanner *s, struct frame *f,
                                                       uint16_t *ret)
{
    char scratch[BOUND_JSON_ESCAPED_KEY_BYTES];
    struct str key;

    if (!text_decode(f->key, scratch, sizeof(scratch), &key))
        return refuse_key(s, KEYS_E_LONG, f->key);
    return meet_key(s, f, key, ret);
}

static bool scan_key(struct scanner *s, struct frame *f, uint16_t *ret)
{
    bool escaped = false;
    const char *start;

    skip_space(s);
    f->key = STR_NONE;
    if (peek(s) != '"')
        return refuse_here(s, "a key in quotes");
    if (f->n == BOUND_JSON_KEYS_PER_OBJECT)
        return refuse(s, s->p, "too many keys in one object");
    start = ++s->p;
    if (!scan_string(s, true, &escaped))
        return false;
    f->n++;
    f->key = str_n(start, (size_t)(s->p - start) - 1);
    if (f->checked && !(escaped ? meet_escaped_key(s, f, ret) : meet_key(s, f, f->key, ret)))
        return false;
    skip_space(s);
    if (peek(s) != ':')
        return refuse_here(s, "a colon");
    s->p++;
    return true;
}

/* The next member or element of the innermost container, or its end. */
static bool scan_step(struct scanner *s)
{
    struct frame *f = &s->frames[s->depth - 1];
    bool is_object = f->kind == JSON_OBJECT;
    uint16_t node = WATCH_NOWHERE;

    skip_space(s);
    if (peek(s) == (is_object ? '}' : ']')) {
        close_container(s, f);
        return true;
    }
    if (f->n) {
        if (peek(s) != ',')
            return refuse_here(s, is_object ? "a comma or }" : "a comma or ]");
        s->p++;
    }
    if (is_object)
        return scan_key(s, f, &node) && begin_value(s, node);
    f->n++;
    return begin_value(s, f->node->element);
}

static bool scan_document(struct scanner *s)
{
    skip_space(s);
    s->result.root_open = (uint32_t)(s->p - s->start);
    s->result.root_kind = peek(s) == '{' ? JSON_OBJECT : JSON_ARRAY;
    if (peek(s) != '{' && peek(s) != '[') {
        s->result.values++;
        if (!scan_scalar(s, &s->result.root_kind))
            return false;
        s->result.root_close = (uint32_t)(s->p - s->start);
    } else if (!begin_value(s, WATCH_ROOT)) {
        return false;
    }
    while (s->depth)
        if (!scan_step(s))
            return false;
    skip_space(s);
    return s->p == s->end || refuse(s, s->p, "something follows the document");
}

enum scan_kind { SCAN, SCAN_ROWS, SCAN_CHECK };

static int scan(struct str doc, struct json_watch *watches, size_t n_watches, enum scan_kind kind,
                struct json_scan_result *ret, struct json_fault *fault)
{
    struct scanner s; /* 80 KB, of which a usual document touches one or two */

    s.start = s.p = doc.p;
    s.end = doc.p + doc.n;
    s.check_all = kind == SCAN_CHECK;
    s.most_values = kind == SCAN_ROWS ? BOUND_JSON_ROW_VALUES : BOUND_JSON_VALUES;
    s.depth = 0;
    s.result = (struct json_scan_result){0};
    s.fault = fault;
    s.watches = watches;
    s.tree = watch_begin(watches, n_watches, &s.own.tree);
    keys_begin(&s.keys, doc.p);
    if (doc.n > UINT32_MAX) {
        (void)refuse(&s, s.p, "the document is too large");
        return JSON_E_FAULT;
    }
    if (!scan_document(&s))
        return JSON_E_FAULT;
    *ret = s.result;
    return JSON_OK;
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
