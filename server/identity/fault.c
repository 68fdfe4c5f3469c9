/* fault.c: setting one, and keeping the database's outcomes apart from this room's. */
#include "identity/fault.h"

#include "base/err.h"

int identity_fault_set(struct identity_fault *fault, const char *field, const char *sentence)
{
    if (fault)
        *fault = (struct identity_fault){.field = field, .sentence = sentence};
    return IDENTITY_E_FAULT;
}

int identity_limited(struct identity_fault *fault, int32_t retry_after_s)
{
    if (fault)
        *fault = (struct identity_fault){.field = "", .sentence = "", .retry_after_s = retry_after_s};
    return IDENTITY_E_LIMITED;
}

int identity_tx(struct db *db, struct db_scope scope, const char *name,
                int (*fn)(struct db *, void *), void *ctx)
{
    int r = db_tx(db, scope, name, fn, ctx);

    if (r == DB_E_AWAY)
        r = db_fatal(r);
    return r < 0 ? err_trace(r) : r;
}
