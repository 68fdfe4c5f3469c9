/* slurp.h: a whole file, for the commands that the golden cases are read and written by. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

/* In the arena; a file that cannot be read ends the program. */
static inline struct str slurp(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    struct str s = STR_NONE;
    char *p;
    long n;

    if (!f || fseek(f, 0, SEEK_END) || (n = ftell(f)) < 0 || fseek(f, 0, SEEK_SET)) {
        fprintf(stderr, "golden: cannot read %s\n", path);
        exit(2);
    }
    p = arena_alloc(a, (size_t)n + 1);
    if (p && fread(p, 1, (size_t)n, f) == (size_t)n)
        s = str_n(p, (size_t)n);
    fclose(f);
    return s;
}
