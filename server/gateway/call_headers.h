/* call_headers.h: headers that the client of an upstream's own format chooses itself (Anthropic's version
 * and betas). On the call's loop. */
#pragma once

#include "providers/provider.h"

struct call;
struct json_fault;

/* What it has chosen of those that the way of this try leaves to it; as many as are given back. */
size_t call_headers_own(const struct call *c,
                        struct provider_header own[PROVIDER_CLIENT_HEADERS_MAX]);
/* Can they be sent, wherever a candidate would get them? False: *fault names the one that cannot. */
bool call_headers_good(const struct call *c, struct json_fault *fault);
