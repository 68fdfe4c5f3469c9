/* segment.h: files of the journal that live and leave together.
 *
 * Counted: the writer holds one reference while it appends, each unsettled call holds one on the
 * segment of its BEGIN and one on that of its END. With the last reference the files are removed,
 * unless the segment is to be kept. Any thread. For this room only. */
#pragma once

#include <limits.h>
#include <stdatomic.h>

#include "base/base.h"

struct journal_segment {
    atomic_uint refs;
    atomic_bool keep; /* something in it could not be settled: files stay */
    int fd;           /* -1: only read at the start */
    size_t size;      /* bytes of records; the file may have zeros behind them */
    char *window;     /* what of the file is mapped, from window_at on; NULL: nothing is */
    size_t window_at;
    bool roomy; /* the file has blocks already: records are stored into it without a system call */
    char (*paths)[PATH_MAX];
    size_t n_paths;
    /* With the last reference, before the files go. May be NULL. */
    void (*settled)(struct journal_segment *s, void *ctx);
    void *ctx;
    int64_t *sessions; /* of a replay: sessions whose calls these were */
    size_t n_sessions;
    atomic_bool dirty; /* written since the last sync; then on the store's list */
    struct journal_segment *next_dirty;
};

/* A new file, with room for so many bytes where the file system can promise that; one reference, the
 * caller's. */
int segment_create(const char *path, size_t room, struct journal_segment **ret) _must_use_;
/* For files that are there already; one reference. */
struct journal_segment *segment_of_files(void) _must_use_;
int segment_add_path(struct journal_segment *s, const char *path) _must_use_;
/* 0 and known ones are passed over. */
int segment_add_session(struct journal_segment *s, int64_t session) _must_use_;
struct journal_segment *segment_ref(struct journal_segment *s);
void segment_unref(struct journal_segment *s); /* NULL is fine */
/* All bytes of a record, or < 0: nothing of them counts then (the file is cut back, or zeroed). What it
 * returned 0 for survives the death of the process. */
int segment_write(struct journal_segment *s, const void *p, size_t n) _must_use_;
