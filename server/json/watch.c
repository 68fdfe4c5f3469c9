/* watch.c: see watch.h. */
#include "json/watch.h"

#include <stdatomic.h>

#include "base/err.h"

enum {
    TREES = 256, /* the program has some sixty sets of paths */
    PROBES = 16,
};

/* Never freed: they are the program's constants in another form. */
static _Atomic(const struct watch_tree *) trees[TREES];

/* The linker's: what lies between is the program's own, for as long as it runs. */
extern const char __executable_start[], end[];

static bool is_constant(const char *path)
{
    return path >= __executable_start && path < end;
}

/* --- making a tree --- */

static uint16_t add_node(struct watch_tree *t, struct str key)
{
    assert(t->n_nodes < WATCH_NODES_MAX);
    t->nodes[t->n_nodes] = (struct watch_node){
        .key = key.p, .key_n = (uint8_t)key.n, .words = key_words(key)};
    return (uint16_t)t->n_nodes++;
}

static uint16_t element_of(struct watch_tree *t, struct watch_node *array)
{
    if (!array->element)
        array->element = add_node(t, STR_NONE);
    return array->element;
}

static uint16_t member_of(struct watch_tree *t, struct watch_node *object, struct str key)
{
    uint16_t *link = &object->first[key.n % WATCH_LENGTHS];

    for (; *link; link = &t->nodes[*link].next)
        if (str_eq(str_n(t->nodes[*link].key, t->nodes[*link].key_n), key))
            return *link;
    return *link = add_node(t, key);
}

static void add_path(struct watch_tree *t, const char *path, unsigned w)
{
    uint16_t at = WATCH_ROOT;
    const char *p = path;

    for (unsigned steps = 0; *p; steps++) {
        bool is_element = *p == '[';
        size_t n = is_element ? strlen("[]") : strcspn(p, ".[");

        assert(steps < BOUND_JSON_WATCH_STEPS);
        assert(n > 0 && n <= UINT8_MAX);
        at = is_element ? element_of(t, &t->nodes[at]) : member_of(t, &t->nodes[at], str_n(p, n));
        p += n;
        p += *p == '.';
    }
    assert(at != WATCH_ROOT);
    t->nodes[at].here |= (uint32_t)1 << w;
}

static void make(struct watch_tree *t, const struct json_watch *watches, size_t n)
{
    t->n_paths = n;
    t->n_nodes = 0;
    (void)add_node(t, STR_NONE); /* nowhere */
    (void)add_node(t, STR_NONE); /* the root */
    for (unsigned w = 0; w < n; w++) {
        t->paths[w] = watches[w].path;
        add_path(t, watches[w].path, w);
    }
}

/* --- finding it again --- */

static size_t place_of(const struct json_watch *watches, size_t n)
{
    uint64_t h = n;

    if (n)
        h += (uintptr_t)watches[0].path * 3 + (uintptr_t)watches[n - 1].path;
    return (size_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> 32) % TREES;
}

static struct watch_tree *copy_of(const struct watch_tree *t)
{
    size_t bytes = sizeof(*t) + t->n_nodes * sizeof(t->nodes[0]);
    struct watch_tree *copy = malloc(bytes);

    return copy ? memcpy(copy, t, bytes) : NULL;
}

/* Puts it where it is found the next time, unless another thread was first there. */
static void keep(const struct watch_tree *own, size_t place)
{
    const struct watch_tree *none = NULL;
    struct watch_tree *copy;

    for (size_t w = 0; w < own->n_paths; w++)
        if (!is_constant(own->paths[w]))
            return;
    copy = copy_of(own);
    if (copy && !atomic_compare_exchange_strong_explicit(&trees[place], &none, copy,
                                                         memory_order_release, memory_order_relaxed))
        free(copy);
}

/* Resets the watches as far as they are those of the tree; false: one is not. */
static bool take(const struct watch_tree *t, struct json_watch *watches, size_t n)
{
    if (t->n_paths != n)
        return false;
    for (size_t w = 0; w < n; w++) {
        if (t->paths[w] != watches[w].path)
            return false;
        watches[w] = (struct json_watch){.path = watches[w].path};
    }
    return true;
}

const struct watch_tree *watch_begin(struct json_watch *watches, size_t n)
{
    size_t place = place_of(watches, n);

    assert(n <= BOUND_JSON_WATCHES);
    for (size_t i = 0; i < PROBES; i++, place = (place + 1) % TREES) {
        const struct watch_tree *t = atomic_load_explicit(&trees[place], memory_order_acquire);

        if (!t)
            break;
        if (take(t, watches, n))
            return t;
    }
    for (size_t w = 0; w < n; w++)
        watches[w] = (struct json_watch){.path = watches[w].path};
    return NULL;
}

void watch_make(struct watch_tree *own, const struct json_watch *watches, size_t n)
{
    size_t place = place_of(watches, n);

    make(own, watches, n);
    for (size_t i = 0; i < PROBES; i++, place = (place + 1) % TREES)
        if (!atomic_load_explicit(&trees[place], memory_order_acquire)) {
            keep(own, place);
            return;
        }
}
