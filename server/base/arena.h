/* arena.h: memory that dies together.
 *
 * One arena per request or call. Blocks are zeroed. Freed whole; arena_defer ties anything else
 * (descriptors, references) to the same end, run newest first. Not thread-safe: one owner at a
 * time, hand-over between loop and worker is fine. */
#pragma once

#include "base/str.h"

struct arena;

/* max_bytes: hard ceiling of everything ever allocated from it. NULL when memory is out. */
struct arena *arena_new(size_t max_bytes) _must_use_;
/* The same for something short-lived that is known to need some ARENA_LARGE_BYTES: it begins with as
 * much. */
#define ARENA_LARGE_BYTES ((size_t)10240 - 32) /* with its head it is a size that allocators have */
struct arena *arena_new_large(size_t max_bytes) _must_use_;
/* From now on this thread keeps the first chunks of large arenas for those that come; until it is called
 * with false. Returns whether it does: not under the address sanitizer, which is to see each end. */
bool arena_keep_chunks(bool keep);
void arena_free(struct arena *a); /* NULL is fine; runs the defers first */
void arena_freep(struct arena **a);

/* NULL when the ceiling or the machine's memory is reached; callers forward -ENOMEM. */
void *arena_alloc(struct arena *a, size_t bytes) _must_use_;
/* The same, of which only so many bytes are zeroed: for what ends in room that mostly stays unused. */
void *arena_alloc_part(struct arena *a, size_t bytes, size_t zeroed) _must_use_;
#define arena_new0(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc_n((a), sizeof(type), (n)))
void *arena_alloc_n(struct arena *a, size_t size, size_t n) _must_use_; /* checked product */

/* Copies are NUL-terminated behind their n bytes; on failure p is NULL. */
struct str arena_str(struct arena *a, struct str s) _must_use_;
struct str arena_strf(struct arena *a, const char *fmt, ...) _printf_(2, 3) _must_use_;
/* The number in decimal with a unit behind it, "" for none. */
struct str arena_i64(struct arena *a, int64_t v, const char *unit) _must_use_;
const char *arena_cstr(struct arena *a, struct str s) _must_use_;

int arena_defer(struct arena *a, void (*fn)(void *), void *arg) _must_use_;
size_t arena_used(const struct arena *a);
