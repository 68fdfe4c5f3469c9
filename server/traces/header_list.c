/* header_list.c: see header_list.h. */
#include "traces/header_list.h"

#include <errno.h>

#include "http/percent.h"

int header_list_read(struct arena *a, struct str text, struct header_list *ret)
{
    struct str entry;

    ret->v[0] = (struct fetch_header){"content-type", STR("application/json")};
    ret->n = 1;
    text = str_trim(text);
    while (text.n && str_split(&text, ',', &entry)) {
        struct str value = entry, name;

        if (ret->n == HEADER_LIST_MAX || str_find(entry, '=') < 0)
            return -EINVAL;
        str_split(&value, '=', &name);
        name = arena_str(a, str_trim(name));
        value = percent_decode(a, str_trim(value), false);
        if (!name.n || !name.p || !value.p)
            return -EINVAL;
        ret->v[ret->n++] = (struct fetch_header){name.p, value};
    }
    return 0;
}
