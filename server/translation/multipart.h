/* multipart.h: the parts of a form (RFC 7578, RFC 2046 5.1): spans into its bytes, nothing copied.
 *
 * Strict, because the provider reads the same bytes for itself and must not find another form in
 * them: nothing stands before the first boundary or behind the last, each part has one
 * Content-Disposition with a name and no transfer encoding, names have no escapes, and no name but
 * one that ends in [] stands twice. Any thread. */
#pragma once

#include "base/str.h"

/* An audio file, its dozen options, and many languages, keywords and images. */
#define MULTIPART_PARTS 64

struct part {
    struct str name, filename; /* filename.p NULL: it is no file */
    struct str value;
};

struct multipart {
    struct part part[MULTIPART_PARTS];
    size_t n;
};

enum { MULTIPART_OK = 0, MULTIPART_E_BAD = 1 };
/* content_type: of the request, which names the boundary. MULTIPART_E_BAD: *ret_reason says why. */
int multipart_read(struct str content_type, struct str body, struct multipart *ret,
                   const char **ret_reason) _must_use_;
/* Is it this type at all? */
bool multipart_is_form(struct str content_type);
