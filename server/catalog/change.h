/* change.h: who changes the catalogue, and what is wrong with what they typed.
 *
 * Every function that changes something runs inside the caller's transaction (scope operator or
 * system), writes one audit row, and notes the change `catalogue`, so that every node loads anew
 * once it is committed. Worker. */
#pragma once

#include "base/arena.h"
#include "db/db.h"

struct catalog_actor {
    const char *kind; /* as in audit.actor_kind: "operator", "key", "system" */
    int64_t id;       /* of the person or key; 0: none */
    struct str name, address;
};
#define CATALOG_SYSTEM ((struct catalog_actor){.kind = "system", .name = STR("system")})

/* The field of a draft that is wrong, and the sentence to show beside it. Both static text. */
struct catalog_fault {
    const char *field, *sentence;
};

/* Outcomes of the functions of accounts.h, models.h and prices.h. */
enum {
    CHANGE_OK = 0,
    CHANGE_E_UNKNOWN = 1, /* there is no such row, or it is deleted */
    CHANGE_E_FAULT = 2,   /* *fault tells */
    CHANGE_E_AWAY = 4,    /* the database is out of reach */
};
