/* cookie.c: see cookie.h. */
#include "web/cookie.h"

/* All columns hidden, and some to spare. */
#define COLUMNS_MAX 200

static const char *cookie_name(const struct services *services, enum cookie cookie)
{
    static const char *const names[][2] = {
        [COOKIE_SESSION] = {"tollgate_session", "__Host-tollgate_session"},
        [COOKIE_FLASH] = {"tollgate_flash", "__Host-tollgate_flash"},
        [COOKIE_PROVIDER] = {"tollgate_provider", "__Host-tollgate_provider"},
    };

    return names[cookie][services->public_https];
}

struct str cookie_get(const struct services *services, const struct request *req,
                      enum cookie cookie)
{
    struct str value = request_cookie(req, cookie_name(services, cookie));

    return value.n ? value : STR_NONE;
}

void cookie_set(const struct services *services, struct request *req, struct response *out,
                enum cookie cookie, struct str value, int max_age_s)
{
    struct str age = STR("");

    if (!value.n)
        age = STR("; Max-Age=0");
    else if (max_age_s)
        age = arena_strf(req->arena, "; Max-Age=%d", max_age_s);
    response_header(out, "set-cookie",
                    arena_strf(req->arena, "%s=%.*s; Path=/; HttpOnly; SameSite=Lax%.*s%s",
                               cookie_name(services, cookie), STR_FMT(value), STR_FMT(age),
                               services->public_https ? "; Secure" : ""));
}

struct str cookie_theme(const struct request *req)
{
    struct str theme = request_cookie(req, "tollgate_theme");

    return str_eq_c(theme, "light") || str_eq_c(theme, "dark") ? theme : STR_NONE;
}

/* Names of classes, parted by dots: semicolons and spaces have no place in a cookie. */
struct str cookie_columns(const struct request *req)
{
    struct str cookie = request_cookie(req, "tollgate_columns"), copy;
    char classes[COLUMNS_MAX];

    if (cookie.n > sizeof(classes))
        return STR("");
    for (size_t i = 0; i < cookie.n; i++) {
        char c = cookie.p[i];

        if ((c < 'a' || c > 'z') && c != '-' && c != '.')
            return STR("");
        classes[i] = (char)(c == '.' ? ' ' : c);
    }
    copy = arena_str(req->arena, str_n(classes, cookie.n));
    return copy.p ? copy : STR("");
}
