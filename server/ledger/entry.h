/* entry.h: one journal record: how a call would be booked, as the JSON that the settle batch takes.
 *
 * The three parts are JSON objects joined by commas, without brackets, so that a batch is made by
 * joining again. For this room only. */
#pragma once

#include "lease/hold.h"
#include "model/record.h"

enum entry_type { ENTRY_BEGIN = 1, ENTRY_PROGRESS = 2, ENTRY_END = 3 };

struct entry {
    enum entry_type type;
    struct call_id call;
    int64_t session; /* whose leases it draws on; 0: a session that is gone */
    struct str calls, attempts, draws;
};

/* Appends the whole record: header with CRC32C, then the parts. used NULL: nothing was used; hold
 * NULL: nothing was held. */
void entry_put(struct buf *out, enum entry_type type, int64_t session,
               const struct call_record *record, const struct hold *hold, const int64_t *used);

/* Reads the record at the beginning of bytes. ENTRY_E_TORN: the bytes end within it;
 * ENTRY_E_BROKEN: it is whole, but not what was written. *ret points into bytes. */
enum { ENTRY_OK = 0, ENTRY_E_TORN = 1, ENTRY_E_BROKEN = 2 };
int entry_get(struct str bytes, struct entry *ret, size_t *ret_size) _must_use_;
