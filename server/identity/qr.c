/* qr.c: see qr.h. */
#include "identity/qr.h"

#include <errno.h>
#include <qrencode.h>

#include "base/bounds.h"
#include "base/buf.h"
#include "base/err.h"

#define PATH_BYTES KIB(256) /* of the largest code, were every second square dark */

static bool is_dark(const QRcode *code, int x, int y)
{
    return x < code->width && code->data[y * code->width + x] & 1;
}

/* Squares side by side are one piece: a quarter of the length. */
static void put_rows(const QRcode *code, struct buf *out)
{
    for (int y = 0; y < code->width; y++) {
        for (int x = 0, end; x < code->width; x = end + 1) {
            for (end = x; is_dark(code, end, y);)
                end++;
            if (end > x)
                buf_printf(out, "M%d %dh%dv1H%dz", x, y, end - x, x);
        }
    }
}

int qr_make(struct arena *a, struct str text, struct qr *ret)
{
    const char *copy = arena_cstr(a, text);
    struct buf path;
    struct qr qr;
    QRcode *code;
    int r;

    if (!copy)
        return err_origin(-ENOMEM);
    code = QRcode_encodeString8bit(copy, 0, QR_ECLEVEL_M);
    if (!code)
        return errno == ERANGE ? QR_E_LONG : err_origin(-ENOMEM);
    buf_init(&path, PATH_BYTES);
    put_rows(code, &path);
    qr = (struct qr){arena_str(a, buf_str(&path)), code->width};
    r = buf_finish(&path);
    buf_done(&path);
    QRcode_free(code);
    if (r || !qr.path.p)
        return err_origin(r ? r : -ENOMEM);
    *ret = qr;
    return 0;
}
