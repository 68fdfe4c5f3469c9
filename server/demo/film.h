/* film.h: a small film: an MP4 that players show, a picture a second that changes its colour. Pure.
 *
 * Sources: ISO/IEC 14496-12 (boxes), 14496-15 5.3 (`avc1`, `avcC`), ITU-T H.264 7.3 (a baseline stream of IDR
 * pictures whose macroblocks are samples as they are, I_PCM). */
#pragma once

#include "base/buf.h"

enum { FILM_EDGE = 32, FILM_SECONDS_MAX = 60 }; /* pixels */

/* Appends a film of so many seconds, some 1.5 KB each. */
void film_put(unsigned seconds, struct buf *out);
