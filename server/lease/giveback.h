/* giveback.h: slack on its way back to the database: what lay idle, and what another node asked
 * for.
 *
 * A return whose answer was lost is sent again under its number until it is known to have arrived,
 * so nothing stays leased that nobody has. On whoever runs the till. For this room only. */
#pragma once

#include "lease/till.h"

/* Gives back what cells marked `wanted` have. Ends with till_next(t). */
void giveback_begin(struct till *t);
/* Has the cell a return whose arrival is not known? */
bool giveback_pending(const struct cell *c);
