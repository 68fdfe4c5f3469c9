/* detect_secret.c: private keys in PEM (RFC 7468), and API keys by the beginnings that their issuers gave
 * them so that they can be found; see detect.h. */
#include "guard/detect.h"

#define PEM_BEGIN STR("-----BEGIN ")
#define PEM_END STR("-----END ")
#define PEM_KIND STR("PRIVATE KEY")
#define PEM_DASHES STR("-----")
enum { PEM_LINE_MAX = 64 };

/* How a key begins, and how many characters are behind that at least. Longer beginnings first. */
static const struct {
    struct str head;
    size_t least;
} heads[] = {
    {STR("github_pat_"), 22}, {STR("sk-or-v1-"), 32}, {STR("sk-proj-"), 20}, {STR("sk-ant-"), 20},
    {STR("sk_live_"), 16},    {STR("sk_test_"), 16},  {STR("rk_live_"), 16}, {STR("whsec_"), 20},
    {STR("glpat-"), 20},      {STR("ghp_"), 36},      {STR("gho_"), 36},     {STR("ghs_"), 36},
    {STR("ghu_"), 36},        {STR("ghr_"), 36},      {STR("xoxb-"), 20},    {STR("xoxp-"), 20},
    {STR("xoxa-"), 20},       {STR("xoxr-"), 20},     {STR("xoxs-"), 20},    {STR("xapp-"), 20},
    {STR("pplx-"), 32},       {STR("AKIA"), 16},      {STR("ASIA"), 16},     {STR("AIza"), 35},
    {STR("ya29."), 30},       {STR("npm_"), 36},      {STR("gsk_"), 32},     {STR("xai-"), 32},
    {STR("tgm-"), 30},        {STR("hf_"), 30},       {STR("r8_"), 32},      {STR("sk-"), 20},
    {STR("tg-"), 30},         {STR("SG."), 40},
};

static bool is_token(char c)
{
    return detect_is_word(c) || c == '_' || c == '-' || c == '.';
}

static bool stands(struct str text, size_t at, struct str part)
{
    return text.n - at >= part.n && memcmp(text.p + at, part.p, part.n) == 0;
}

/* Behind the key whose beginning of n bytes stands here. A name made of words has no digits, a number
 * no letters. */
static size_t token_end(struct str text, size_t at, size_t n, size_t least)
{
    size_t i = at + n;
    bool digit = false, letter = false;

    for (; i < text.n && is_token(text.p[i]); i++) {
        digit = digit || detect_is_digit(text.p[i]);
        letter = letter || detect_is_letter(text.p[i]);
    }
    while (i > at + n && !detect_is_word(text.p[i - 1]))
        i--; /* the dot of a sentence */
    return digit && letter && i - at - n >= least ? i : at;
}

static size_t key_end(struct str text, size_t at)
{
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        if (stands(text, at, heads[i].head)) {
            size_t end = token_end(text, at, heads[i].head.n, heads[i].least);

            if (end > at)
                return end;
        }
    return at;
}

/* From "-----BEGIN ... PRIVATE KEY" to the end of its END line, or of the text where that is missing. */
static size_t pem_end(struct str text, size_t at)
{
    struct str line = str_n(text.p + at, MIN(text.n - at, (size_t)PEM_LINE_MAX));
    const char *kind = memmem(line.p, line.n, PEM_KIND.p, PEM_KIND.n);
    const char *end, *dashes;

    if (!kind)
        return at;
    end = memmem(kind, (size_t)(str_end(text) - kind), PEM_END.p, PEM_END.n);
    if (!end)
        return text.n;
    end += PEM_END.n;
    dashes = memmem(end, MIN((size_t)(str_end(text) - end), (size_t)PEM_LINE_MAX), PEM_DASHES.p, PEM_DASHES.n);
    return dashes ? (size_t)(dashes - text.p) + PEM_DASHES.n : text.n;
}

bool detect_secret(struct str text, size_t from, struct detect_span *ret)
{
    /* What may stand behind the first character of one: most words are told by that. */
    static const char *const second[256] = {['g'] = "ihsl", ['s'] = "k", ['r'] = "k8",  ['w'] = "h", ['x'] = "oa",
                                            ['p'] = "p",    ['y'] = "a", ['n'] = "p",   ['t'] = "g", ['h'] = "f",
                                            ['A'] = "KSI",  ['S'] = "G", ['-'] = "-"};

    for (size_t i = from; i + 1 < text.n; i++) {
        const char *next = second[(unsigned char)text.p[i]];
        size_t end = i;

        if (!next || !text.p[i + 1] || !strchr(next, text.p[i + 1]))
            continue;
        if (text.p[i] == '-')
            end = stands(text, i, PEM_BEGIN) ? pem_end(text, i) : i;
        else if (i == 0 || !(detect_is_word(text.p[i - 1]) || text.p[i - 1] == '_'))
            end = key_end(text, i);
        if (end > i) {
            *ret = (struct detect_span){i, end};
            return true;
        }
    }
    return false;
}
