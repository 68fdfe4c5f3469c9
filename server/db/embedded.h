/* embedded.h: a private PostgreSQL cluster in the data directory, unix socket only.
 *
 * Runs as the calling user, which must not be root. A cluster left running by a kill -9 is adopted.
 * The socket lies in data_dir/run, or in a short path of its own when that would be too long
 * (sun_path is 108 bytes). One thread; the caller holds the lock of the data directory. */
#pragma once

#include "base/base.h"

struct embedded;
enum {
    EMBEDDED_OK = 0,
    EMBEDDED_E_NO_POSTGRES = 1, /* no server programs on this machine */
    EMBEDDED_E_VERSION = 2,     /* the cluster was made by a version that is not installed */
    EMBEDDED_E_BUSY = 3,        /* another user's server runs in this directory */
    EMBEDDED_E_START = 4,       /* it did not start; its last lines have been logged */
};
/* A sentence for people. */
const char *embedded_outcome_text(int outcome);

enum { EMBEDDED_THROWAWAY = 1 }; /* for tests: nothing survives a crash of the machine */

/* data_dir: exists; the cluster goes to data_dir/postgres. On first start: initdb (UTF8, C.UTF-8),
 * roles tollgate_owner and tollgate_app, database tollgate. */
int embedded_start(const char *data_dir, unsigned flags, struct embedded **ret) _must_use_;
const char *embedded_app_conninfo(const struct embedded *e);
const char *embedded_owner_conninfo(const struct embedded *e);
/* Fast shutdown, waits; then frees. NULL is fine. */
void embedded_stop(struct embedded *e);
/* For a command beside a running `up`: stops the server only if this call had started it. */
void embedded_leave(struct embedded *e);
/* True while the postmaster lives. */
bool embedded_alive(struct embedded *e);
pid_t embedded_pid(const struct embedded *e);
