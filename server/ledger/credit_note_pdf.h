/* credit_note_pdf.h: drawing one. Used by credit_note_sql.c only; long lane. */
#pragma once

#include "ledger/credit_note.h"

/* Equal notes are equal bytes. */
int credit_note_pdf(const struct credit_note *note, struct buf *out) _must_use_;
