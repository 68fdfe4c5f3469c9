/* replay.h: what a process that is gone left behind: the last record of each call counts, so one
 * without END is booked as its BEGIN or last PROGRESS says. For this room and the simulator. */
#pragma once

#include "ledger/settle.h"

struct replay;
struct replay *replay_new(void) _must_use_;
void replay_free(struct replay *r); /* NULL is fine */
/* The bytes of one segment, in the order in which they were written. A torn end is passed over, it
 * is the last write before the end. REPLAY_E_BROKEN: another record is damaged; REPLAY_E_FOREIGN:
 * another version of the program wrote it. */
enum { REPLAY_OK = 0, REPLAY_E_BROKEN = 1, REPLAY_E_FOREIGN = 2 };
int replay_feed(struct replay *r, struct str bytes, struct journal_segment *files) _must_use_;
/* Hands the calls over; each holds a reference on files until it is settled. */
int replay_push(struct replay *r, struct settle *s, struct journal_segment *files,
                size_t *ret_calls) _must_use_;

/* The same for a slot's files, which the caller has locked: when all is settled the sessions that
 * the calls belonged to, and those that left their name there, are closed and the files removed. *ret_calls is added to. */
int replay_slot(const char *slot, const char *conninfo, struct settle *s,
                size_t *ret_calls) _must_use_;
