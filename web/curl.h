/* curl.h: an operation of the management API's document as a command that works as pasted. */
#pragma once

#include "json/value.h"

struct curl_wish {
    struct str base_url; /* of this installation, without a path */
    struct str method;   /* "GET" */
    struct str path;     /* "/api/v1/keys/{id}" */
    const struct json_object *shared;    /* the parameters of the path; NULL: none */
    const struct json_object *operation; /* its parameters, security and body */
};
/* In the shell's quotes: the example that the document gives of each parameter that has to be there, and
 * of the body; the key from $TOLLGATE_KEY, where one is asked for. p NULL: out of memory. */
struct str curl_text(struct arena *a, const struct curl_wish *wish) _must_use_;
