/* up.h: `tollgate up`: everything one machine needs, started, watched and ended together.
 *
 * Private PostgreSQL (unless DATABASE_URL names another), migrations, the demo upstream, the
 * server. A crashed child is started again. kill -9 of this process takes the server and the demo
 * upstream with it; PostgreSQL goes on and is adopted by the next start. */
#pragma once

#include "config.h"

/* Runs until SIGTERM, SIGINT or the end of its terminal; prints what a person has to know. A SIGHUP that
 * somebody sends is passed on to the server, which reads its settings again. Process exit status. */
int supervisor_up(const struct config *config, const struct config_source *source);
