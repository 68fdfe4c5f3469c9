/* credit_note.h: one credit note, as its team sees it. */
#pragma once

#include "ledger/credit_note.h"
#include "web/web.h"

int page_credit_note(struct web *w) _must_use_;     /* GET /billing/credit-notes/{id} */
int page_credit_note_pdf(struct web *w) _must_use_; /* GET .../pdf */
int page_credit_note_csv(struct web *w) _must_use_; /* GET .../csv */

/* Sets view.credit_notes and view.any_credit_note; invoice_id 0: of all invoices. */
int credit_notes_view(struct web *w, struct team_id team, int64_t invoice_id,
                      struct json_object *view) _must_use_;
