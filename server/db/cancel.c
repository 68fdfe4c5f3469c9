/* cancel.c: see cancel.h. What PostgreSQL calls a cancel request: a message on a connection of its own. */
#include "db/cancel.h"

#include <stdlib.h>

#include "db/conn.h"

struct db_cancel {
    PGcancel *request;
};

struct db_cancel *db_cancel_new(const struct db *db)
{
    struct db_cancel *c = calloc(1, sizeof(*c));

    if (c)
        c->request = PQgetCancel(db->conn);
    return c;
}

void db_cancel_fire(struct db_cancel *c)
{
    char why[256];

    if (c && c->request)
        (void)PQcancel(c->request, why, sizeof(why));
}

void db_cancel_free(struct db_cancel *c)
{
    if (!c)
        return;
    PQfreeCancel(c->request);
    free(c);
}
