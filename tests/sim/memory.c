/* memory.c: see memory.h. A region hands out blocks of powers of two from its front and keeps freed
 * ones by size; the head of a block says which it is. */
#include "memory.h"

#include <stdio.h>
#include <sys/mman.h>

/* A process of the simulator needs some 200 KiB, and 800 for a settle batch taken apart. */
#define REGION_BYTES ((size_t)16 << 20)
#define CLASS_MIN 5 /* 32 bytes, head included */
#define CLASSES 24
#define IN_USE 0x7573
/* What was freed reads as this, so that a use after free does not pass by chance. */
#define FREED 0xDF
#define FREED_BYTES 64

struct block {
    union {
        unsigned class; /* while it is in use */
        struct block *next;
    };
    size_t in_use; /* 0 or IN_USE; what follows is aligned to 16 */
};

struct region {
    size_t used, live;
    struct block *spare[CLASSES];
};

static struct region regions[MEMORY_REGIONS];
static char *base;
static int current = -1;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void __wrap_free(void *p);

_noreturn_ static void out_of_memory(void)
{
    fprintf(stderr, "sim: out of memory\n");
    exit(2);
}

int memory_enter(int region)
{
    int before = current;

    if (!base) {
        base = mmap(NULL, REGION_BYTES * MEMORY_REGIONS, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (base == MAP_FAILED)
            out_of_memory();
    }
    current = region;
    return before;
}

void memory_forget(int region)
{
    memset(&regions[region], 0, sizeof(regions[region]));
}

size_t memory_live(int region)
{
    return regions[region].live;
}

static unsigned class_of(size_t n)
{
    unsigned class = CLASS_MIN;

    while (((size_t)1 << class) < n + sizeof(struct block))
        class++;
    return class;
}

static void *take(int at, size_t n)
{
    struct region *r = &regions[at];
    unsigned class = class_of(n);
    struct block *b;

    if (class >= CLASSES)
        out_of_memory();
    b = r->spare[class];
    if (b) {
        r->spare[class] = b->next;
    } else {
        if (r->used + ((size_t)1 << class) > REGION_BYTES)
            out_of_memory();
        b = (struct block *)(base + (size_t)at * REGION_BYTES + r->used);
        r->used += (size_t)1 << class;
    }
    b->class = class;
    b->in_use = IN_USE;
    r->live++;
    return b + 1;
}

/* The region that p lies in; -1: none. */
static int region_of(const void *p)
{
    const char *at = p;

    if (!base || at < base || at >= base + REGION_BYTES * MEMORY_REGIONS)
        return -1;
    return (int)((size_t)(at - base) / REGION_BYTES);
}

void *__wrap_malloc(size_t n)
{
    return current < 0 ? __real_malloc(n) : take(current, n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    size_t bytes;
    void *p;

    if (current < 0)
        return __real_calloc(n, size);
    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    p = take(current, bytes);
    memset(p, 0, bytes);
    return p;
}

void *__wrap_realloc(void *p, size_t n)
{
    const struct block *b = p ? (struct block *)p - 1 : NULL;
    void *more;

    if (p ? region_of(p) < 0 : current < 0)
        return __real_realloc(p, n);
    if (b && ((size_t)1 << b->class) >= n + sizeof(*b))
        return p;
    more = take(b ? region_of(p) : current, n);
    if (b) {
        memcpy(more, p, ((size_t)1 << b->class) - sizeof(*b));
        __wrap_free(p);
    }
    return more;
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;

    return __builtin_mul_overflow(n, size, &bytes) ? NULL : __wrap_realloc(p, bytes);
}

void __wrap_free(void *p)
{
    int at = region_of(p);
    struct block *b = p ? (struct block *)p - 1 : NULL;
    struct block **spare;

    if (at < 0) {
        __real_free(p);
        return;
    }
    assert(b->in_use == IN_USE);
    b->in_use = 0;
    memset(p, FREED, MIN(((size_t)1 << b->class) - sizeof(*b), (size_t)FREED_BYTES));
    regions[at].live--;
    spare = &regions[at].spare[b->class];
    b->next = *spare;
    *spare = b;
}

void *keep_grow(void *p, size_t old_bytes, size_t new_bytes)
{
    char *more = __real_realloc(p, new_bytes);

    if (!more)
        out_of_memory();
    memset(more + old_bytes, 0, new_bytes - old_bytes);
    return more;
}

void keep_free(void *p)
{
    __real_free(p);
}
