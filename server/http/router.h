/* router.h: the shape of a row of routes.c, and finding the row for a request. */
#pragma once

#include "http/request.h"

struct web;   /* web/web.h */
struct admin; /* admin/admin.h */

enum route_auth {
    AUTH_NONE,    /* anyone */
    AUTH_KEY,     /* virtual key, checked by the gateway */
    AUTH_MANAGE,  /* management key, checked by admin */
    AUTH_ANY_KEY, /* virtual or management key, checked by admin */
    AUTH_USER,    /* signed in */
    AUTH_VIEWER,  /* member of the team in the session, at least this role... */
    AUTH_DEVELOPER,
    AUTH_BILLING,
    AUTH_ADMIN,
    AUTH_OWNER,
    AUTH_OPERATOR, /* installation operator */
};

enum route_runs { RUNS_ON_LOOP, RUNS_ON_PAGES, RUNS_ON_PASSWORDS, RUNS_ON_LONG, RUNS_ON_WAITING };

struct route {
    enum http_method method; /* HEAD is answered by GET's row */
    const char *path;        /* "/keys/{id}/rotate" */
    enum route_auth auth;
    size_t body_max;
    enum route_runs runs;
    enum problem_format problems;
    void (*on_loop)(struct request *); /* RUNS_ON_LOOP */
    const void *what;                  /* the handler's own, where it serves several rows */
    int (*page)(struct web *);         /* a dashboard page, on a worker */
    int (*manage)(struct admin *);     /* a management API call, on a worker */
};

/* routes is a static table of n rows; a malformed or doubled row asserts. In a path, {name} stands
 * for one non-empty part of a segment ("/models/{model}:embed" is allowed), and a last segment
 * {name*} for one or more whole segments. A path without parameters wins over one with. */
enum { ROUTER_OK = 0, ROUTER_E_NONE = 1, ROUTER_E_METHOD = 2 };
struct router;
int router_new(const struct route *routes, size_t n, struct router **ret) _must_use_;
void router_free(struct router *r);
/* Matches the raw path. Parameters are raw slices of it; absent ones have p == NULL.
 * ROUTER_E_METHOD: the path exists, *ret_allow lists its methods ("GET, HEAD") and *ret is one of
 * its rows, for the format of the problem. */
int router_find(const struct router *r, enum http_method method, struct str path,
                const struct route **ret, struct str params[4], const char **ret_allow);
const char *http_method_name(enum http_method method);
