/* origin.h: was this form sent by a page of ours? Pure; any thread. */
#pragma once

#include "base/str.h"

/* origin: the Origin header (p NULL: none); fetch_site: Sec-Fetch-Site; host: the Host header.
 * A browser sends Origin with every POST; it must be PUBLIC_URL's, or the very host that was asked.
 * Without Origin only `same-origin` in Sec-Fetch-Site will do. */
bool origin_is_ours(struct str origin, struct str fetch_site, struct str public_url, struct str host,
                    bool https);
/* Compares secrets without telling by time how much of them is right. */
bool origin_token_eq(struct str given, struct str expected);
/* A path on this site and nothing else: begins with one slash, no backslash, no control bytes. */
bool origin_path_is_ours(struct str path);
