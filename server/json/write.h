/* write.h: JSON written straight into a buf, commas and escapes kept right. No allocation. */
#pragma once

#include "base/buf.h"
#include "base/money.h"

struct json_writer {
    struct buf *out;
    bool comma_; /* what comes next stands behind another value */
    unsigned depth_;
};

void json_begin(struct json_writer *w, struct buf *out);
void json_open_object(struct json_writer *w);
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w);
void json_close_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_key_str(struct json_writer *w, struct str key);
void json_str(struct json_writer *w, struct str s); /* invalid UTF-8 becomes U+FFFD */
void json_cstr(struct json_writer *w, const char *z); /* NULL: null */
void json_int(struct json_writer *w, int64_t v);
void json_bool(struct json_writer *w, bool v);
void json_null(struct json_writer *w);
void json_money(struct json_writer *w, struct money m);        /* "0.000001" string */
void json_money_number(struct json_writer *w, struct money m); /* 0.000001 number */
void json_raw(struct json_writer *w, struct str s);            /* already JSON */
/* Only the escaped characters of s, without quotes. */
void json_escape(struct buf *out, struct str s);
