/* watch.h: which watched paths a value lies on. Only this room includes it.
 *
 * A path has as many steps as its value is levels deep, so a mask with one bit per watch, carried
 * on the nesting stack, is all the state there is. */
#pragma once

#include "base/bounds.h"
#include "json/scan.h"

/* Of one value: the watches whose path goes on inside it, and those whose path ends at it. */
struct watch_masks {
    uint32_t inside, here;
};

struct watch_set {
    struct json_watch *v;
    size_t n;
    /* Where each step stands in its path; n == 0: not looked up yet. */
    struct {
        uint8_t at, n;
    } steps[BOUND_JSON_WATCHES][BOUND_JSON_WATCH_STEPS];
};

/* Resets the results; the masks are those of the root. */
void watch_begin(struct watch_set *set, struct json_watch *watches, size_t n,
                 struct watch_masks *ret);
/* Bit n is set when a watch of the mask names a member whose key has n modulo 64 bytes. */
uint64_t watch_key_lengths(const struct watch_set *set, uint32_t inside, unsigned level);
/* The masks of a member, or of every element, of the container at this level (root: 0). */
void watch_member(struct watch_set *set, uint32_t inside, unsigned level, struct str key,
                  struct watch_masks *ret);
void watch_element(struct watch_set *set, uint32_t inside, unsigned level,
                   struct watch_masks *ret);
/* The value has been read. */
void watch_note(struct watch_set *set, uint32_t here, uint32_t at, uint32_t n, uint8_t kind);
