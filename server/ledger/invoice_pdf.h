/* invoice_pdf.h: an invoice drawn on A4, in any script. Long lane only: pango keeps caches that are
 * not meant for several threads. */
#pragma once

#include "base/buf.h"
#include "ledger/invoice.h"

/* Appends the PDF. The same invoice gives the same bytes. */
int invoice_pdf(const struct invoice *invoice, struct buf *out) _must_use_;
