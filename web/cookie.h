/* cookie.h: the cookies of the dashboard: session, flash, a sign-in by the identity
 * provider that has begun, theme, columns.
 *
 * Where PUBLIC_URL is https their names begin with __Host- and they are Secure, so that no other
 * host and no plain connection can plant one. */
#pragma once

#include "gateway/services.h"

enum cookie { COOKIE_SESSION, COOKIE_FLASH, COOKIE_PROVIDER };

/* p NULL: there is none. */
struct str cookie_get(const struct services *services, const struct request *req,
                      enum cookie cookie);
/* max_age_s 0: until the browser is closed. value empty: the cookie is deleted. */
void cookie_set(const struct services *services, struct request *req, struct response *out,
                enum cookie cookie, struct str value, int max_age_s);
/* "light" or "dark" as the switch in static/app.js wrote it; p NULL: as the system has it. */
struct str cookie_theme(const struct request *req);
/* Which columns of the log are shown otherwise than usual, as class names ("hide-key show-ttfb") that
 * static/log.js wrote; empty: as usual. */
struct str cookie_columns(const struct request *req);
