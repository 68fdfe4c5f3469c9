/* journal.h: calls in flight and finished calls, written down before the world hears of them, and
 * their settling in the database.
 *
 * Each record is a whole settlement: BEGIN says how the call would be booked if the node died now,
 * PROGRESS says it anew, END says it for good; the last record of a call wins. What was appended
 * survives the death of the process; what is in the files is settled by whichever process finds the slot
 * unlocked. Settling is idempotent by call id, so sending twice does no harm. One flusher thread
 * with its own connection settles what has ended, in batches; segments are removed once all in them
 * is settled. */
#pragma once

#include "lease/hold.h"
#include "model/record.h"

struct journal;
struct journal_segment;

struct journal_config {
    const char *conninfo;
    const char *dir;  /* holds slots; one is claimed (locked) by this process */
    unsigned writers; /* loops; each writes files of its own */
    struct node *node;
};
/* JOURNAL_E_DIR: the directory cannot be used; JOURNAL_E_BROKEN: a record other than the last of a
 * file is damaged; JOURNAL_E_FOREIGN: another version of the program left one that this one cannot
 * read. What earlier processes left is handed to the flusher. */
enum { JOURNAL_OK = 0, JOURNAL_E_DIR = 1, JOURNAL_E_BROKEN = 2, JOURNAL_E_FOREIGN = 3 };
int journal_new(const struct journal_config *config, struct journal **ret) _must_use_;
/* Settles what is left, as long as the database answers within limit_ms; files keep the rest, and
 * the node's session stays open for it. */
void journal_free(struct journal *j, int limit_ms);

/* One call's place in the journal; embedded in the call, zeroed before BEGIN. */
struct journal_mark {
    struct journal_segment *segment;
};

/* The three write before they return; 0, or < 0 when the disk refuses (then admit nothing). writer
 * is the loop's index; loop thread. used: per pair of the hold, as if the call ended now. */
int journal_begin(struct journal *j, unsigned writer, struct journal_mark *mark,
                  const struct call_record *record, const struct hold *hold) _must_use_;
int journal_progress(struct journal *j, unsigned writer, struct journal_mark *mark,
                     const struct call_record *record, const struct hold *hold,
                     const int64_t *used) _must_use_;
/* Also for calls without a BEGIN (refused ones): mark NULL, hold NULL. */
int journal_end(struct journal *j, unsigned writer, struct journal_mark *mark,
                const struct call_record *record, const struct hold *hold,
                const int64_t *used) _must_use_;

struct journal_view {
    uint64_t begun, ended, settled, batches, failed_batches;
    uint64_t refused; /* the database will never take them; kept in the file `refused` */
    uint64_t waiting; /* ended, not yet settled */
    int64_t oldest_waiting_ms;
    uint64_t replayed; /* found at the start */
    int failure; /* errno: the disk takes no records now, so that no call is admitted; 0: it takes them */
    bool broken; /* that is for good: a sync failed, and what the disk holds is not known any more */
};
void journal_read(struct journal *j, struct journal_view *ret); /* any thread */
/* Bytes of the file `refused`, also of earlier processes; it is a person's to take away. Asks the disk. */
int64_t journal_refused_bytes(struct journal *j);
