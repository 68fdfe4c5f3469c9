/* rows.c: the array grows by doubling; what it leaves behind dies with the arena. */
#include "db/rows.h"

#include <errno.h>

#include "base/err.h"

int db_rows_push(void *ctx)
{
    struct db_rows *rows = ctx;

    if (rows->n == rows->cap_) {
        size_t cap = rows->cap_ ? rows->cap_ * 2 : 16;
        void *v = arena_alloc_n(rows->a, rows->size, cap);

        if (!v)
            return err_origin(-ENOMEM);
        if (rows->n)
            memcpy(v, rows->v, rows->n * rows->size);
        rows->v = v;
        rows->cap_ = cap;
    }
    memcpy((char *)rows->v + rows->n * rows->size, rows->row, rows->size);
    rows->n++;
    return 0;
}
