/* journal_core.h: the journal without files and threads, as a simulator uses it too. For this room
 * and the simulator. */
#pragma once

#include "ledger/journal.h"
#include "ledger/settle.h"

/* port, node and settle outlive it. */
struct journal *journal_core_new(const struct ledger_port *port, struct node *node,
                                 struct settle *settle, unsigned writers) _must_use_;
void journal_core_free(struct journal *j);
/* begun and ended. */
void journal_core_read(const struct journal *j, struct journal_view *ret);
const struct ledger_port *journal_port(const struct journal *j);
