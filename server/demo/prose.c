/* prose.c: see prose.h.
 *
 * The chain: each kind of word names the kinds that may follow it, a sentence is a walk from the
 * first kind to the full stop. */
#include "demo/prose.h"

#include "demo/token.h"

struct kind {
    const char *const *words; /* NULL: a topic */
    size_t n_words;
    uint8_t next[4]; /* kinds; a repeated one is likelier */
};

enum kind_id { OPENING, SUBJECT, VERB, AMOUNT, ADJECTIVE, OBJECT, LINK, REASON, STOP };

#define WORDS(...) \
    (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

/* Verbs stand behind a modal, so that they agree with topics of either number. */
static const struct kind kinds[] = {
    [OPENING] = {WORDS("In short,", "In practice,", "At first glance,", "Over time,", "Usually,",
                       "For most people,", "Seen from afar,", "As a rule,"),
                 {SUBJECT, SUBJECT, SUBJECT, SUBJECT}},
    [SUBJECT] = {NULL, 0, {VERB, VERB, VERB, VERB}},
    [VERB] = {WORDS("may depend on", "can begin with", "will reward", "can benefit from",
                    "may grow out of", "can lead to", "will shape", "should make room for",
                    "may call for", "can rest on", "might change with", "often came from"),
              {AMOUNT, ADJECTIVE, OBJECT, ADJECTIVE}},
    [AMOUNT] = {WORDS("more", "some", "enough", "plenty of"),
                {ADJECTIVE, ADJECTIVE, OBJECT, OBJECT}},
    [ADJECTIVE] = {WORDS("careful", "quiet", "shared", "practical", "curious", "steady", "patient",
                         "simple", "honest", "gradual", "clear"),
                   {OBJECT, OBJECT, OBJECT, OBJECT}},
    [OBJECT] = {WORDS("attention", "choices", "measurement", "habits", "tools", "questions", "time",
                      "feedback", "structure", "detail", "experience", "conversation"),
                {STOP, LINK, STOP, REASON}},
    [LINK] = {WORDS("and", "but also", "rather than", "as well as"),
              {OBJECT, ADJECTIVE, ADJECTIVE, OBJECT}},
    [REASON] = {WORDS("because", "so that", "while", "whenever"),
                {SUBJECT, SUBJECT, SUBJECT, SUBJECT}},
};

static const char *const common[] = {
    "about", "also",  "does",   "explain", "from",  "give", "have",  "hello",  "into",   "like",
    "make",  "many",  "please", "short",   "some",  "tell", "than",  "that",   "them",   "then",
    "there", "these", "they",   "this",    "using", "very", "what",  "when",   "where",  "which",
    "will",  "with",  "would",  "write",   "your",  "user", "could", "should", "answer", "word",
};

static bool is_word_byte(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

static bool is_common(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        if (str_ieq(word, str_c(common[i])))
            return true;
    return false;
}

static void topics_add(struct topics *t, struct str word)
{
    if (word.n < 4 || word.n > 24 || t->n == PROSE_TOPICS || is_common(word))
        return;
    for (size_t i = 0; i < t->n; i++)
        if (str_ieq(t->words[i], word))
            return;
    t->words[t->n++] = word;
}

void topics_find(struct str question, struct topics *ret)
{
    size_t from = 0;

    ret->n = 0;
    for (size_t i = 0; i <= question.n; i++) {
        if (i < question.n && is_word_byte((unsigned char)question.p[i]))
            continue;
        topics_add(ret, str_n(question.p + from, i - from));
        from = i + 1;
    }
}

struct str topics_pick(const struct topics *t, struct dice *d)
{
    static const char *const general[] = {"learning", "good work", "curiosity", "everyday life"};

    if (!t->n)
        return str_c(general[dice_below(d, ARRAY_LEN(general))]);
    return t->words[dice_below(d, t->n)];
}

static void put_word(struct buf *out, struct str word, bool first)
{
    char c = word.n ? word.p[0] : 'x';

    if (first && c >= 'a' && c <= 'z') {
        buf_putc(out, (char)(c - 'a' + 'A'));
        word = str_n(word.p + 1, word.n - 1);
    }
    buf_put_str(out, word);
}

static void put_sentence(struct dice *d, const struct topics *t, struct buf *out)
{
    enum { LONGEST = 18 };
    enum kind_id kind = dice_below(d, 3) ? SUBJECT : OPENING;

    for (size_t n = 0; kind != STOP; n++) {
        const struct kind *k = &kinds[kind];

        if (n)
            buf_putc(out, ' ');
        put_word(out, k->words ? str_c(k->words[dice_below(d, k->n_words)]) : topics_pick(t, d),
                 n == 0);
        if (kind == OBJECT && n >= LONGEST)
            break;
        kind = (enum kind_id)k->next[dice_below(d, ARRAY_LEN(k->next))];
    }
    buf_putc(out, '.');
}

void prose_write(struct dice *d, const struct topics *t, size_t tokens, struct buf *out)
{
    size_t from = out->n;

    do {
        if (out->n > from)
            buf_putc(out, ' ');
        put_sentence(d, t, out);
    } while (!buf_finish(out) && token_count(str_n(out->p + from, out->n - from)) < tokens);
}
