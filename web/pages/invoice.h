/* invoice.h: a monthly invoice as page, PDF and CSV; the running month as a preview. */
#pragma once

#include "ledger/invoice.h"
#include "web/web.h"

int page_invoice(struct web *w) _must_use_;     /* GET /billing/invoices/{id} */
int page_invoice_pdf(struct web *w) _must_use_; /* GET /billing/invoices/{id}/pdf */
int page_invoice_csv(struct web *w) _must_use_; /* GET /billing/invoices/{id}/csv */
/* GET /billing/invoices/{id}/requests: its calls as CSV, from the log or from what is kept of it */
int page_invoice_requests(struct web *w) _must_use_;
int page_preview(struct web *w) _must_use_;     /* GET /billing/preview */

/* Seller or buyer, for a credit note's page, too. */
struct json_object *invoice_party_view(const struct invoice_party *party);
