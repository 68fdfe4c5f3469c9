/* fuzz.h: what every fuzz target is: one function over any bytes. libFuzzer calls it; a broken
 * property is an abort like a broken memory rule. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);    \
            abort();                                                           \
        }                                                                      \
    } while (0)

/* Takes up to n bytes off the front of the input. */
static inline struct str fuzz_take(struct str *in, size_t n)
{
    struct str part = {in->p, n < in->n ? n : in->n};

    in->p += part.n;
    in->n -= part.n;
    return part;
}

/* Takes one byte; 0 when there is none. */
static inline unsigned fuzz_byte(struct str *in)
{
    struct str b = fuzz_take(in, 1);

    return b.n ? (unsigned char)b.p[0] : 0;
}

/* A part of the input in memory of its own, so that the sanitizer sees a read past its end. */
static inline char *fuzz_copy(struct str s)
{
    char *copy = malloc(s.n ? s.n : 1);

    HOLDS(copy);
    memcpy(copy, s.p, s.n);
    return copy;
}
