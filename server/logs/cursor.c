/* cursor.c: a place in the log as text: the moment in microseconds, the call's id, the step. */
#include "logs/search.h"

#include <inttypes.h>
#include <stdio.h>

void log_cursor_text(struct log_cursor c, char out[LOG_CURSOR_TEXT])
{
    char id[CALL_ID_TEXT];

    call_id_text(c.id, id);
    (void)snprintf(out, LOG_CURSOR_TEXT, "%" PRId64 ".%s.%" PRId64, c.posted_us, id, c.step);
}

bool log_cursor_parse(struct str text, struct log_cursor *ret)
{
    struct str step = text, moment, id;
    struct log_cursor c;

    if (!str_split(&step, '.', &moment) || !str_split(&step, '.', &id))
        return false;
    if (str_i64(moment, &c.posted_us) != STR_OK || c.posted_us <= 0 || c.posted_us > LOG_LAST_US)
        return false;
    if (!call_id_parse(id, &c.id) || str_i64(step, &c.step) != STR_OK || c.step < 0)
        return false;
    *ret = c;
    return true;
}
