/* dues.h: what has come due in the books, by whichever node looks first. Own transactions. */
#pragma once

#include "db/db.h"

/* Orders that nobody paid, and grants whose time is over. */
int dues_expire(struct db *db) _must_use_;
/* Invoices of months that have ended, with a line in the log. */
int dues_invoice(struct db *db) _must_use_;
/* Answers that were kept for long enough, with a line in the log. */
int dues_forget(struct db *db) _must_use_;
