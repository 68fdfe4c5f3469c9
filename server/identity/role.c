/* role.c: the five roles as one table. */
#include "identity/role.h"

static const char *const names[] = {
    [ROLE_VIEWER] = "viewer", [ROLE_DEVELOPER] = "developer", [ROLE_BILLING] = "billing",
    [ROLE_ADMIN] = "admin",   [ROLE_OWNER] = "owner",
};

#define BIT(role) (1u << (role))

/* What each role covers. */
static const unsigned covers[] = {
    [ROLE_VIEWER] = BIT(ROLE_VIEWER),
    [ROLE_DEVELOPER] = BIT(ROLE_VIEWER) | BIT(ROLE_DEVELOPER),
    [ROLE_BILLING] = BIT(ROLE_VIEWER) | BIT(ROLE_BILLING),
    [ROLE_ADMIN] = BIT(ROLE_VIEWER) | BIT(ROLE_DEVELOPER) | BIT(ROLE_BILLING) | BIT(ROLE_ADMIN),
    [ROLE_OWNER] = BIT(ROLE_VIEWER) | BIT(ROLE_DEVELOPER) | BIT(ROLE_BILLING) | BIT(ROLE_ADMIN) |
                   BIT(ROLE_OWNER),
};

const char *role_name(enum role role)
{
    return names[role];
}

bool role_parse(struct str name, enum role *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq_c(name, names[i])) {
            *ret = (enum role)i;
            return true;
        }
    }
    return false;
}

bool role_covers(enum role have, enum role want)
{
    return covers[have] & BIT(want);
}
