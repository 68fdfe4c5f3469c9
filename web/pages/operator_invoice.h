/* operator_invoice.h: an invoice of a team as an operator sees it, and crediting part of it. */
#pragma once

#include "web/web.h"

int page_operator_invoice(struct web *w) _must_use_; /* GET /operator/teams/{id}/invoices/{invoice} */
int page_operator_invoice_credit(struct web *w) _must_use_; /* POST: draws a PDF, long lane */
