/* map.h: bounded hash table from byte strings to pointers, least recently used goes first.
 *
 * Keys are copied. One owner thread. drop and the fn of map_filter must not change the map. */
#pragma once

#include "base/str.h"

struct map;

/* max_entries > 0: above it the least recently used entry is evicted through drop; 0: unbounded.
 * drop (may be NULL) is called with each value that leaves, also on map_free. */
struct map *map_new(size_t max_entries, void (*drop)(void *value)) _must_use_;
void map_free(struct map *m);
void *map_get(struct map *m, struct str key); /* marks as used; NULL if absent */
int map_put(struct map *m, struct str key, void *value) _must_use_; /* replaces, dropping the old */
void map_del(struct map *m, struct str key);
void map_drop_oldest(struct map *m); /* the least recently used; nothing where it is empty */
void map_clear(struct map *m);
size_t map_size(const struct map *m);
/* Visits every entry; fn returning false drops the entry. */
void map_filter(struct map *m, bool (*fn)(struct str key, void *value, void *ctx), void *ctx);
