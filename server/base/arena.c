/* arena.c: see arena.h. A chain of chunks, newest first; small blocks are cut from the newest, a
 * block too large for it gets a chunk of its own behind it, so that room already there is kept. */
#include "base/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"

enum {
    CHUNK_FIRST_BYTES = 4096 - 64, /* with malloc's own head it stays within a page */
    CHUNK_LARGEST_BYTES = 65536,
    CHUNKS_KEPT = 1024, /* of a thread, 12 MiB: as many calls as a busy loop has at work */
    BLOCK_ALIGN = 16,
};

struct chunk {
    struct chunk *older;
    size_t used, size;
    _Alignas(BLOCK_ALIGN) char bytes[];
};

struct deferred {
    struct deferred *older;
    void (*fn)(void *);
    void *arg;
};

struct arena {
    struct chunk *newest;
    struct deferred *defers;
    size_t used_bytes, max_bytes, next_chunk_bytes;
};

/* There when the program was built with the address sanitizer. */
extern __attribute__((weak)) void __asan_init(void);

static _Thread_local struct {
    bool on;
    unsigned n;
    struct chunk *first;
} kept;

bool arena_keep_chunks(bool keep)
{
    kept.on = keep && !__asan_init;
    while (!keep && kept.first) {
        struct chunk *c = kept.first;

        kept.first = c->older;
        free(c);
    }
    if (!keep)
        kept.n = 0;
    return kept.on;
}

static struct arena *make(size_t max_bytes, size_t first_bytes)
{
    struct arena *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    a->max_bytes = max_bytes;
    a->next_chunk_bytes = first_bytes;
    return a;
}

struct arena *arena_new(size_t max_bytes)
{
    return make(max_bytes, CHUNK_FIRST_BYTES);
}

struct arena *arena_new_large(size_t max_bytes)
{
    return make(max_bytes, ARENA_LARGE_BYTES);
}

static void chunk_free(struct chunk *c)
{
    if (!kept.on || c->size != ARENA_LARGE_BYTES || kept.n == CHUNKS_KEPT) {
        free(c);
        return;
    }
    c->older = kept.first;
    kept.first = c;
    kept.n++;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    while (a->defers) {
        struct deferred *d = a->defers;

        a->defers = d->older;
        d->fn(d->arg); /* may defer again, or allocate */
    }
    while (a->newest) {
        struct chunk *c = a->newest;

        a->newest = c->older;
        chunk_free(c);
    }
    free(a);
}

void arena_freep(struct arena **a)
{
    arena_free(*a);
    *a = NULL;
}

/* Not zeroed: blocks are, as they are taken. */
static struct chunk *chunk_new(size_t bytes)
{
    struct chunk *c = bytes == ARENA_LARGE_BYTES ? kept.first : NULL;

    if (c) {
        kept.first = c->older;
        kept.n--;
    } else {
        c = malloc(sizeof(*c) + bytes);
    }
    if (!c)
        return NULL;
    c->older = NULL;
    c->used = 0;
    c->size = bytes;
    return c;
}

static void *chunk_take(struct chunk *c, size_t bytes, size_t zeroed)
{
    void *p = c->bytes + c->used;

    c->used += bytes;
    return memset(p, 0, zeroed);
}

/* A chunk with room for `bytes` (rounded already), linked where it belongs. */
static struct chunk *arena_grow(struct arena *a, size_t bytes)
{
    bool own = bytes > a->next_chunk_bytes / 2 && (a->newest || bytes > a->next_chunk_bytes);
    struct chunk *c = chunk_new(own ? bytes : a->next_chunk_bytes);

    if (!c)
        return NULL;
    if (own && a->newest) {
        c->older = a->newest->older;
        a->newest->older = c;
        return c;
    }
    c->older = a->newest;
    a->newest = c;
    if (!own)
        a->next_chunk_bytes = MIN(a->next_chunk_bytes * 2, (size_t)CHUNK_LARGEST_BYTES);
    return c;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    return arena_alloc_part(a, bytes, bytes);
}

void *arena_alloc_part(struct arena *a, size_t bytes, size_t zeroed)
{
    size_t rounded;
    struct chunk *c = a->newest;

    assert(zeroed <= bytes);
    if (bytes > a->max_bytes - a->used_bytes)
        return NULL;
    rounded = (MAX(bytes, (size_t)1) + BLOCK_ALIGN - 1) & ~(size_t)(BLOCK_ALIGN - 1);
    if (rounded > a->max_bytes - a->used_bytes)
        return NULL;
    if (!c || c->size - c->used < rounded)
        c = arena_grow(a, rounded);
    if (!c)
        return NULL;
    a->used_bytes += rounded;
    return chunk_take(c, rounded, zeroed);
}

void *arena_alloc_n(struct arena *a, size_t size, size_t n)
{
    size_t bytes;

    if (__builtin_mul_overflow(size, n, &bytes))
        return NULL;
    return arena_alloc(a, bytes);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = s.n < SIZE_MAX ? arena_alloc_part(a, s.n + 1, 0) : NULL;

    if (!p)
        return STR_NONE;
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return str_n(p, s.n);
}

struct str arena_strf(struct arena *a, const char *fmt, ...)
{
    va_list args;
    char *p;
    int n;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        return STR_NONE;
    p = arena_alloc(a, (size_t)n + 1);
    if (!p)
        return STR_NONE;
    va_start(args, fmt);
    (void)vsnprintf(p, (size_t)n + 1, fmt, args);
    va_end(args);
    return str_n(p, (size_t)n);
}

struct str arena_i64(struct arena *a, int64_t v, const char *unit)
{
    char text[20 + 20 + 1], *start = text + 20; /* digits are written backwards */
    uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    size_t unit_n = MIN(strlen(unit), (size_t)20);

    memcpy(start, unit, unit_n);
    do {
        *--start = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (v < 0)
        *--start = '-';
    return arena_str(a, str_n(start, (size_t)(text + 20 + unit_n - start)));
}

const char *arena_cstr(struct arena *a, struct str s)
{
    return arena_str(a, s).p;
}

int arena_defer(struct arena *a, void (*fn)(void *), void *arg)
{
    struct deferred *d = arena_new0(a, struct deferred);

    if (!d)
        return err_origin(-ENOMEM);
    d->fn = fn;
    d->arg = arg;
    d->older = a->defers;
    a->defers = d;
    return 0;
}

size_t arena_used(const struct arena *a)
{
    return a->used_bytes;
}
