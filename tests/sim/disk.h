/* disk.h: the journal's files of one replica, which outlive the process: what was written is there
 * after a kill -9, what was synced also after a loss of power. */
#pragma once

#include "base/str.h"
#include "ledger/replay.h"

#define DISK_FILES 256

struct disk_file {
    unsigned serial; /* 0: there is no file here */
    char *bytes;
    size_t n, cap, synced;
    int64_t pending_us; /* up to here is synced soon after this moment; 0: all is */
    size_t pending_n;
};

struct disk {
    struct disk_file file[DISK_FILES];
    unsigned next_serial;
    /* Of the running process. */
    struct disk_file *open;
    struct journal_segment *segment;
    size_t file_bytes; /* another one is begun beyond this */
};

void disk_init(struct disk *d);
void disk_done(struct disk *d);
/* Appends to the open file, from within the process: the segment is a real one, whose end removes
 * the file. keep_bytes < bytes.n: the write is torn there. */
int disk_append(struct disk *d, int64_t now_us, struct str bytes, size_t keep_bytes,
                struct journal_segment **ret) _must_use_;
/* A clean end: the writer lets its file go. From within the process. */
void disk_close(struct disk *d);
/* The process is dead: nothing of it is used any more. */
void disk_orphan(struct disk *d);
/* Everything is gone; or what was not synced, up to a point of each file that the dice tell. */
void disk_lose(struct disk *d);
void disk_lose_power(struct disk *d, int64_t now_us);
/* How much of this file is there; 0: it is not. */
size_t disk_bytes(const struct disk *d, unsigned serial);
bool disk_empty(const struct disk *d); /* no bytes in any file */
/* Feeds every file, oldest first; from within the process. settled: with the last call of them; the
 * segment's size is the last serial that was read, for disk_forget(). */
int disk_replay(struct disk *d, struct settle *s,
                void (*settled)(struct journal_segment *s, void *ctx), void *ctx) _must_use_;
void disk_forget(struct disk *d, unsigned up_to_serial);
