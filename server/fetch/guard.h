/* guard.h: which addresses and URLs a fetch may reach (SSRF rules, reliability U2 to U4).
 *
 * The decision is made on the connected socket address, not on the text, so DNS rebinding and
 * spellings do not matter. The URL is parsed by the same libcurl that will use it. */
#pragma once

#include "base/str.h"

enum guard_network {
    GUARD_PUBLIC,  /* https only, usual ports, globally routable addresses only */
    GUARD_PRIVATE, /* operator's choice: loopback and private ranges, http and any port, never
                      link-local metadata addresses nor the database */
};

struct sockaddr;
/* True when a connection to this address is allowed. Any thread. */
bool guard_address(enum guard_network network, const struct sockaddr *address);
/* Addresses never to be reached, e.g. the database's host: every address that `host` resolves to
 * now, at `port`. A path (a unix socket) needs no rule and is accepted. Process-wide, set before
 * loops run. GUARD_FORBID_E_HOST: the name did not resolve, nothing was added. */
enum { GUARD_FORBID_OK = 0, GUARD_FORBID_E_HOST = 1 };
int guard_forbid(const char *host, unsigned port) _must_use_;

enum { GUARD_OK = 0, GUARD_E_SYNTAX, GUARD_E_SCHEME, GUARD_E_USERINFO, GUARD_E_PORT, GUARD_E_PATH };
/* Checks a base URL when it is entered: scheme, no user info, no fragment, no '..' or '\'. */
int guard_url(enum guard_network network, struct str url) _must_use_;
const char *guard_reason(int outcome); /* a sentence for a form */
