/* claim.h: what must be ours alone before anything starts: the data directory and the port. */
#pragma once

#include <sys/types.h>

#include "base/base.h"

enum { CLAIM_OK = 0, CLAIM_E_HELD = 1, CLAIM_E_DIRECTORY = 2 };
/* Makes the directory (mode 0700) and its parents, and takes its lock. *ret_fd holds the lock until
 * closed, or until this process ends in whatever way. CLAIM_E_HELD: *ret_holder is the pid of the
 * process that has it, 0 if unknown. CLAIM_E_DIRECTORY: errno says why it cannot be used. */
int claim_directory(const char *path, int *ret_fd, pid_t *ret_holder) _must_use_;

enum { PORT_OK = 0, PORT_E_TAKEN = 1, PORT_E_ADDRESS = 2, PORT_E_PRIVILEGED = 3 };
/* Is somebody on this port, sharing it or not? Waits a second for one who is just leaving. */
int claim_port(const char *address, uint16_t port) _must_use_;
