/* base64.h: bytes as base64 with its padding (RFC 4648 4). Any thread. */
#pragma once

#include "base/buf.h"

void base64_put(struct buf *out, const void *p, size_t n);
/* Appends the bytes that text stands for. False: it is no base64; out has a part of it then. */
bool base64_read(struct str text, struct buf *out);
