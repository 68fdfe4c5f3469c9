/* invoice.h: a monthly invoice as page, PDF and CSV; the running month as a preview. */
#pragma once

#include "web/web.h"

int page_invoice(struct web *w) _must_use_;     /* GET /billing/invoices/{id} */
int page_invoice_pdf(struct web *w) _must_use_; /* GET /billing/invoices/{id}/pdf */
int page_invoice_csv(struct web *w) _must_use_; /* GET /billing/invoices/{id}/csv */
int page_preview(struct web *w) _must_use_;     /* GET /billing/preview */
