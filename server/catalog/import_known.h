/* import_known.h: what is in the catalogue already, as far as an import compares it. */
#pragma once

#include "base/map.h"
#include "catalog/import_entry.h"
#include "catalog/models.h"

struct known_model {
    struct model_id id; /* < 0: only as if, in a dry run */
    struct model_draft is;
    bool before; /* it was there before this import */
    bool told;   /* this file has said its facts */
};

struct known_offer {
    struct str upstream_model;
    struct price_figure *figures; /* of the version in force for the kind */
    size_t n_figures;
    bool by_operator; /* an operator published them */
    bool told;        /* this file has said its price */
};

struct known {
    struct arena *a;
    struct map *models; /* by name and alias */
    struct map *offers; /* by model id and provider kind, known_offer_of() */
};

int known_init(struct known *k, struct arena *a) _must_use_;
void known_done(struct known *k);
struct known_model *known_model_of(struct known *k, struct str name);
struct known_offer *known_offer_of(struct known *k, struct model_id model, const char *kind);
int known_put_model(struct known *k, struct str name, struct known_model *m) _must_use_;
/* The one that is there, or a new and empty one. */
int known_need_offer(struct known *k, struct model_id model, const char *kind,
                     struct known_offer **ret) _must_use_;

/* In the import's transaction. Database outcomes. */
int import_load(struct db *db, struct known *k) _must_use_;
int import_store_facts(struct db *db, const struct known_model *m) _must_use_;
int import_store_alias(struct db *db, struct model_id model, struct str alias) _must_use_;
int import_store_offer(struct db *db, struct model_id model, const char *kind,
                       struct str upstream_model) _must_use_;
