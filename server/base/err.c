/* err.c: see err.h. The failed assertion lives here too, because it is the last thing said. */
#include "base/err.h"

#include <errno.h>

#include "base/log.h"

static const char *errno_name(int r)
{
    const char *name = strerrorname_np(r < 0 ? -r : r);

    return name ? name : "?";
}

int err_origin_at(int r, const char *file, int line, const char *func)
{
    int saved = errno;

    assert(r < 0);
    log_error("fatal", "error=%s at=%s:%d in=%s", errno_name(r), file, line, func);
    errno = saved;
    return r;
}

int err_trace_at(int r, const char *file, int line, const char *func)
{
    int saved = errno;

    assert(r < 0);
    if (log_enabled(LOG_DEBUG))
        log_debug("trace", "error=%s at=%s:%d in=%s", errno_name(r), file, line, func);
    errno = saved;
    return r;
}

void base_assert_fail(const char *expr, const char *file, int line)
{
    log_error("assertion_failed", "at=%s:%d expr=%s", file, line, log_str(str_c(expr)));
    abort();
}
