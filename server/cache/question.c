/* question.c: see question.h. */
#include "cache/question.h"

#include "base/bounds.h"

/* --- where it stands --- */

/* How the formats write messages: the elements of `list`, whose `content` is a text or parts of one. */
static const struct shape {
    const char *endpoint, *list, *content;
    const char *plain; /* the list itself may be a text: its path; NULL: it may not */
    const char *type;  /* of a part that is text; NULL: such parts have none */
    bool role_needed;  /* without one a message is the user's, where this is false */
} shapes[] = {
    {"chat.completions", "messages[]", "content", NULL, "text", true},
    {"messages", "messages[]", "content", NULL, "text", true},
    {"responses", "input[]", "content", "input", "input_text", true},
    {"generateContent", "contents[]", "parts", NULL, NULL, false},
    {"streamGenerateContent", "contents[]", "parts", NULL, NULL, false},
};

static const struct shape *shape_of(struct str endpoint)
{
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        if (str_eq_c(endpoint, shapes[i].endpoint))
            return &shapes[i];
    return NULL;
}

/* Looks for the paths in a part of the body that is an object. */
static bool scan(struct str body, struct json_span part, struct json_watch *w, size_t n)
{
    struct json_scan_result result;
    struct json_fault fault;

    if (part.kind != JSON_OBJECT ||
        json_scan(json_span_str(body, part), w, n, &result, &fault) != JSON_OK)
        return false;
    for (size_t i = 0; i < n; i++)
        w[i].span.at += part.at;
    return true;
}

static bool is_text(struct json_span s)
{
    return s.n && s.kind == JSON_STRING;
}

/* One part and no other, which is a text. */
static bool find_part(const struct shape *shape, struct str body, const struct json_watch *parts,
                      struct json_span *ret)
{
    struct json_watch w[] = {{.path = "type"}, {.path = "text"}};

    if (parts->count != 1 || !scan(body, parts->span, w, ARRAY_LEN(w)))
        return false;
    if (shape->type ? !json_span_is(body, w[0].span, shape->type) : w[0].span.n > 0)
        return false;
    *ret = w[1].span;
    return is_text(*ret);
}

static bool find_message(const struct shape *shape, struct str body, struct json_span message,
                         struct json_span *ret)
{
    struct json_watch content[] = {{.path = "role"}, {.path = "content"}, {.path = "content[]"}};
    struct json_watch parts[] = {{.path = "role"}, {.path = "parts"}, {.path = "parts[]"}};
    struct json_watch *w = str_eq_c(str_c(shape->content), "parts") ? parts : content;

    if (!scan(body, message, w, ARRAY_LEN(content)))
        return false;
    if (w[0].span.n ? !json_span_is(body, w[0].span, "user") : shape->role_needed)
        return false;
    *ret = w[1].span;
    return is_text(*ret) || find_part(shape, body, &w[2], ret);
}

bool question_find(struct str endpoint, struct str body, struct json_span *ret)
{
    const struct shape *shape = shape_of(endpoint);
    struct json_span whole = {.n = (uint32_t)body.n, .kind = JSON_OBJECT}, found;
    struct json_watch w[2] = {{.path = NULL}};
    bool ok;

    if (!shape)
        return false;
    w[0].path = shape->list;
    w[1].path = shape->plain;
    if (!scan(body, whole, w, shape->plain ? 2 : 1))
        return false;
    found = w[1].span;
    ok = (shape->plain && is_text(found)) || find_message(shape, body, w[0].span, &found);
    ok = ok && found.n > strlen("\"\"") && found.n <= QUESTION_BYTES;
    if (ok)
        *ret = found;
    return ok;
}

/* --- what it says --- */

enum { WORDS_MAX = 2048 }; /* of QUESTION_BYTES, which are fewer in any language that has spaces */

/* Of two opposites one is enough: what lacks it differs from what has it. Whole words, and beginnings of words. */
static const struct str polar_words[] = {
    STR("after"), STR("against"), STR("below"), STR("cannot"), STR("closed"), STR("down"),
    STR("except"), STR("false"), STR("last"), STR("least"), STR("left"), STR("less"),
    STR("lowest"), STR("min"), STR("minimum"), STR("neither"), STR("never"), STR("no"),
    STR("none"), STR("nor"), STR("not"), STR("off"), STR("out"), STR("under"), STR("without"),
};
static const struct str polar_beginnings[] = {
    STR("block"), STR("clos"), STR("decreas"), STR("delet"), STR("deny"), STR("disabl"),
    STR("disallow"), STR("exclud"), STR("export"), STR("forbid"), STR("reduc"), STR("remov"),
    STR("stop"), STR("uninstall"), STR("unlock"),
};

static bool is_polar(struct str word)
{
    static const struct str endings[] = {STR("n't"), STR("n\xE2\x80\x99t")};

    for (size_t i = 0; i < ARRAY_LEN(polar_words); i++)
        if (str_eq(word, polar_words[i]))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(polar_beginnings); i++)
        if (str_starts(word, polar_beginnings[i]))
            return true;
    return str_ends(word, endings[0]) || str_ends(word, endings[1]);
}

/* One of another script, in UTF-8: what stands before its last byte, and that byte of the digit 0. */
static bool begins_with_digit(struct str text)
{
    static const struct {
        struct str lead;
        unsigned char zero;
    } scripts[] = {
        {STR("\xD9"), 0xA0},     /* Arabic */
        {STR("\xDB"), 0xB0},     /* Persian, Urdu */
        {STR("\xE0\xA5"), 0xA6}, /* Devanagari */
        {STR("\xE0\xA7"), 0xA6}, /* Bengali */
        {STR("\xEF\xBC"), 0x90}, /* full width */
    };

    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        size_t n = scripts[i].lead.n;

        if (text.n > n && str_starts(text, scripts[i].lead) &&
            (unsigned char)(text.p[n] - scripts[i].zero) < 10)
            return true;
    }
    return false;
}

static bool has_digit(struct str word)
{
    for (size_t i = 0; i < word.n; i++)
        if ((word.p[i] >= '0' && word.p[i] <= '9') ||
            ((word.p[i] & 0x80) && begins_with_digit(str_n(word.p + i, word.n - i))))
            return true;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_edge(char c)
{
    return c && strchr(".,;:!?()[]{}\"'`", c);
}

/* A word without the marks around it, in small letters. */
static bool next_word(struct str *rest, struct str *ret)
{
    size_t from = 0, to;

    while (from < rest->n && (is_blank(rest->p[from]) || is_edge(rest->p[from])))
        from++;
    for (to = from; to < rest->n && !is_blank(rest->p[to]);)
        to++;
    *ret = str_n(rest->p + from, to - from);
    *rest = str_n(rest->p + to, rest->n - to);
    while (ret->n && is_edge(ret->p[ret->n - 1]))
        ret->n--;
    return ret->n > 0;
}

/* There is no blank in a word, so one ends it. */
static void put_word(struct buf *out, struct str word)
{
    buf_put_str(out, word);
    buf_putc(out, ' ');
}

static void put_facts(const struct str *words, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        if (has_digit(words[i]) || is_polar(words[i]))
            put_word(out, words[i]);
}

static void put_quotes(struct str text, struct buf *out)
{
    static const struct {
        struct str open, close;
    } marks[] = {
        {STR("\""), STR("\"")},
        {STR("`"), STR("`")},
        {STR("\xE2\x80\x9C"), STR("\xE2\x80\x9D")},
        {STR("\xC2\xAB"), STR("\xC2\xBB")},
    };

    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        struct str rest = text;
        const char *open, *close;

        while ((open = memmem(rest.p, rest.n, marks[i].open.p, marks[i].open.n))) {
            const char *from = open + marks[i].open.n, *end = text.p + text.n;

            close = memmem(from, (size_t)(end - from), marks[i].close.p, marks[i].close.n);
            if (!close)
                break;
            buf_printf(out, "\"%zu:", (size_t)(close - from)); /* no word begins so */
            buf_put(out, from, (size_t)(close - from));
            rest = str_n(close + marks[i].close.n, (size_t)(end - close) - marks[i].close.n);
        }
    }
}

static int compare(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static struct digest digest_of_words(const struct str *words, size_t n, struct buf *scratch)
{
    buf_reset(scratch);
    for (size_t i = 0; i < n; i++)
        put_word(scratch, words[i]);
    return digest_plain(buf_str(scratch));
}

/* Small letters of ASCII; others stay as they are, which costs a hit and never a wrong answer. */
static void put_small(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++)
        buf_putc(out, text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] + 32) : text.p[i]);
}

bool question_read(struct str text, struct question *ret)
{
    struct str words[WORDS_MAX], rest;
    struct buf small, out;
    size_t n = 0;
    bool ok;

    buf_init(&small, QUESTION_BYTES);
    buf_init(&out, 8 * QUESTION_BYTES);
    put_small(text, &small);
    rest = buf_str(&small);
    while (n < WORDS_MAX && next_word(&rest, &words[n]))
        n++;
    put_facts(words, n, &out);
    put_quotes(text, &out);
    ret->facts = digest_plain(buf_str(&out));
    ret->words = digest_of_words(words, n, &out);
    qsort(words, n, sizeof(words[0]), compare);
    ret->bag = digest_of_words(words, n, &out);
    ok = buf_finish(&small) == 0 && buf_finish(&out) == 0 && !(n == WORDS_MAX && rest.n);
    buf_done(&small);
    buf_done(&out);
    return ok;
}
