/* fault.c: setting one, and keeping the database's outcomes apart from this room's. */
#include "identity/fault.h"

#include "base/err.h"

int identity_fault_set(struct identity_fault *fault, const char *field, const char *sentence)
{
    if (fault)
        *fault = (struct identity_fault){field, sentence};
    return IDENTITY_E_FAULT;
}

int identity_tx(struct db *db, struct db_scope scope, const char *name,
                int (*fn)(struct db *, void *), void *ctx)
{
    int r = db_tx(db, scope, name, fn, ctx);

    if (r == DB_E_AWAY)
        r = db_fatal(r);
    return r < 0 ? err_trace(r) : r;
}
