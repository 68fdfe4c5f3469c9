/* pattern.c: see pattern.h. */
#include "guard/pattern.h"

#include <errno.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    NESTED_MAX = 40,     /* parentheses in each other */
    HEAP_KIB_MAX = 16384 /* of a search that is interpreted: one that is compiled has a stack of 32 KiB */
};

struct pattern {
    pcre2_code *code;
};

struct pattern_search {
    pcre2_match_data *data;
    pcre2_match_context *context;
};

/* Text of any kind; letters and digits are those of all scripts. \C would cut characters in two. */
static const uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_UCP | PCRE2_CASELESS |
                                PCRE2_NEVER_BACKSLASH_C;

static pcre2_code *compile(struct str source, int *ret_error, PCRE2_SIZE *ret_at)
{
    pcre2_compile_context *c = pcre2_compile_context_create(NULL);
    pcre2_code *code;

    *ret_error = PCRE2_ERROR_NOMEMORY;
    *ret_at = 0;
    if (!c)
        return NULL;
    pcre2_set_max_pattern_length(c, PATTERN_BYTES_MAX + 64);
    pcre2_set_parens_nest_limit(c, NESTED_MAX);
    code = pcre2_compile((PCRE2_SPTR)source.p, source.n, options, ret_error, ret_at, c);
    pcre2_compile_context_free(c);
    return code;
}

static int finish(pcre2_code *code, struct pattern **ret)
{
    struct pattern *p = calloc(1, sizeof(*p));

    if (!p) {
        pcre2_code_free(code);
        return err_origin(-ENOMEM);
    }
    p->code = code;
    /* Where the machine has no compiler for it, it is interpreted: slower, with the same limits. */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    *ret = p;
    return PATTERN_OK;
}

static int bad(char why[PATTERN_WHY_BYTES], const char *sentence)
{
    struct str s = str_c(sentence);

    memcpy(why, s.p, MIN(s.n + 1, (size_t)PATTERN_WHY_BYTES));
    return PATTERN_E_BAD;
}

/* PCRE2's own words, and where. */
static int tell(char why[PATTERN_WHY_BYTES], int error, size_t at)
{
    PCRE2_UCHAR text[128] = {0};
    struct buf out;

    buf_init(&out, PATTERN_WHY_BYTES - 1);
    (void)pcre2_get_error_message(error, text, sizeof(text));
    buf_printf(&out, "At character %zu: %s.", at, (const char *)text);
    buf_putc(&out, '\0');
    if (buf_finish(&out) < 0) {
        buf_done(&out);
        return bad(why, "This is no regular expression.");
    }
    memcpy(why, out.p, out.n);
    buf_done(&out);
    return PATTERN_E_BAD;
}

int pattern_new(struct str source, struct pattern **ret, char why[PATTERN_WHY_BYTES])
{
    pcre2_code *code;
    PCRE2_SIZE at, bytes = 0;
    uint32_t empty = 0;
    int error;

    if (source.n > PATTERN_BYTES_MAX)
        return bad(why, "A pattern has at most 500 bytes.");
    if (!str_utf8(source))
        return bad(why, "This is not UTF-8.");
    code = compile(source, &error, &at);
    if (!code && error == PCRE2_ERROR_NOMEMORY)
        return err_origin(-ENOMEM);
    if (!code)
        return tell(why, error, at);
    (void)pcre2_pattern_info(code, PCRE2_INFO_SIZE, &bytes);
    (void)pcre2_pattern_info(code, PCRE2_INFO_MATCHEMPTY, &empty);
    if (empty || bytes > PATTERN_COMPILED_BYTES_MAX) {
        pcre2_code_free(code);
        return bad(why, empty ? "It would find nothing at all, everywhere. Ask for one character at least."
                              : "It is too large once its repeats are written out.");
    }
    return finish(code, ret);
}

/* Letters, digits and what is not ASCII, which may be a letter. */
static bool is_word_edge(char c)
{
    return detect_is_word(c) || c == '_' || (signed char)c < 0;
}

/* Each byte that could mean something is escaped. */
static void put_word(struct buf *out, struct str word)
{
    if (is_word_edge(word.p[0]))
        buf_puts(out, "(?<!\\w)");
    for (size_t i = 0; i < word.n; i++) {
        if (!is_word_edge(word.p[i]))
            buf_putc(out, '\\');
        buf_putc(out, word.p[i]);
    }
    if (is_word_edge(word.p[word.n - 1]))
        buf_puts(out, "(?!\\w)");
}

static int longer_first(const void *a, const void *b)
{
    size_t n = ((const struct str *)a)->n, m = ((const struct str *)b)->n;

    return n > m ? -1 : n < m;
}

/* Of two that begin at one place the longer is found. */
int pattern_new_words(const struct str *words, size_t n, struct pattern **ret)
{
    _cleanup_(freep) struct str *sorted = calloc(n, sizeof(*sorted));
    struct buf source;
    pcre2_code *code = NULL;
    PCRE2_SIZE at;
    int error;

    if (!sorted)
        return err_origin(-ENOMEM);
    memcpy(sorted, words, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), longer_first);
    buf_init(&source, n * (2 * PATTERN_BYTES_MAX + 32));
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(&source, '|');
        put_word(&source, sorted[i]);
    }
    if (buf_finish(&source) == 0)
        code = pcre2_compile((PCRE2_SPTR)source.p, source.n, options, &error, &at, NULL);
    buf_done(&source);
    return code ? finish(code, ret) : err_origin(-ENOMEM);
}

void pattern_free(struct pattern *p)
{
    if (!p)
        return;
    pcre2_code_free(p->code);
    free(p);
}

struct pattern_search *pattern_search_new(void)
{
    struct pattern_search *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->data = pcre2_match_data_create(1, NULL);
    s->context = pcre2_match_context_create(NULL);
    if (s->data && s->context)
        return s;
    pattern_search_free(s);
    return NULL;
}

void pattern_search_free(struct pattern_search *s)
{
    if (!s)
        return;
    pcre2_match_data_free(s->data);
    pcre2_match_context_free(s->context);
    free(s);
}

static uint32_t steps_for(size_t bytes)
{
    size_t most = PATTERN_STEPS_MAX / PATTERN_STEPS_A_BYTE;

    return (uint32_t)MIN(PATTERN_STEPS + MIN(bytes, most) * PATTERN_STEPS_A_BYTE, (size_t)PATTERN_STEPS_MAX);
}

static int match(const struct pattern *p, struct pattern_search *s, struct str text, size_t from,
                 uint32_t how)
{
    return pcre2_match(p->code, (PCRE2_SPTR)(text.n ? text.p : ""), text.n, from, PCRE2_NOTEMPTY | how, s->data,
                       s->context);
}

int pattern_find(const struct pattern *p, struct pattern_search *s, struct str text, size_t from,
                 struct detect_span *ret)
{
    PCRE2_SIZE *at;
    int r;

    pcre2_set_match_limit(s->context, steps_for(text.n));
    pcre2_set_depth_limit(s->context, steps_for(text.n));
    pcre2_set_heap_limit(s->context, HEAP_KIB_MAX);
    r = match(p, s, text, from, 0);
    if (r == PCRE2_ERROR_JIT_STACKLIMIT)
        r = match(p, s, text, from, PCRE2_NO_JIT);
    if (r == PCRE2_ERROR_NOMATCH)
        return PATTERN_NONE;
    if (r < 0)
        return PATTERN_UNDECIDED;
    at = pcre2_get_ovector_pointer(s->data);
    if (at[0] < from || at[1] <= at[0]) /* \K can turn them round */
        return PATTERN_UNDECIDED;
    *ret = (struct detect_span){at[0], at[1]};
    return PATTERN_FOUND;
}

/* --- trying --- */

#define HARD_BYTES 4096
#define HARD_LETTERS 24

/* A run of one character with an end that fits nothing, which is what repeats within repeats go back over
 * most; and the pattern's own words, over and over. */
static bool survives(const struct pattern *p, struct pattern_search *s, char *text, struct str part)
{
    struct detect_span found;
    size_t n = 0;

    while (part.n && n + part.n < HARD_BYTES) {
        memcpy(text + n, part.p, part.n);
        n += part.n;
    }
    text[n++] = '\x01';
    return pattern_find(p, s, str_n(text, n), 0, &found) != PATTERN_UNDECIDED;
}

static size_t source_of(const struct pattern *p, char out[HARD_LETTERS])
{
    static const char always[] = "a0 .-";
    size_t n = 0;
    const uint8_t *map = NULL;

    for (const char *c = always; *c; c++)
        out[n++] = *c;
    /* Bytes that a match may begin with. */
    (void)pcre2_pattern_info(p->code, PCRE2_INFO_FIRSTBITMAP, &map);
    for (unsigned c = 0x20; map && c < 0x7f && n < HARD_LETTERS; c++)
        if (map[c / 8] & (1u << c % 8))
            out[n++] = (char)c;
    return n;
}

bool pattern_is_quick(const struct pattern *p)
{
    struct pattern_search *s = pattern_search_new();
    char letters[HARD_LETTERS];
    char *text = malloc(HARD_BYTES + 1);
    size_t n = source_of(p, letters);
    uint32_t kind = 0, first = 0;
    bool quick = s && text;

    (void)pcre2_pattern_info(p->code, PCRE2_INFO_FIRSTCODETYPE, &kind);
    (void)pcre2_pattern_info(p->code, PCRE2_INFO_FIRSTCODEUNIT, &first);
    if (kind == 1 && first < 0x80 && n < HARD_LETTERS)
        letters[n++] = (char)first;
    for (size_t i = 0; quick && i < n; i++)
        quick = survives(p, s, text, str_n(&letters[i], 1));
    pattern_search_free(s);
    free(text);
    return quick;
}
