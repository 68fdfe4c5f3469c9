/* import.c: comparing what a file says with what is there, and bringing it about.
 *
 * Everything happens in one transaction under a lock of its own; lines are told when it is
 * committed, since a transaction may run twice. What is known is kept up to date on the way, so
 * that an entry which the file repeats is compared with its first occurrence, also in a dry run. */
#include "catalog/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/err.h"
#include "catalog/import_known.h"
#include "db/tx.h"
#include "json/scan.h"

struct import {
    struct db *db;
    const struct actor *actor;
    const struct import_options *options;
    struct import_entries entries;
    /* From here on made anew by each run of the transaction. */
    struct arena *a;
    struct known known;
    int64_t next_as_if; /* ids in a dry run */
    struct import_line *lines;
    struct import_result result;
};

const char *import_verdict_name(enum import_verdict v)
{
    static const char *const names[] = {"added", "changed", "unchanged", "refused", "skipped"};

    assert((size_t)v < ARRAY_LEN(names));
    return names[v];
}

static void tell(struct import *im, const struct import_entry *e, enum import_verdict verdict,
                 struct str detail)
{
    size_t n = 0;

    for (size_t i = 0; i < IMPORT_VERDICTS; i++)
        n += im->result.count[i];
    if (e->untaken.n && (verdict == IMPORT_ADDED || verdict == IMPORT_CHANGED))
        detail = arena_strf(im->a, "%.*s%snot taken: %.*s", STR_FMT(detail), detail.n ? "; " : "",
                            STR_FMT(e->untaken));
    im->lines[n] = (struct import_line){verdict, e->name, e->entry, detail};
    im->result.count[verdict]++;
}

static bool same_facts(const struct import_entry *e, const struct model_draft *is)
{
    return str_eq(e->vendor, is->vendor) && str_eq(e->description, is->description) &&
           e->context_tokens == is->context_tokens &&
           e->max_output_tokens == is->max_output_tokens && e->abilities == is->abilities &&
           is->abilities_known;
}

static void take_facts(const struct import_entry *e, struct model_draft *is)
{
    is->vendor = e->vendor;
    is->description = e->description;
    is->context_tokens = e->context_tokens;
    is->max_output_tokens = e->max_output_tokens;
    is->abilities = e->abilities;
    is->abilities_known = true;
}

static int add_aliases(struct import *im, const struct import_entry *e, struct known_model *m)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < e->n_aliases; i++) {
        if (known_model_of(&im->known, e->aliases[i]) || !model_name_good(e->aliases[i]))
            continue;
        r = known_put_model(&im->known, e->aliases[i], m);
        if (r == 0 && !im->options->dry_run)
            r = import_store_alias(im->db, m->id, e->aliases[i]);
    }
    return r;
}

static int add_model(struct import *im, const struct import_entry *e, struct known_model **ret)
{
    struct known_model *m = arena_new0(im->a, struct known_model);
    int r;

    if (!m)
        return err_origin(-ENOMEM);
    model_draft_init(&m->is);
    m->is.name = e->name;
    m->is.kind = e->kind;
    m->told = true;
    m->id.v = --im->next_as_if;
    take_facts(e, &m->is);
    r = im->options->dry_run ? 0 : model_store(im->db, im->a, im->actor, &m->is, &m->id);
    if (r == 0)
        r = known_put_model(&im->known, e->name, m);
    if (r == 0)
        r = add_aliases(im, e, m);
    if (r == 0)
        *ret = m;
    return r;
}

/* The offer and a version of its price, as the file says. */
static int set_price(struct import *im, const struct import_entry *e, const struct known_model *m,
                     struct known_offer *offer)
{
    const struct price_draft draft = {
        .model = m->id,
        .kind = str_c(e->provider->kind),
        .source = PRICE_BY_IMPORT,
        .note = e->note,
        .figures = e->figures,
        .n_figures = e->n_figures,
    };
    struct price_id id;

    offer->figures = e->figures;
    offer->n_figures = e->n_figures;
    return im->options->dry_run ? 0 : price_store(im->db, im->a, im->actor, &draft, &id);
}

static int set_offer(struct import *im, const struct import_entry *e, const struct known_model *m,
                     struct known_offer *offer)
{
    offer->upstream_model = e->upstream_model;
    return im->options->dry_run
               ? 0
               : import_store_offer(im->db, m->id, e->provider->kind, e->upstream_model);
}

static int add_offer(struct import *im, const struct import_entry *e, const struct known_model *m)
{
    struct known_offer *offer;
    int r = known_need_offer(&im->known, m->id, e->provider->kind, &offer);

    if (r == 0)
        r = set_offer(im, e, m, offer);
    if (r == 0)
        r = set_price(im, e, m, offer);
    if (r == 0)
        offer->told = true;
    return r;
}

/* What differs between the file and a model and provider that are there. */
struct differences {
    bool price, facts, name;
    struct str detail;
};

static struct differences differences_of(struct import *im, const struct import_entry *e,
                                         const struct known_model *m,
                                         const struct known_offer *offer)
{
    struct differences d = {
        .price = !import_same_price(e, offer),
        .facts = !m->told && !same_facts(e, &m->is),
        .name = !str_eq(offer->upstream_model, e->upstream_model),
        .detail = STR("its facts"),
    };

    if (d.price)
        d.detail = import_differences(im->a, e, offer);
    return d;
}

static int settle(struct import *im, const struct import_entry *e, struct known_model *m,
                  struct known_offer *offer, const struct differences *d)
{
    int r = 0;

    if (d->price)
        r = set_price(im, e, m, offer);
    if (r == 0 && d->name)
        r = set_offer(im, e, m, offer);
    if (r == 0 && d->facts) {
        take_facts(e, &m->is);
        r = im->options->dry_run ? 0 : import_store_facts(im->db, m);
    }
    return r;
}

static int update(struct import *im, const struct import_entry *e, struct known_model *m,
                  struct known_offer *offer)
{
    const struct differences d = differences_of(im, e, m, offer);
    bool again = offer->told;
    int r;

    m->told = offer->told = true;
    if (d.price && again) {
        tell(im, e, IMPORT_REFUSED, STR("the file states another price of it before"));
        return 0;
    }
    if (d.price && offer->by_operator) {
        tell(im, e, IMPORT_SKIPPED, STR("an operator has set its price"));
        return 0;
    }
    r = settle(im, e, m, offer, &d);
    if (d.price || d.facts || d.name)
        tell(im, e, IMPORT_CHANGED, d.detail);
    else
        tell(im, e, IMPORT_UNCHANGED, STR(""));
    return r;
}

static int bring_about(struct import *im, const struct import_entry *e)
{
    struct known_model *m = known_model_of(&im->known, e->name);
    struct known_offer *offer = m ? known_offer_of(&im->known, m->id, e->provider->kind) : NULL;
    bool is_new = !m;
    int r = 0;

    if (m && m->before && im->options->only_new) {
        tell(im, e, IMPORT_SKIPPED, STR("the model is there already"));
        return 0;
    }
    if (m && m->is.kind != e->kind) {
        tell(im, e, IMPORT_REFUSED, STR("the model is there as one of another kind"));
        return 0;
    }
    if (offer)
        return update(im, e, m, offer);
    if (is_new)
        r = add_model(im, e, &m);
    if (r == 0)
        r = add_offer(im, e, m);
    if (r == 0)
        tell(im, e, IMPORT_ADDED, is_new ? STR("") : STR("another provider of the model"));
    return r;
}

static int record(struct import *im)
{
    struct change change = {.action = "catalogue.import", .kind = "catalogue"};
    size_t *n = im->result.count;

    if (im->options->dry_run || n[IMPORT_ADDED] + n[IMPORT_CHANGED] == 0)
        return 0;
    change.after = arena_strf(im->a,
                              "{\"added\":%zu,\"changed\":%zu,\"unchanged\":%zu,\"refused\":%zu,"
                              "\"skipped\":%zu}",
                              n[IMPORT_ADDED], n[IMPORT_CHANGED], n[IMPORT_UNCHANGED],
                              n[IMPORT_REFUSED], n[IMPORT_SKIPPED]);
    return change.after.p ? change_record(im->db, im->actor, &change) : err_origin(-ENOMEM);
}

/* May run again after a failure, from nothing. */
static int import_run(struct db *db, void *ctx)
{
    struct import *im = ctx;
    int r;

    known_done(&im->known);
    im->result = (struct import_result){{0}};
    im->next_as_if = 0;
    im->lines = arena_array(im->a, struct import_line, im->entries.n + 1);
    if (!im->lines)
        return err_origin(-ENOMEM);
    r = known_init(&im->known, im->a);
    if (r == 0)
        r = catalog_lock(db);
    if (r == 0)
        r = import_load(db, &im->known);
    for (size_t i = 0; r == 0 && i < im->entries.n; i++) {
        const struct import_entry *e = &im->entries.v[i];

        if (e->reason.p)
            tell(im, e, e->refused ? IMPORT_REFUSED : IMPORT_SKIPPED, e->reason);
        else
            r = bring_about(im, e);
    }
    return r ? r : record(im);
}

static int read_entries(struct import *im, const struct json_object *root, struct str *ret_fault)
{
    int r = import_is_own(root) ? import_read_own(root, &im->entries, ret_fault)
                                : import_read_litellm(root, &im->entries);

    for (size_t i = 0; r == 0 && i < im->entries.n; i++) {
        struct import_entry *e = &im->entries.v[i];

        if (e->reason.p)
            continue;
        import_mark_up(e, im->options->markup_bp);
        import_check_price(e);
    }
    return r;
}

static int parse(struct arena *a, struct str text, struct json_object **ret, struct str *ret_fault)
{
    struct json_scan_result scan;
    struct json_fault why = {.path = ""};
    int r = json_scan(text, NULL, 0, &scan, &why);

    if (r == JSON_OK && scan.root_kind == JSON_OBJECT)
        r = json_parse(text, ret, &why);
    else if (r == JSON_OK)
        r = JSON_E_FAULT;
    if (r < 0)
        return err_trace(r);
    if (r == JSON_OK)
        return IMPORT_OK;
    *ret_fault = arena_strf(a, "byte %zu, %s: %s", why.at, why.path,
                            why.reason[0] ? why.reason : "not a JSON object");
    return IMPORT_E_FORMAT;
}

int catalog_import(struct db *db, struct arena *a, const struct actor *actor, struct str text,
                   const struct import_options *options, struct import_result *ret,
                   struct str *ret_fault_text)
{
    struct import im = {.db = db, .actor = actor, .options = options, .a = a, .entries = {.a = a}};
    _cleanup_json_ struct json_object *root = NULL;
    int r = parse(a, text, &root, ret_fault_text);

    if (r == 0)
        r = read_entries(&im, root, ret_fault_text);
    if (r)
        return r < 0 ? err_trace(r) : r;
    r = db_tx(db, DB_SYSTEM, "catalog_import", import_run, &im);
    known_done(&im.known);
    if (r == DB_E_AWAY || r == -ENOTCONN)
        return IMPORT_E_AWAY;
    if (r)
        return err_trace(db_fatal(r));
    for (size_t i = 0; options->line && i < im.entries.n; i++)
        options->line(options->ctx, &im.lines[i]);
    *ret = im.result;
    return IMPORT_OK;
}

/* The whole file in the arena; p NULL: it cannot be read or is too large. */
static struct str file_text(struct arena *a, int fd)
{
    struct stat st;
    size_t n = 0;
    char *p;

    if (fstat(fd, &st) < 0 || st.st_size < 0 || (size_t)st.st_size > BOUND_CATALOG_FILE_BYTES)
        return STR_NONE;
    p = arena_alloc(a, (size_t)st.st_size + 1);
    while (p && n < (size_t)st.st_size) {
        ssize_t got = read(fd, p + n, (size_t)st.st_size - n);

        if (got <= 0)
            return STR_NONE;
        n += (size_t)got;
    }
    return str_n(p, n);
}

int catalog_import_file(struct db *db, struct arena *a, const struct actor *actor, const char *path,
                        const struct import_options *options, struct import_result *ret,
                        struct str *ret_fault_text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct str text;

    if (fd < 0)
        return IMPORT_E_READ;
    text = file_text(a, fd);
    close(fd);
    if (!text.p)
        return IMPORT_E_READ;
    return catalog_import(db, a, actor, text, options, ret, ret_fault_text);
}
