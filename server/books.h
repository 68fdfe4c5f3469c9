/* books.h: a check of the books as a chore: in steps that leave time to settling, with a line in the log. */
#pragma once

#include "logs/findings.h"

/* rest: waits until then; true: there is no more time. Own transactions. */
int books_check(struct db *db, enum integrity_form form,
                bool (*rest)(void *ctx, int64_t until_ms), void *ctx) _must_use_;
