/* openai.h: the demo upstream served for a test, and a client's view of its answers. */
#pragma once

#include "http/talk.h"

#include "demo/upstream.h"
#include "json/scan.h"

static struct served server;

static inline int demo_start(void **state)
{
    served_init(&server);
    served_start(&server, demo_routes, demo_route_count);
    return 0;
}

static inline int demo_stop(void **state)
{
    served_stop(&server);
    return 0;
}

/* The whole answer to a POST, head included; header may be "". */
static inline char *post(const char *path, const char *header, const char *body)
{
    char *request, *answer;

    assert_true(asprintf(&request,
                         "POST %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s"
                         "Content-Length: %zu\r\n\r\n%s",
                         path, header, strlen(body), body) > 0);
    answer = ask(&server, request);
    free(request);
    return answer;
}

static inline struct str body_of(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");

    assert_non_null(end);
    return str_c(end + 4);
}

static inline struct json_object *tree_of(struct str json)
{
    struct json_object *tree = NULL;
    struct json_fault fault;

    if (json_check(json, &fault) != JSON_OK || json_parse(json, &tree, &fault) != JSON_OK)
        fail_msg("%s in %.*s", fault.reason, STR_FMT(json));
    return tree;
}

static inline int64_t usage_of(struct json_object *tree, const char *field)
{
    return json_i64(json_get(json_get(tree, "usage"), field));
}
