/* failpoint.h: named places where a test can make this process fail, stop or die.
 *
 * Armed by TOLLGATE_FAILPOINTS="name=action,name=action*N" (fire at the Nth passage) in builds with
 * -Dfailpoints=true; compiled to nothing otherwise. Actions: kill (SIGKILL itself), error:ERRNO,
 * pause:MS, abort. */
#pragma once

#include "base/base.h"

#ifdef TOLLGATE_FAILPOINTS
int failpoint_hit(const char *name); /* 0, or the negative errno to fail with */
#else
static inline int failpoint_hit(const char *name)
{
    (void)name;
    return 0;
}
#endif
