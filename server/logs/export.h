/* export.h: calls as CSV for their team, every field of record.def that is not the operator's by its name;
 * the same filter as the screen. Kept with invoices as it is (retention.h). */
#pragma once

#include "logs/search.h"

/* The header line, and one line per call. Money in dollars with all its decimals. */
void log_csv_head(struct buf *out);
void log_csv_row(struct buf *out, const struct log_row *row);
