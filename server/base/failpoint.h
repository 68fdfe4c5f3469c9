/* failpoint.h: named places where a test can make this process fail, stop or die.
 *
 * Armed by TOLLGATE_FAILPOINTS="name=action,name=action*N" (fire at the Nth passage only), or by a
 * file that TOLLGATE_FAILPOINTS_FILE names and that is read again whenever it has changed, so that a
 * running process can be armed and disarmed. In builds with -Dfailpoints=true; compiled to nothing
 * otherwise. A name stands at one place, and in the table of tests/fault/failpoints.mjs
 * (tests/lint/failpoints).
 *
 * Actions: error:ERRNO    the place fails with it
 *          short:BYTES    a place that writes writes only so much
 *          pause:MS       goes on later; pause alone: when the file arms it no more
 *          kill, abort    SIGKILL or SIGABRT itself */
#pragma once

#include "base/base.h"

#ifdef TOLLGATE_FAILPOINTS
int failpoint_hit(const char *name); /* 0, or the negative errno to fail with */
/* For a place that writes n bytes: how many it shall; an error is left for failpoint_hit. */
size_t failpoint_size(const char *name, size_t n);
#else
static inline int failpoint_hit(const char *name)
{
    (void)name;
    return 0;
}
static inline size_t failpoint_size(const char *name, size_t n)
{
    (void)name;
    return n;
}
#endif
