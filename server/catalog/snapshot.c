/* snapshot.c: holding a snapshot and finding things in it. Filling it is snapshot_sql.c's. */
#include "catalog/snapshot_parts.h"

#include <errno.h>

#include "base/err.h"

/* Several times a catalogue of BOUND_CATALOG_ROWS models; it only guards against a runaway. */
#define CATALOG_ARENA_BYTES MIB(512)

int catalog_new(struct catalog **ret)
{
    struct catalog *c = calloc(1, sizeof(*c));

    if (!c)
        return err_origin(-ENOMEM);
    c->arena = arena_new(CATALOG_ARENA_BYTES);
    if (!c->arena) {
        free(c);
        return err_origin(-ENOMEM);
    }
    c->refs = 1;
    *ret = c;
    return 0;
}

struct catalog *catalog_ref(struct catalog *c)
{
    unsigned before = atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);

    assert(before > 0);
    return c;
}

void catalog_unref(struct catalog *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < c->n_accounts; i++)
        provider_credential_wipe(&c->accounts[i].credential);
    arena_free(c->arena);
    free(c);
}

void catalog_unrefp(struct catalog **c)
{
    catalog_unref(*c);
    *c = NULL;
}

static int name_compare(const void *a, const void *b)
{
    const struct catalog_name *x = a, *y = b;
    int r = str_cmp(x->name, y->name);

    return r ? r : (int)x->alias - (int)y->alias;
}

static int target_compare(const void *a, const void *b)
{
    const struct catalog_target *x = *(const struct catalog_target *const *)a;
    const struct catalog_target *y = *(const struct catalog_target *const *)b;

    return (x->id.v > y->id.v) - (x->id.v < y->id.v);
}

void catalog_index(struct catalog *c)
{
    if (c->n_names)
        qsort(c->names, c->n_names, sizeof(c->names[0]), name_compare);
    for (size_t i = 0; i < c->n_targets; i++)
        c->targets_by_id[i] = &c->targets[i];
    if (c->n_targets)
        qsort(c->targets_by_id, c->n_targets, sizeof(c->targets_by_id[0]), target_compare);
    if (c->similarity_model.p)
        c->compares = catalog_find_model(c, c->similarity_model);
    if (c->compares && c->compares->kind != MODEL_EMBEDDING)
        c->compares = NULL;
}

const struct catalog_model *catalog_compares(const struct catalog *c)
{
    return c->compares && c->compares->enabled ? c->compares : NULL;
}

const struct catalog_model *catalog_find_model(const struct catalog *c, struct str name)
{
    size_t low = 0, high = c->n_names;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (str_cmp(c->names[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->n_names && str_eq(c->names[low].name, name) ? c->names[low].model : NULL;
}

const struct catalog_target *catalog_find_target(const struct catalog *c, struct target_id id)
{
    size_t low = 0, high = c->n_targets;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (c->targets_by_id[middle]->id.v < id.v)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->n_targets && c->targets_by_id[low]->id.v == id.v ? c->targets_by_id[low] : NULL;
}

const struct catalog_way *catalog_account_way(const struct catalog_account *a, struct str model,
                                              const struct wire_format *client)
{
    const struct catalog_way *other = NULL;

    for (size_t i = 0; i < a->n_ways; i++) {
        const struct wire_format *format = a->ways[i].way->format;

        if (!provider_way_takes(a->provider, a->ways[i].way, model))
            continue;
        if (format == client)
            return &a->ways[i];
        if (!other && format_can_translate(client, format))
            other = &a->ways[i];
    }
    return other;
}

const struct catalog_account *catalog_find_account(const struct catalog *c, struct account_id id)
{
    size_t low = 0, high = c->n_accounts;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (c->accounts[middle].id.v < id.v)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->n_accounts && c->accounts[low].id.v == id.v ? &c->accounts[low] : NULL;
}

bool catalog_has_account(const struct catalog *c, struct account_id id)
{
    for (size_t i = 0; i < c->n_strangers; i++)
        if (c->strangers[i].v == id.v)
            return true;
    return catalog_find_account(c, id);
}

/* The first of the model's that is not of a team before this one. */
static size_t own_from(const struct catalog_model *m, int64_t team)
{
    size_t low = 0, high = m->n_own;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (m->own[middle].account->team.v < team)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct catalog_target *catalog_model_own(const struct catalog_model *m, struct team_id team, size_t *ret_n)
{
    size_t from = 0;

    *ret_n = 0;
    if (!team.v || !m->n_own)
        return NULL;
    from = own_from(m, team.v);
    while (from + *ret_n < m->n_own && m->own[from + *ret_n].account->team.v == team.v)
        ++*ret_n;
    return &m->own[from];
}

const struct catalog_model *catalog_models(const struct catalog *c, size_t *ret_n)
{
    *ret_n = c->n_models;
    return c->models;
}

const struct catalog_account *catalog_accounts(const struct catalog *c, size_t *ret_n)
{
    *ret_n = c->n_accounts;
    return c->accounts;
}

bool catalog_target_serves(const struct catalog_target *t)
{
    return t->enabled && !t->account->unusable && t->account->team.v == 0 && t->price &&
           price_usable(t->price) && (!t->model->pinned || t->model->pinned == t);
}

bool catalog_model_serves(const struct catalog_model *m)
{
    if (!m->enabled || m->off_reason.p)
        return false;
    for (size_t i = 0; i < m->n_targets; i++)
        if (catalog_target_serves(&m->targets[i]))
            return true;
    return false;
}

bool catalog_model_served(const struct catalog_model *m)
{
    if (catalog_model_serves(m))
        return true;
    for (size_t i = 0; i < m->n_rules && m->enabled && !m->off_reason.p; i++)
        if (catalog_model_serves(m->rules[i].serves))
            return true;
    return false;
}

int64_t catalog_next_change_us(const struct catalog *c)
{
    return c->next_change_us;
}

int64_t catalog_loaded_us(const struct catalog *c)
{
    return c->loaded_us;
}

int64_t catalog_epoch(const struct catalog *c)
{
    return c->epoch;
}
