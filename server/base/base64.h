/* base64.h: bytes as base64 (RFC 4648 4), and as its form for URLs, without padding (RFC 4648 5, RFC 7515 2).
 * Any thread. */
#pragma once

#include "base/buf.h"

void base64_put(struct buf *out, const void *p, size_t n);
/* Appends the bytes that text stands for. False: it is no base64; out has a part of it then. */
bool base64_read(struct str text, struct buf *out);

void base64url_put(struct buf *out, const void *p, size_t n);
/* The same of text that is base64url, in which padding has no place. */
bool base64url_read(struct str text, struct buf *out);
