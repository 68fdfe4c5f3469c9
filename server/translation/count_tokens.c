/* count_tokens.c: see count_tokens.h. */
#include "translation/count_tokens.h"

#include "translation/figures.h"

bool count_read(struct str body, const char *name, uint64_t *ret)
{
    struct json_watch w = {.path = name};
    struct json_scan_result result;
    struct json_fault fault;
    int64_t n;

    if (json_scan(body, &w, 1, &result, &fault) != JSON_OK ||
        figure_read(body, &w, &n) != FIGURE_GOOD)
        return false;
    *ret = (uint64_t)n;
    return true;
}
