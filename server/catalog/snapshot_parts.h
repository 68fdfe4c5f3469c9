/* snapshot_parts.h: the inside of a snapshot, for the files that fill and read it. */
#pragma once

#include <stdatomic.h>

#include "base/arena.h"
#include "catalog/snapshot.h"

struct catalog_name {
    struct str name;
    const struct catalog_model *model;
    bool alias; /* behind a model's own name, should both exist */
};

struct catalog {
    _Atomic unsigned refs;
    struct arena *arena; /* everything below, and all strings */
    int64_t loaded_us, next_change_us, epoch;
    struct str similarity_model; /* the name of it, as the installation says; p NULL: none */
    const struct catalog_model *compares;
    struct catalog_account *accounts; /* by id */
    struct account_id *strangers;     /* accounts that are there, of kinds that are not known here */
    struct catalog_model *models;     /* by name */
    struct catalog_target *targets;   /* by model, the installation's first, then team, then id */
    const struct catalog_target **targets_by_id;
    struct price *prices;       /* by id */
    struct catalog_name *names; /* by name, then alias */
    struct catalog_rule *rules; /* by model, in order */
    size_t n_accounts, n_strangers, n_models, n_targets, n_prices, n_names, n_rules;
};

/* Empty, with one reference. */
int catalog_new(struct catalog **ret) _must_use_;
/* Parts of catalog_load(), in this order; prices stand behind the first. Database outcomes. */
int snapshot_load_accounts(struct db *db, const struct catalog_options *options,
                           struct catalog *c) _must_use_;
int snapshot_load_models(struct db *db, const struct catalog_options *options,
                         struct catalog *c) _must_use_;
int snapshot_load_rules(struct db *db, struct catalog *c) _must_use_;
const struct price *catalog_price(const struct catalog *c, int64_t id); /* NULL: not there */
/* Call once when everything is in its place: orders the look-ups. */
void catalog_index(struct catalog *c);
