/* books.c: see books.h. */
#include "books.h"

#include "base/clock.h"
#include "base/log.h"

/* What the check of a minute's calls leaves to settling: of its time, and at least. */
#define STEP_RESTS 2
#define STEP_REST_MIN_MS 20

/* Reads the window's calls span by span, resting after each for longer than it took. */
static int check_calls(struct db *db, struct integrity_outcome *o,
                       bool (*rest)(void *ctx, int64_t until_ms), void *ctx)
{
    int r = 0;

    while (r == 0 && o->more) {
        int64_t began_ms = clock_mono_ms(), ended_ms;

        r = integrity_step(db, o);
        ended_ms = clock_mono_ms();
        if (r == 0 && o->more &&
            rest(ctx, ended_ms + STEP_REST_MIN_MS + STEP_RESTS * (ended_ms - began_ms)))
            break;
    }
    return r;
}

int books_check(struct db *db, enum integrity_form form,
                bool (*rest)(void *ctx, int64_t until_ms), void *ctx)
{
    struct integrity_outcome o = {0};
    int64_t began_ms = clock_mono_ms();
    int r = integrity_run(db, form, &o);

    if (r == 0)
        r = check_calls(db, &o, rest, ctx);
    if (o.ran && form == INTEGRITY_FULL)
        log_info("books_checked", "findings=%d new=%d ms=%lld", o.found, o.opened,
                 (long long)(clock_mono_ms() - began_ms));
    if (o.opened)
        log_error("books_do_not_agree", "form=%s new_findings=%d",
                  form == INTEGRITY_FULL ? "full" : "window", o.opened);
    return r;
}
