/* suggest.h: the model that examples name, where nobody has chosen one. Any thread. */
#pragma once

#include "catalog/snapshot.h"

/* Of the models of a kind that serve by themselves now: demo models before all others, since where they are
 * served the whole installation is for trying out; then the one whose call costs the customer least,
 * of a thousand tokens each way, or one thing of what is sold apiece; of equals the first by name.
 * NULL: none is served. Lives as long as the snapshot. */
const struct catalog_model *catalog_suggest(const struct catalog *c,
                                            enum model_kind kind) _must_use_;
