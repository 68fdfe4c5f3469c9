/* role.h: what a member of a team may do. Any thread. */
#pragma once

#include "base/str.h"

enum role {
    ROLE_VIEWER,    /* sees usage, calls and keys */
    ROLE_DEVELOPER, /* mints and changes keys and projects */
    ROLE_BILLING,   /* tops up, sees invoices, changes the buyer block */
    ROLE_ADMIN,     /* all of that, members and settings */
    ROLE_OWNER,     /* all of that, other owners; a team always has one */
};

const char *role_name(enum role role); /* "viewer" ... "owner" */
bool role_parse(struct str name, enum role *ret);
/* True when have may do what asks for at least want. Developer and billing do not cover each other;
 * every role covers viewer, admin covers both, owner covers all. */
bool role_covers(enum role have, enum role want);
