/* guard.h: which addresses and URLs a fetch may reach (SSRF rules, reliability U2 to U4).
 *
 * The decision is made on the connected socket address, not on the text, so DNS rebinding and
 * spellings do not matter. */
#pragma once

#include "base/str.h"

enum guard_network {
    GUARD_PUBLIC,  /* https (http only where allowed by name), globally routable addresses only */
    GUARD_PRIVATE, /* operator's choice: loopback and private ranges and any port, never
                      link-local metadata addresses nor the database */
};

struct sockaddr;
/* True when a connection to this address is allowed. */
bool guard_address(enum guard_network network, const struct sockaddr *address);
/* Addresses never to be reached, e.g. the database's host; process-wide, set before loops run. */
int guard_forbid(const char *host, unsigned port) _must_use_;

enum { GUARD_OK = 0, GUARD_E_SYNTAX, GUARD_E_SCHEME, GUARD_E_USERINFO, GUARD_E_PORT, GUARD_E_PATH };
/* Checks a base URL when it is entered: scheme, no user info, no fragment, no '..' or '\'. */
int guard_url(enum guard_network network, struct str url) _must_use_;
const char *guard_reason(int outcome); /* a sentence for a form */
