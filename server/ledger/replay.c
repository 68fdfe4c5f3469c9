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

int replay_feed(struct replay *r, struct str bytes, struct journal_segment *files)
{
    while (bytes.n) {
        struct entry e;
        size_t size = 0;
        int got = entry_get(bytes, &e, &size), failed;

        if (got == ENTRY_E_TORN || (got == ENTRY_E_BROKEN && size == bytes.n)) {
            log_warn("journal_torn", "bytes=%zu", bytes.n);
            return REPLAY_OK;
        }
        if (got == ENTRY_E_FOREIGN) {
            log_error("journal_foreign", "bytes_left=%zu", bytes.n);
            return REPLAY_E_FOREIGN;
        }
        if (got == ENTRY_E_BROKEN) {
            log_error("journal_broken", "bytes_left=%zu", bytes.n);
            return REPLAY_E_BROKEN;
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
