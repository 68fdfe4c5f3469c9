/* prices_sql.c: publishing price versions and reading their history. */
#include <errno.h>
#include <inttypes.h>

#include "base/err.h"
#include "catalog/prices.h"
#include "db/rows.h"

DB_QUERY(price_model_kind, "SELECT kind FROM model WHERE id = $1")

static int model_kind_of(struct db *db, struct arena *a, struct model_id id, enum model_kind *ret)
{
    struct str word;
    int r = db_one(db, &price_model_kind, a, DB_ARGS(db_i64(id.v)),
                   DB_COLS(db_col_text("kind", &word)));

    if (r == DB_E_NONE)
        return CHANGE_E_NONE;
    if (r)
        return err_trace(db_fatal(r));
    return model_kind_parse(word, ret) == WORD_OK ? CHANGE_OK : err_origin(-EPROTO);
}

DB_QUERY(price_insert,
         "INSERT INTO price (model_id, kind, target_id, effective_from, source, override, note,"
         "                   created_by)"
         "VALUES ($1, nullif($2, ''), nullif($3::bigint, 0), coalesce($4, now()), $5, $6,"
         "        coalesce($7, ''), nullif($8::bigint, 0)) "
         "RETURNING id")
DB_QUERY(price_insert_units,
         "INSERT INTO price_unit (price_id, service_tier, unit, above_input_tokens,"
         "                        charge_per_million_nano, cost_per_million_nano, image_kind)"
         "SELECT $1, s, u, t, charge, cost, image_kind"
         "  FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],"
         "              $7::text[]) AS f (s, u, t, charge, cost, image_kind)")

static int insert_version(struct db *db, struct arena *a, const struct actor *actor,
                          const struct price_draft *d, struct price_id *ret)
{
    return db_one(
        db, &price_insert, a,
        DB_ARGS(db_i64(d->model.v), db_text(d->kind), db_i64(d->target.v),
                d->effective_from_us ? db_time_us(d->effective_from_us) : db_null(DB_TIME_US),
                db_cstr(price_source_name(d->source)), db_bool(d->override), db_text(d->note),
                db_i64(actor->kind == ACTOR_OPERATOR ? actor->id : 0)),
        DB_COLS(db_col_i64("id", &ret->v)));
}

static int insert_units(struct db *db, struct arena *a, struct price_id id,
                        const struct price_draft *d)
{
    size_t n = d->n_figures;
    struct str *tiers = arena_array(a, struct str, n), *units = arena_array(a, struct str, n);
    struct str *kinds = arena_array(a, struct str, n);
    int64_t *above = arena_array(a, int64_t, n);
    int64_t *charge = arena_array(a, int64_t, n);
    int64_t *cost = arena_array(a, int64_t, n);

    if (!tiers || !units || !kinds || !above || !charge || !cost)
        return err_origin(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        tiers[i] = str_c(service_tier_name(d->figures[i].service));
        units[i] = str_c(usage_unit_info(d->figures[i].unit)->name);
        kinds[i] = str_c(d->figures[i].visual_kind);
        above[i] = d->figures[i].above_input_tokens;
        charge[i] = d->figures[i].charge;
        cost[i] = d->figures[i].cost;
    }
    return db_exec(db, &price_insert_units,
                   DB_ARGS(db_i64(id.v), db_texts(tiers, n), db_texts(units, n),
                           db_i64s(above, n), db_i64s(charge, n), db_i64s(cost, n),
                           db_texts(kinds, n)),
                   NULL);
}

int price_store(struct db *db, struct arena *a, const struct actor *actor,
                const struct price_draft *draft, struct price_id *ret)
{
    struct price_id id;
    int r = insert_version(db, a, actor, draft, &id);

    if (r == 0)
        r = insert_units(db, a, id, draft);
    if (r == 0)
        *ret = id;
    return r;
}

DB_QUERY(price_json,
         "SELECT (to_jsonb(p) || jsonb_build_object('units',"
         "        (SELECT jsonb_agg(to_jsonb(u) - 'price_id'"
         "                          ORDER BY u.service_tier, u.above_input_tokens, u.unit,"
         "                                   u.image_kind)"
         "           FROM price_unit u WHERE u.price_id = p.id)))::text AS json"
         "  FROM price p WHERE p.id = $1")

static int record(struct db *db, struct arena *a, const struct actor *actor, struct price_id id)
{
    struct change change = {.action = "price.publish", .kind = "price", .object_id = id.v};
    int r = db_one(db, &price_json, a, DB_ARGS(db_i64(id.v)),
                   DB_COLS(db_col_text("json", &change.after)));

    return r ? err_trace(db_fatal(r)) : change_record(db, actor, &change);
}

int price_publish(struct db *db, const struct actor *actor, const struct price_draft *draft,
                  struct price_id *ret, struct identity_fault *fault)
{
    _cleanup_(arena_freep) struct arena *a = arena_new(KIB(256));
    enum model_kind kind;
    struct price_id id;
    int r;

    if (!a)
        return err_origin(-ENOMEM);
    r = model_kind_of(db, a, draft->model, &kind);
    if (r == 0)
        r = price_draft_check(draft, kind, fault);
    if (r)
        return r;
    r = price_store(db, a, actor, draft, &id);
    if (r == DB_E_REFUSED) /* by the table: what could be checked here was checked above */
        return draft->effective_from_us
                   ? identity_fault_set(fault, "effective_from",
                                        "A price cannot start in the past.")
                   : identity_fault_set(fault, "target", "The model has no such target.");
    if (r)
        return err_trace(db_fatal(r));
    r = record(db, a, actor, id);
    if (r == 0)
        *ret = id;
    return r;
}

/* One line per figure; those of a version follow each other. */
DB_QUERY(price_versions,
         "SELECT v.id, coalesce(v.kind, '') AS kind, coalesce(v.target_id, 0) AS target_id,"
         "       v.effective_from, v.created_at,"
         "       CASE WHEN v.effective_from > now() THEN 2"
         "            WHEN EXISTS (SELECT FROM price_in_force f WHERE f.id = v.id) THEN 1"
         "            ELSE 0 END AS state,"
         "       v.source, v.note, v.override, coalesce(p.email, '') AS created_by_name,"
         "       u.service_tier, u.unit, u.above_input_tokens, u.image_kind,"
         "       u.charge_per_million_nano AS charge, u.cost_per_million_nano AS cost"
         "  FROM (SELECT * FROM price WHERE model_id = $1"
         "         ORDER BY effective_from DESC, id DESC LIMIT $2) v"
         "  LEFT JOIN person p ON p.id = v.created_by"
         "  JOIN price_unit u ON u.price_id = v.id"
         " ORDER BY v.effective_from DESC, v.id DESC,"
         "          array_position('{standard,flex,priority}'::text[], u.service_tier),"
         "          u.above_input_tokens, u.unit, u.image_kind")

struct versions {
    struct arena *a;
    struct price_version row, *last;
    struct db_rows rows;
    struct price_figure figure;
    struct str unit, service, image_kind;
    int32_t state;
};

/* Puts a figure in its place: by service tier, step, the order of usage.def, and visual_kind. */
static void put_figure(struct price_version *v, const struct price_figure *f)
{
    size_t at = v->n_figures++;

    for (; at > 0; at--) {
        const struct price_figure *before = &v->figures[at - 1];

        if (before->service != f->service || before->above_input_tokens != f->above_input_tokens ||
            before->unit < f->unit ||
            (before->unit == f->unit && strcmp(before->visual_kind, f->visual_kind) < 0))
            break;
        v->figures[at] = *before;
    }
    v->figures[at] = *f;
}

static int version_row(void *ctx)
{
    struct versions *l = ctx;
    int r;

    if (!l->last || l->last->id.v != l->row.id.v) {
        l->row.state = (enum price_state)l->state;
        l->row.n_figures = 0;
        l->row.figures = arena_array(l->a, struct price_figure, PRICE_FIGURES);
        if (!l->row.figures)
            return err_origin(-ENOMEM);
        r = db_rows_push(&l->rows);
        if (r)
            return err_trace(r);
        l->last = (struct price_version *)l->rows.v + l->rows.n - 1;
    }
    if (usage_unit_parse(l->unit, &l->figure.unit) != USAGE_OK ||
        service_tier_parse(l->service, &l->figure.service) != SERVICE_OK ||
        !price_visual_kind_parse(l->image_kind, l->figure.visual_kind) ||
        l->last->n_figures == PRICE_FIGURES)
        return 0;
    put_figure(l->last, &l->figure);
    return 0;
}

int price_history(struct db *db, struct arena *a, struct model_id model, struct price_version **ret,
                  size_t *ret_n)
{
    struct versions l = {.a = a};
    struct price_version *v = &l.row;
    int r;

    l.rows = DB_ROWS(a, &l.row);
    r = db_each(db, &price_versions, a, DB_ARGS(db_i64(model.v), db_i64(BOUND_PRICE_VERSIONS)),
                DB_COLS(db_col_i64("id", &v->id.v), db_col_text("kind", &v->kind),
                        db_col_i64("target_id", &v->target.v),
                        db_col_time_us("effective_from", &v->effective_from_us),
                        db_col_time_us("created_at", &v->created_us), db_col_i32("state", &l.state),
                        db_col_text("source", &v->source), db_col_text("note", &v->note),
                        db_col_bool("override", &v->override),
                        db_col_text("created_by_name", &v->created_by_name),
                        db_col_text("service_tier", &l.service), db_col_text("unit", &l.unit),
                        db_col_i64("above_input_tokens", &l.figure.above_input_tokens),
                        db_col_text("image_kind", &l.image_kind),
                        db_col_i64("charge", &l.figure.charge), db_col_i64("cost", &l.figure.cost)),
                version_row, &l);
    if (r)
        return err_trace(db_fatal(r));
    *ret = l.rows.v;
    *ret_n = l.rows.n;
    return CHANGE_OK;
}

DB_QUERY(price_figures,
         "SELECT service_tier, unit, above_input_tokens, image_kind,"
         "       charge_per_million_nano AS charge, cost_per_million_nano AS cost"
         "  FROM price_unit WHERE price_id = $1"
         " ORDER BY service_tier, above_input_tokens, unit, image_kind")

struct reading {
    struct price price;
    struct price_figure figure;
    struct str unit, service, image_kind;
    size_t n;
};

static int figure_row(void *ctx)
{
    struct reading *l = ctx;

    l->n++;
    if (usage_unit_parse(l->unit, &l->figure.unit) != USAGE_OK ||
        service_tier_parse(l->service, &l->figure.service) != SERVICE_OK ||
        !price_visual_kind_parse(l->image_kind, l->figure.visual_kind))
        return 0; /* of a newer version of this program, during an upgrade */
    return price_set(&l->price, &l->figure) == PRICE_SET_OK ? 0 : err_origin(-ERANGE);
}

int price_read(struct db *db, struct arena *a, struct price_id id, struct price *ret)
{
    struct reading l = {.n = 0};
    struct price_figure *f = &l.figure;
    int r;

    price_init(&l.price, id);
    r = db_each(db, &price_figures, a, DB_ARGS(db_i64(id.v)),
                DB_COLS(db_col_text("service_tier", &l.service), db_col_text("unit", &l.unit),
                        db_col_i64("above_input_tokens", &f->above_input_tokens),
                        db_col_text("image_kind", &l.image_kind),
                        db_col_i64("charge", &f->charge), db_col_i64("cost", &f->cost)),
                figure_row, &l);
    if (r)
        return err_trace(db_fatal(r));
    if (!l.n)
        return PRICE_READ_E_NONE;
    price_complete(&l.price);
    *ret = l.price;
    return PRICE_READ_OK;
}
