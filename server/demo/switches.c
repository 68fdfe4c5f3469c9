/* switches.c: see switches.h. */
#include "demo/switches.h"

enum { DELAY_MAX_MS = 600000 };

static bool add_delay(struct switches *s, struct str number)
{
    uint64_t ms;

    if (number.n && number.p[0] == '=')
        number = str_n(number.p + 1, number.n - 1);
    if (str_u64(number, &ms) != STR_OK || ms > DELAY_MAX_MS)
        return false;
    s->delay_ms = (int)ms;
    return true;
}

bool switches_add(struct switches *s, struct str word)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"timeout", &s->timeout},
                 {"die", &s->die},
                 {"slow", &s->slow},
                 {"nousage", &s->no_usage},
                 {"badjson", &s->bad_json}};
    uint64_t status;

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (str_eq_c(word, flags[i].name)) {
            *flags[i].flag = true;
            return true;
        }
    }
    if (str_starts(word, STR("delay")))
        return add_delay(s, str_n(word.p + 5, word.n - 5));
    if (str_u64(word, &status) != STR_OK || status < 400 || status > 599)
        return false;
    s->status = (int)status;
    return true;
}

bool switches_add_all(struct switches *s, struct str words, char sep)
{
    struct str word;

    while (str_split(&words, sep, &word))
        if (!switches_add(s, str_trim(word)))
            return false;
    return true;
}
