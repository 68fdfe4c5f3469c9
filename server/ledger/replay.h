/* replay.h: what a process that is gone left in its slot. For this room only. */
#pragma once

#include "ledger/flush.h"

/* Hands the last record of every call to the flusher; when all are settled the sessions they belonged
 * to are closed and the files removed. The caller holds the slot's lock. *ret_calls is added to.
 * REPLAY_E_BROKEN: a record other than a file's last is damaged. */
enum { REPLAY_OK = 0, REPLAY_E_BROKEN = 1 };
int replay_slot(const char *slot, const char *conninfo, struct flush *flush, size_t *ret_calls)
    _must_use_;
