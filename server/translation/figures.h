/* figures.h: counts in the usage objects of providers. A figure that is no count (negative, a
 * fraction, beyond BOUND_USAGE_QUANTITY) is as good as none. */
#pragma once

#include "json/scan.h"

enum figure { FIGURE_ABSENT, FIGURE_BROKEN, FIGURE_GOOD };
/* BROKEN: there is something, but it is no count. *ret is set where it is GOOD. */
enum figure figure_read(struct str doc, const struct json_watch *w, int64_t *ret);
/* A quantity that may have a fraction (or stand in quotes), a part counted as a whole one: seconds
 * of sound. False: it is none, or out of bounds. */
bool figure_round_up(struct str number, int64_t *ret);
/* Takes a part off the whole, never more than there is. */
int64_t figure_part(int64_t *whole, int64_t wanted);
