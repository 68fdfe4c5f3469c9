/* snapshot_rules.c: the rules of a snapshot's models, of which those that are switched off are left out. */
#include <errno.h>

#include "base/err.h"
#include "catalog/rules.h"
#include "catalog/snapshot_parts.h"

static struct catalog_model *model_of(struct catalog *c, struct model_id id)
{
    for (size_t i = 0; i < c->n_models; i++)
        if (c->models[i].id.v == id.v)
            return &c->models[i];
    return NULL;
}

/* All rules of a model come one after the other. */
static void take_rule(struct catalog *c, const struct rule_row *row, struct catalog_rule *rule)
{
    struct catalog_model *m = model_of(c, row->model);

    *rule = (struct catalog_rule){
        .id = row->id, .name = row->is.name, .serves = model_of(c, row->serves), .when = row->is.when};
    if (!m || !rule->serves || rule->serves->kind != m->kind)
        return; /* of a newer version of this program, during an upgrade */
    if (m->n_rules++ == 0)
        m->rules = rule;
    c->n_rules++;
}

int snapshot_load_rules(struct db *db, struct catalog *c)
{
    struct rule_row *rows = NULL;
    size_t n = 0;
    int r = rules_all(db, c->arena, &rows, &n);

    if (r)
        return r;
    c->rules = arena_array(c->arena, struct catalog_rule, n + 1);
    if (!c->rules)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n; i++)
        if (rows[i].is.enabled)
            take_rule(c, &rows[i], &c->rules[c->n_rules]);
    return 0;
}
