/* text_list.c: see text_list.h. */
#include "identity/text_list.h"

#include <errno.h>

#include "base/err.h"

int text_list_split(struct arena *a, struct str joined, struct text_list *ret)
{
    struct str rest = joined, part;
    size_t n = 0, most = 1;

    for (size_t i = 0; i < joined.n; i++)
        most += joined.p[i] == '\n';
    struct str *v = arena_array(a, struct str, most);

    if (!v)
        return err_origin(-ENOMEM);
    while (joined.n > 0 && str_split(&rest, '\n', &part))
        v[n++] = part;
    *ret = (struct text_list){v, n};
    return 0;
}
