/* csv.h: one CSV row at a time into a buf (RFC 4180, CR LF), safe to open in a spreadsheet.
 *
 * Text that a spreadsheet would take for a formula (= + - @ TAB CR, also behind spaces or in
 * full-width form) gets a leading apostrophe; figures are written bare. */
#pragma once

#include "base/buf.h"
#include "base/money.h"

void csv_text(struct buf *out, struct str s); /* p NULL: an empty field */
void csv_i64(struct buf *out, int64_t v);
void csv_money(struct buf *out, struct money m); /* decimal, full precision */
void csv_time(struct buf *out, int64_t unix_us); /* RFC 3339 UTC; 0: an empty field */
/* Ends the row: the comma behind the last field becomes the line end. */
void csv_end(struct buf *out);
