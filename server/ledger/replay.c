/* replay.c: see replay.h. */
#include "ledger/replay.h"

#include <errno.h>

#include "base/err.h"
#include "base/log.h"
#include "base/map.h"

struct replay {
    struct map *calls; /* call id -> struct last */
    struct settle *settle;
    struct journal_segment *files;
    size_t n;
    int failed;
};

struct last {
    enum entry_type type;
    size_t size;
    char bytes[];
};

struct replay *replay_new(void)
{
    struct replay *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->calls = map_new(0, free);
    if (!r->calls) {
        free(r);
        return NULL;
    }
    return r;
}

void replay_free(struct replay *r)
{
    if (!r)
        return;
    map_free(r->calls);
    free(r);
}

static int remember(struct replay *r, const struct entry *e, struct str record)
{
    struct str key = str_n((const char *)e->call.b, sizeof(e->call.b));
    struct last *old = map_get(r->calls, key), *last;

    if (old && old->type == ENTRY_END)
        return 0;
    last = malloc(sizeof(*last) + record.n);
    if (!last)
        return err_origin(-ENOMEM);
    last->type = e->type;
    last->size = record.n;
    memcpy(last->bytes, record.p, record.n);
    if (map_put(r->calls, key, last)) {
        free(last);
        return err_origin(-ENOMEM);
    }
    return 0;
}

enum {
    PAGE_BYTES = 4096, /* the smallest there is */
    HOLE_ZEROS = 64,   /* more than stand together in any record */
};

/* The last record of a file, by what stands behind it: nothing, or the zeros that were there before. */
static bool is_last(struct str bytes, size_t size)
{
    for (size_t i = size; i < bytes.n; i++)
        if (bytes.p[i])
            return false;
    return size > 0;
}

/* A loss of power may keep some of the pages that were not synced yet and lose others before them: what
 * is lost is zeros up to the end of a page. (What was synced is never so: there a record that is damaged
 * is not like this, and refuses the start.) Where the next whole record begins; 0: it is no such hole. */
static size_t behind_hole(struct str file, size_t at)
{
    static const char zeros[HOLE_ZEROS];
    size_t behind = entry_find(file, at + 1);

    for (size_t page = at / PAGE_BYTES * PAGE_BYTES + PAGE_BYTES; page <= behind; page += PAGE_BYTES)
        if (behind < file.n && page - at >= HOLE_ZEROS &&
            memcmp(file.p + page - HOLE_ZEROS, zeros, HOLE_ZEROS) == 0)
            return behind;
    return 0;
}

int replay_feed(struct replay *r, struct str bytes, struct journal_segment *files)
{
    const struct str file = bytes;

    while (bytes.n) {
        struct entry e;
        size_t size = 0;
        int got = entry_get(bytes, &e, &size), failed;

        if (got == ENTRY_E_TORN && is_last(bytes, 1) && !bytes.p[0])
            return REPLAY_OK; /* room that was not needed */
        if (got == ENTRY_E_TORN || (got == ENTRY_E_BROKEN && is_last(bytes, size))) {
            log_warn("journal_torn", "bytes=%zu", bytes.n);
            return REPLAY_OK;
        }
        if (got == ENTRY_E_FOREIGN) {
            log_error("journal_foreign", "bytes_left=%zu", bytes.n);
            return REPLAY_E_FOREIGN;
        }
        if (got == ENTRY_E_BROKEN) {
            size_t at = (size_t)(bytes.p - file.p), behind = behind_hole(file, at);

            log_error("journal_broken", "bytes_left=%zu hole=%zu", bytes.n, behind ? behind - at : 0);
            if (!behind)
                return REPLAY_E_BROKEN;
            bytes = str_n(file.p + behind, file.n - behind);
            continue;
        }
        failed = remember(r, &e, str_n(bytes.p, size));
        if (!failed)
            failed = segment_add_session(files, e.session);
        if (failed)
            return failed;
        bytes = str_n(bytes.p + size, bytes.n - size);
    }
    return REPLAY_OK;
}

static bool push_call(struct str key, void *value, void *ctx)
{
    struct replay *r = ctx;
    struct last *last = value;

    (void)key;
    if (!r->failed)
        r->failed =
            settle_push(r->settle, str_n(last->bytes, last->size), segment_ref(r->files), NULL);
    r->n++;
    return true;
}

int replay_push(struct replay *r, struct settle *s, struct journal_segment *files,
                size_t *ret_calls)
{
    r->settle = s;
    r->files = files;
    r->n = 0;
    r->failed = 0;
    map_filter(r->calls, push_call, r);
    *ret_calls += r->n;
    return r->failed;
}
