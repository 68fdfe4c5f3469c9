/* disk.c: see disk.h. */
#include "disk.h"

#include <errno.h>

#include "memory.h"
#include "world.h"

/* What the server's flusher syncs: everything this long after it was written. */
#define SYNC_US (25 * MS_US)
#define FILE_BYTES_MIN 500
#define FILE_BYTES_MAX 8000

void disk_init(struct disk *d)
{
    *d = (struct disk){.next_serial = 1};
}

static void remove_file(struct disk_file *f)
{
    keep_free(f->bytes);
    *f = (struct disk_file){0};
}

void disk_done(struct disk *d)
{
    disk_lose(d);
}

/* The files are few and found by looking: the oldest that is not older than `from`. */
static struct disk_file *file_from(struct disk *d, unsigned from)
{
    struct disk_file *best = NULL;

    for (size_t i = 0; i < DISK_FILES; i++)
        if (d->file[i].serial && d->file[i].serial >= from &&
            (!best || d->file[i].serial < best->serial))
            best = &d->file[i];
    return best;
}

/* All calls of this file are settled. */
static void file_settled(struct journal_segment *s, void *ctx)
{
    struct disk *d = ctx;

    for (size_t i = 0; i < DISK_FILES; i++)
        if (d->file[i].serial && d->file[i].serial == s->size)
            remove_file(&d->file[i]);
}

static int open_file(struct disk *d)
{
    struct disk_file *f = NULL;
    struct journal_segment *segment = segment_of_files();

    for (size_t i = 0; i < DISK_FILES && !f; i++)
        f = d->file[i].serial ? NULL : &d->file[i];
    if (!segment || !f)
        return -ENOSPC;
    f->serial = d->next_serial++;
    segment->size = f->serial; /* so that its end knows which; the store counts bytes there */
    segment->settled = file_settled;
    segment->ctx = d;
    segment_unref(d->segment);
    d->segment = segment;
    d->open = f;
    d->file_bytes = (size_t)dice_between(FILE_BYTES_MIN, FILE_BYTES_MAX);
    return 0;
}

/* What stood there SYNC_US ago is synced. */
static void note_pending(struct disk_file *f, int64_t now_us)
{
    if (f->pending_us && now_us - f->pending_us < SYNC_US)
        return;
    if (f->pending_us)
        f->synced = f->pending_n;
    f->pending_us = now_us;
    f->pending_n = f->n;
}

int disk_append(struct disk *d, int64_t now_us, struct str bytes, size_t keep_bytes,
                struct journal_segment **ret)
{
    int r = d->open && d->open->n < d->file_bytes ? 0 : open_file(d);
    struct disk_file *f = d->open;
    size_t n = MIN(bytes.n, keep_bytes);

    if (r)
        return r;
    if (f->n + n > f->cap) {
        size_t cap = (f->n + n) * 2;

        f->bytes = keep_grow(f->bytes, f->n, cap);
        f->cap = cap;
    }
    memcpy(f->bytes + f->n, bytes.p, n);
    f->n += n;
    note_pending(f, now_us);
    *ret = d->segment;
    return 0;
}

void disk_close(struct disk *d)
{
    segment_unref(steal(&d->segment));
    d->open = NULL;
}

void disk_orphan(struct disk *d)
{
    d->segment = NULL;
    d->open = NULL;
}

void disk_lose(struct disk *d)
{
    disk_orphan(d);
    for (size_t i = 0; i < DISK_FILES; i++)
        remove_file(&d->file[i]);
}

void disk_lose_power(struct disk *d, int64_t now_us)
{
    disk_orphan(d);
    for (size_t i = 0; i < DISK_FILES; i++) {
        struct disk_file *f = &d->file[i];

        if (!f->serial)
            continue;
        if (f->pending_us && now_us - f->pending_us >= SYNC_US)
            f->synced = f->pending_n;
        f->n = f->synced = (size_t)dice_between((int64_t)f->synced, (int64_t)f->n);
        f->pending_us = 0;
    }
}

size_t disk_bytes(const struct disk *d, unsigned serial)
{
    for (size_t i = 0; i < DISK_FILES; i++)
        if (serial && d->file[i].serial == serial)
            return d->file[i].n;
    return 0;
}

bool disk_empty(const struct disk *d)
{
    for (size_t i = 0; i < DISK_FILES; i++)
        if (d->file[i].serial && d->file[i].n)
            return false;
    return true;
}

int disk_replay(struct disk *d, struct settle *s,
                void (*settled)(struct journal_segment *s, void *ctx), void *ctx)
{
    struct replay *r = replay_new();
    struct journal_segment *files = segment_of_files();
    size_t calls = 0;
    int e = r && files ? 0 : -ENOMEM;

    for (struct disk_file *f = file_from(d, 1); f && !e; f = file_from(d, f->serial + 1))
        e = replay_feed(r, str_n(f->bytes, f->n), files);
    if (!e) {
        files->size = d->next_serial - 1;
        files->settled = settled;
        files->ctx = ctx;
        e = replay_push(r, s, files, &calls);
    }
    segment_unref(files);
    replay_free(r);
    return e;
}

void disk_forget(struct disk *d, unsigned up_to_serial)
{
    for (size_t i = 0; i < DISK_FILES; i++)
        if (d->file[i].serial && d->file[i].serial <= up_to_serial)
            remove_file(&d->file[i]);
}
