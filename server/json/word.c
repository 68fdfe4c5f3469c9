/* word.c: see word.h. Sixteen places at a time, of which those are looked at where three bytes of the word stand. */
#include "json/word.h"

#include "json/text.h"

enum { WORD_MOST = 16 };

static inline text_lanes lanes_at(const char *p)
{
    text_lanes v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static bool any(text_lanes v)
{
    text_words w = (text_words)v;

    return (w[0] | w[1]) != 0;
}

/* One that begins in [p, stop). A backslash in front of another says nothing of a u behind it: then this is true too
 * often, and nothing is lost. */
static bool begins_in(const char *p, const char *stop, const char *end, struct str word)
{
    for (; p < stop; p++) {
        if (*p == '\\' && p + 1 < end && p[1] == 'u')
            return true;
        if ((size_t)(end - p) >= word.n && memcmp(p, word.p, word.n) == 0)
            return true;
    }
    return false;
}

bool json_may_hold(struct str json, struct str word)
{
    const char *p = json.p, *end = str_end(json);
    const size_t middle = word.n / 2, last = word.n - 1;
    const ptrdiff_t lanes = sizeof(text_lanes);

    assert(word.n >= 2);
    assert(word.n <= WORD_MOST);
    for (; end - p >= lanes + WORD_MOST; p += lanes) {
        text_lanes first = lanes_at(p);
        text_lanes begins = (first == word.p[0]) & (lanes_at(p + middle) == word.p[middle]) &
                            (lanes_at(p + last) == word.p[last]);
        text_lanes coded = (first == '\\') & (lanes_at(p + 1) == 'u');

        if (any(begins | coded) && begins_in(p, p + lanes, end, word))
            return true;
    }
    return begins_in(p, end, end, word);
}
