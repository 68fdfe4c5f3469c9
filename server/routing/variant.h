/* variant.h: the model that a name asks for, which may end in one of OpenRouter's suffixes.
 *
 *   :floor   as if `provider.sort` were "price"
 *   :nitro   as if it were "throughput"
 *
 * A model or an alias of the very name goes before: `llama3:8b` is a name, and so is what an operator
 * calls `x:nitro`. Source: OpenRouter's documentation, "Model Variants". Pure. */
#pragma once

#include "routing/route.h"

/* NULL: there is no such model. *ret_sort is SORT_NONE without a suffix. */
const struct catalog_model *variant_find(const struct catalog *c, struct str name,
                                         enum route_sort *ret_sort);
/* Does the name ask for OpenRouter's free variant, which is not known here? */
bool variant_is_free(struct str name);
