/* store.h: the journal's files: a directory of numbered slots, one of them locked by this process.
 *
 * A slot holds segments; each writer appends to one of its own and begins another when it is large.
 * A slot that nobody has locked belonged to a process that is gone. For this room only. */
#pragma once

#include "base/str.h"
#include "ledger/segment.h"

#define STORE_SLOTS 64

struct store_writer {
    struct journal_segment *segment;
    unsigned serial;
    atomic_int failure; /* errno of its last record, which was refused; 0: that was taken */
};

struct store {
    char slot[PATH_MAX];
    int lock, others[STORE_SLOTS]; /* descriptors that hold locks */
    size_t n_others;
    unsigned n_writers;
    struct store_writer *writers;
    _Atomic(struct journal_segment *) dirty;
    atomic_bool broken; /* a sync failed: what is on the disk is not known any more */
};

/* STORE_E_DIR: the directory cannot be used. */
enum { STORE_OK = 0, STORE_E_DIR = 1 };
int store_open(struct store *s, const char *dir, unsigned writers) _must_use_;
void store_close(struct store *s); /* also of one that did not open */
/* Locks and names one slot after another that was left behind, the own one first; false: no more.
 * The locks are kept until store_close(). *k begins at 0. */
bool store_abandoned(struct store *s, const char *dir, unsigned *k, char ret_slot[PATH_MAX]);

/* Leaves an empty file SESSION.session in the slot: whoever finds it abandoned closes the session,
 * also when no call of it is in the journal. */
#define STORE_SESSION ".session"
int store_note_session(struct store *s, int64_t session) _must_use_;

/* All bytes behind what this writer wrote before, or < 0 and nothing of them. *ret_first: something
 * is to be synced now, where nothing was. The segment is the store's. One thread per writer. */
int store_append(struct store *s, unsigned writer, struct str bytes, struct journal_segment **ret,
                 bool *ret_first) _must_use_;
/* Why no record is taken now: the errno; EIO for good after a sync that failed. 0: they are taken. Any thread. */
int store_failure(const struct store *s);
/* Where records were refused and nobody may bring another: tries whether the disk takes one now. The thread that
 * syncs. */
void store_try(struct store *s);
/* Everything that was appended before is on the disk afterwards. One thread. */
int store_sync(struct store *s) _must_use_;
