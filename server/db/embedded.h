/* embedded.h: a private PostgreSQL cluster in the data directory, unix socket only.
 *
 * Runs as the calling user, which must not be root. A cluster left running by a kill -9 is adopted.
 * The socket lies in a short path of its own (sun_path is 108 bytes). */
#pragma once

#include "base/base.h"

struct embedded;
enum { EMBEDDED_OK = 0, EMBEDDED_E_NO_POSTGRES = 1, EMBEDDED_E_VERSION = 2, EMBEDDED_E_BUSY = 3, EMBEDDED_E_START = 4 };
/* data_dir: the cluster goes to data_dir/postgres. On first start: initdb (UTF8, C.UTF-8), roles
 * tollgate_owner and tollgate_app, database tollgate. ret_log: last lines on EMBEDDED_E_START. */
int embedded_start(const char *data_dir, struct embedded **ret) _must_use_;
const char *embedded_app_conninfo(const struct embedded *e);
const char *embedded_owner_conninfo(const struct embedded *e);
/* Fast shutdown, waits; then frees. */
void embedded_stop(struct embedded *e);
/* True while the postmaster lives. */
bool embedded_alive(const struct embedded *e);
