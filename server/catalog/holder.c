/* holder.c: see holder.h. */
#include "catalog/holder.h"

#include <errno.h>
#include <pthread.h>

#include "base/err.h"
#include "base/failpoint.h"

struct catalog_holder {
    pthread_mutex_t lock;
    struct catalog *current;
    void (*changed)(void *ctx);
    void *ctx;
};

int catalog_holder_new(struct catalog_holder **ret)
{
    struct catalog_holder *h = calloc(1, sizeof(*h));

    if (!h)
        return err_origin(-ENOMEM);
    pthread_mutex_init(&h->lock, NULL);
    *ret = h;
    return 0;
}

void catalog_holder_free(struct catalog_holder *h)
{
    if (!h)
        return;
    catalog_unref(h->current);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

struct catalog *catalog_holder_get(struct catalog_holder *h)
{
    struct catalog *c;

    pthread_mutex_lock(&h->lock);
    c = h->current ? catalog_ref(h->current) : NULL;
    pthread_mutex_unlock(&h->lock);
    return c;
}

void catalog_holder_put(struct catalog_holder *h, struct catalog *c)
{
    struct catalog *old;

    pthread_mutex_lock(&h->lock);
    old = h->current;
    h->current = c;
    if (h->changed)
        h->changed(h->ctx);
    pthread_mutex_unlock(&h->lock);
    catalog_unref(old);
}

void catalog_holder_watch(struct catalog_holder *h, void (*changed)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&h->lock);
    h->changed = changed;
    h->ctx = ctx;
    pthread_mutex_unlock(&h->lock);
}

int catalog_holder_reload(struct catalog_holder *h, struct db *db,
                          const struct catalog_options *options)
{
    struct catalog *c = NULL;
    int r = failpoint_hit("catalog.load");

    if (!r)
        r = catalog_load(db, options, &c);
    if (r < 0)
        return err_trace(r);
    if (r > 0)
        return CATALOG_E_AWAY;
    catalog_holder_put(h, c);
    return CATALOG_OK;
}
