/* export.h: calls as CSV, every field of record.def by its name; the same filter as the screen. */
#pragma once

#include "logs/search.h"

/* The header line, and one line per call. Money in dollars with all its decimals. */
void log_csv_head(struct buf *out);
void log_csv_row(struct buf *out, const struct log_row *row);
