/* wire.h: the ledger's port as the world offers it: messages to the database and back, which may be
 * slow, lost on either way, or arrive after their sender gave them up; and the disk. */
#pragma once

#include "process.h"

/* The port of a process. */
void wire_port(struct process *p, struct ledger_port *ret);
/* The session of an earlier life of the process is not needed any more; nobody waits for it. */
void wire_close_old(struct process *p, int64_t session);
/* Forgets what is on its way; ends it for good. */
void wire_reset(struct world *w);
void wire_done(struct world *w);
/* The database's clock. */
int64_t wire_database_us(const struct world *w);
