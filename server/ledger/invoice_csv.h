/* invoice_csv.h: an invoice as rows, every amount at full precision. */
#pragma once

#include "base/buf.h"
#include "ledger/invoice.h"

/* Appends one row per line, between an opening and a closing row. */
void invoice_csv(const struct invoice *invoice, struct buf *out);
