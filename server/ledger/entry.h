/* entry.h: one journal record: how a call would be booked, as compact bytes.
 *
 * A head with a CRC32C over all that follows it, then the fields of record.def in their order (call,
 * attempts), then the draws, and behind them what only a shadow has, or the job of a video. Numbers are
 * zigzag varints, texts carry their length, ids of calls are one byte where there is none or it is the
 * call's own. A record says how many fields it has and a sum over their names and kinds: what an earlier
 * version wrote, whose list was shorter, is read, its missing fields absent; a record made from another
 * list is refused. For this room and the simulator. */
#pragma once

#include "lease/hold.h"
#include "model/record.h"
#include "model/settlement.h"

enum entry_type { ENTRY_BEGIN = 1, ENTRY_PROGRESS = 2, ENTRY_END = 3 };

struct entry {
    enum entry_type type;
    struct call_id call;
    int64_t session;            /* whose leases it draws on; 0: a session that is gone */
    unsigned n_call, n_attempt; /* so many fields of each */
    unsigned n_video;           /* the same of the job; 0: there is none */
    struct str body;            /* within the record's bytes */
};

/* A record taken apart; texts point into its bytes. */
struct entry_view {
    struct settle_entry entry; /* points to the two below */
    struct settle_draw draws[BOUND_HOLD_PURSES];
    struct call_record call; /* its `video` is the one below, or NULL */
    struct video_record video;
};

/* Appends the whole record. used NULL: nothing was used; hold NULL: nothing was held. */
void entry_put(struct buf *out, enum entry_type type, int64_t session,
               const struct call_record *record, const struct hold *hold, const int64_t *used);

/* Reads the head of the record at the beginning of bytes. ENTRY_E_TORN: the bytes end within it, or
 * are zeros as a loss of power leaves them; ENTRY_E_BROKEN: it is whole, but not what was written;
 * ENTRY_E_FOREIGN: another version of the program wrote it. *ret_size is set for OK, and for BROKEN
 * where it is known (else 0). */
enum { ENTRY_OK = 0, ENTRY_E_TORN = 1, ENTRY_E_BROKEN = 2, ENTRY_E_FOREIGN = 3 };
int entry_get(struct str bytes, struct entry *ret, size_t *ret_size) _must_use_;
/* Where the first whole record from `from` on begins; bytes.n: there is none. */
size_t entry_find(struct str bytes, size_t from);
/* The head of one whole record that entry_put or entry_get has seen already: not checked again. */
struct entry entry_known(struct str record);
/* ENTRY_OK or ENTRY_E_BROKEN. */
int entry_view(const struct entry *e, struct entry_view *ret) _must_use_;
