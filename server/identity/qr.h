/* qr.h: a QR code as the d of an SVG path, so that the page draws it and no picture is loaded. Sole home of
 * libqrencode. */
#pragma once

#include "base/arena.h"

struct qr {
    struct str path; /* of its dark squares, each 1 by 1, from 0 0 */
    int32_t side;    /* squares in a row; a margin of 4 belongs around it */
};
/* *ret lives in the arena. QR_E_LONG: text is more than a code holds. */
enum { QR_OK = 0, QR_E_LONG = 1 };
int qr_make(struct arena *a, struct str text, struct qr *ret) _must_use_;
