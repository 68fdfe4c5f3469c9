/* wish.c: see wish.h. */
#include "cache/wish.h"

static const struct str max_age = STR("max-age=");

int cache_wish_read(struct str header, int64_t key_seconds, struct cache_wish *ret)
{
    struct str word = header.p ? str_trim(header) : STR_NONE;
    uint64_t seconds = (uint64_t)key_seconds, asked;

    *ret = (struct cache_wish){.read = true, .keep = true};
    if (word.p && str_ieq(word, STR("no-cache"))) {
        ret->read = false;
    } else if (word.p && str_ieq(word, STR("no-store"))) {
        ret->read = ret->keep = false;
    } else if (word.p) {
        if (word.n <= max_age.n || !str_ieq(str_n(word.p, max_age.n), max_age) ||
            str_u64(str_n(word.p + max_age.n, word.n - max_age.n), &asked) != STR_OK)
            return CACHE_WISH_E_WORD;
        seconds = MIN(seconds, asked);
        ret->read = seconds > 0;
    }
    ret->max_age_ms = (int64_t)seconds * 1000;
    return CACHE_WISH_OK;
}
