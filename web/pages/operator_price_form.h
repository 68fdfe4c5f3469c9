/* operator_price_form.h: the form of a new price version: figures per unit and step of input
 * length, as decimal dollars per million, or per piece for what is counted in pieces.
 *
 * Fields: charge_UNIT, cost_UNIT (model/usage.def), charge_UNIT_above_N for calls whose input is
 * longer than N tokens, charge_TIER_UNIT for another service tier, and charge_image:KIND for images
 * of a quality and size, charge_second:KIND for a video of a size; empty: not named. Besides: applies_to,
 * effective_from, note, override. */
#pragma once

#include "catalog/models.h"
#include "catalog/prices.h"
#include "web/form.h"
#include "web/web.h"

enum price_field {
    PRICE_FIELD_APPLIES_TO,
    PRICE_FIELD_EFFECTIVE_FROM,
    PRICE_FIELD_NOTE,
    PRICE_FIELD_OVERRIDE,
    PRICE_FIELDS
};

/* One unit at one step of a service tier: what was typed, and what is wrong with it. */
struct price_line {
    enum service_tier service;
    int64_t above;
    enum usage_unit unit;
    char visual_kind[PRICE_VISUAL_KIND]; /* empty: of all others */
    struct str charge, cost; /* empty: not named */
    const char *fault;
};

#define PRICE_LINES PRICE_FIGURES

struct price_form {
    struct form form;
    struct price_line lines[PRICE_LINES];
    size_t n_lines;
    struct price_figure figures[PRICE_LINES];
    size_t n_figures;
    const char *figures_fault; /* of no line */
    bool wrong;
};

/* Empty, with the model's targets and their kinds to choose from. */
int price_form_open(struct web *w, struct price_form *f, const struct model_row *model,
                    const struct target_row *targets, size_t n_targets) _must_use_;
/* The lines that a version names, to start from. */
void price_form_show(struct price_form *f, const struct price_version *v);
/* Lines for the units that a price usually names, of a service tier, above so many input tokens. */
void price_form_add_usual(struct price_form *f, enum model_kind kind, enum service_tier service,
                          int64_t above);
/* A line for one unit more; visual_kind: empty, or one that the unit has. */
void price_form_add(struct price_form *f, enum usage_unit unit, const char *visual_kind,
                    enum service_tier service);
/* What was submitted, as a draft; f->wrong tells whether something cannot be read. */
int price_form_read(struct web *w, struct price_form *f, struct model_id model,
                    struct price_draft *ret) _must_use_;
/* Puts the service's fault beside its line or field. */
void price_form_fault(struct price_form *f, const struct identity_fault *fault);
void price_form_view(struct web *w, const struct price_form *f, struct json_object *view);
