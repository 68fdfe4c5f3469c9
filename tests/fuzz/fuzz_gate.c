/* A request's head: what the gate lets through is framed in exactly one way. */
#include "fuzz.h"

#include "http/gate.h"

#define HEADERS 70

static bool named(struct str name, const char *z)
{
    return str_ieq(name, str_c(z));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, line;
    struct gate_header headers[HEADERS];
    struct gate_head head = {.headers = headers};
    size_t lengths = 0, codings = 0, hosts = 0;
    struct gate_body body;
    enum http_method method;
    const char *reason = NULL;

    str_split(&rest, '\n', &line);
    str_split(&line, ' ', &head.method);
    str_split(&line, ' ', &head.target);
    head.version = line;
    while (head.header_count < HEADERS && str_split(&rest, '\n', &line)) {
        struct gate_header *h = &headers[head.header_count++];

        str_split(&line, ':', &h->name);
        h->value = line.p ? line : STR("");
    }
    if (gate_check(&head, &method, &body, &reason) != PROBLEM_NONE) {
        HOLDS(reason);
        return 0;
    }
    for (size_t i = 0; i < head.header_count; i++) {
        lengths += named(headers[i].name, "content-length");
        codings += named(headers[i].name, "transfer-encoding");
        hosts += named(headers[i].name, "host");
        HOLDS(str_find(headers[i].name, ' ') < 0 && str_find(headers[i].value, '\r') < 0);
    }
    HOLDS(lengths + codings <= 1);
    HOLDS(hosts <= 1);
    HOLDS((body.kind == GATE_CHUNKED) == (codings == 1));
    HOLDS(head.target.n && head.target.p[0] == '/');
    return 0;
}
