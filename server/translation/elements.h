/* elements.h: the elements of an array, one after the other, in bytes that json_scan has accepted:
 * for the few that are looked at more closely than a path of the scanner can. Any thread. */
#pragma once

#include "base/str.h"

/* raw: an array's bytes, or any other value, which stands for a list of itself. */
struct str elements_of(struct str raw);
/* Takes the next element off the front; false: there is none. */
bool element_next(struct str *rest, struct str *ret);
