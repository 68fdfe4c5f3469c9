/* edit.h: a list of changes to the members of one JSON document, made on its bytes.
 *
 * The document has been accepted by json_scan and the spans come from it. Changes must not overlap;
 * texts live until edit_apply. Members may be removed as long as one of their object stays. */
#pragma once

#include "json/scan.h"

#define EDIT_CHANGES 12

struct edit {
    struct str doc;
    struct json_splice change[EDIT_CHANGES];
    bool removes[EDIT_CHANGES]; /* the change takes a whole member out */
    size_t n;
};

void edit_begin(struct edit *e, struct str doc);
void edit_replace(struct edit *e, struct json_span value, struct str text);
/* Another name for the member that has this value; without quotes. */
void edit_rename(struct edit *e, struct json_span value, const char *name);
void edit_remove(struct edit *e, struct json_span value);
/* Text at an offset. */
void edit_insert(struct edit *e, uint32_t at, struct str text);
/* Appends the changed document to out, which is lent its parts (buf_lend). */
void edit_apply(struct edit *e, struct buf *out);
