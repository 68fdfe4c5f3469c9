/* flush.h: the flusher: one thread that settles finished calls in batches. For this room only. */
#pragma once

#include "ledger/entry.h"
#include "ledger/journal.h"
#include "ledger/segment.h"

/* A finished call on its way to the database. */
struct flush_item {
    struct flush_item *next;
    struct journal_segment *begun, *ended; /* released when settled; may be NULL */
    int64_t waiting_since_ms;
    struct entry entry; /* points into bytes */
    size_t size;
    char bytes[];
};

struct flush;
int flush_start(const char *conninfo, const char *dir, struct node *node, struct flush **ret)
    _must_use_;
/* A copy of the record; takes the two references over. Any thread, no lock. */
int flush_push(struct flush *f, struct str record, struct journal_segment *begun,
               struct journal_segment *ended) _must_use_;
/* Settles what is left within limit_ms, then ends; what remains keeps its files. */
void flush_stop(struct flush *f, int limit_ms);
void flush_read(struct flush *f, struct journal_view *ret);
