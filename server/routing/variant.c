/* variant.c: see variant.h. */
#include "routing/variant.h"

static const struct {
    struct str suffix;
    enum route_sort sort;
} variants[] = {
    {STR(":floor"), SORT_PRICE},
    {STR(":nitro"), SORT_THROUGHPUT},
};

const struct catalog_model *variant_find(const struct catalog *c, struct str name,
                                         enum route_sort *ret_sort)
{
    const struct catalog_model *m = catalog_find_model(c, name);

    *ret_sort = SORT_NONE;
    for (size_t i = 0; !m && i < ARRAY_LEN(variants); i++) {
        if (!str_ends(name, variants[i].suffix))
            continue;
        *ret_sort = variants[i].sort;
        m = catalog_find_model(c, str_n(name.p, name.n - variants[i].suffix.n));
    }
    return m;
}

bool variant_is_free(struct str name)
{
    return str_ends(name, STR(":free"));
}
