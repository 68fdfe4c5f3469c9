/* request_edit.h: the changes that one target's request needs, gathered and then made on the
 * client's bytes.
 *
 * New members go to the front of the root object, which has at least one already. One owner. */
#pragma once

#include "translation/dialect.h"
#include "translation/edit.h"
#include "translation/fields.h"

struct request_edit {
    struct edit edit;
    struct buf front; /* `"name":value,` of each new member */
    struct buf model, digits;
    uint32_t root_open;
};

void request_edit_begin(struct request_edit *e, const struct wire_request *request,
                        const struct marks *marks);
/* The model's name where it is another than the client's; at: where it stands, n 0: nowhere. */
void request_edit_model(struct request_edit *e, struct json_span at, struct str was,
                        struct str model);
/* The number in the place of a null, or as a new member of the root. */
void request_edit_limit(struct request_edit *e, struct json_span at, const char *name,
                        uint64_t limit);
/* stream_options.include_usage, which makes a stream end with its usage, wherever the client left
 * room for it. Spans of both. */
void request_edit_ask_usage(struct request_edit *e, struct json_span options,
                            struct json_span include);
/* Takes the members out that are there. */
void request_edit_remove(struct request_edit *e, const struct marks *m, const size_t *which,
                         size_t n);
/* Appends the changed body to out, which is lent parts of the client's (buf_lend); a failure is out's. */
void request_edit_end(struct request_edit *e, struct buf *out);
