/* gate.h: the framing rules that libmicrohttpd 0.9.75 does not keep (reliability 2.1, H1 to H10).
 *
 * Run on each request's head before anything else looks at it. What it refuses is answered with
 * `Connection: close`, so that no byte behind it is read as another request. Pure. What it cannot
 * see: a NUL cuts a line before it gets here, and bare LF and chunk extensions are read as usual.
 */
#pragma once

#include "http/problem.h"
#include "http/request.h"

struct gate_header {
    struct str name, value;
};

struct gate_head {
    struct str method, target, version; /* of the request line */
    const struct gate_header *headers;
    size_t header_count;
};

struct gate_body {
    enum { GATE_NO_BODY, GATE_SIZED, GATE_CHUNKED } kind;
    uint64_t length; /* GATE_SIZED */
    bool expects_continue;
};

/* PROBLEM_NONE: well-framed; *ret_method and *ret_body are set. Else the problem to answer with,
 * and *ret_reason says which rule. */
enum problem_code gate_check(const struct gate_head *head, enum http_method *ret_method,
                             struct gate_body *ret_body, const char **ret_reason);
