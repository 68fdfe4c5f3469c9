/* operator_price_form.h: the form of a new price version: figures per unit and step of input
 * length, as decimal dollars per million, or per piece for what is counted in pieces.
 *
 * Fields: charge_UNIT, cost_UNIT (model/usage.def), and charge_UNIT_above_N for calls whose input
 * is longer than N tokens; empty: not named. Besides: applies_to, effective_from, note, override.
 */
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

/* One unit at one step: what was typed, and what is wrong with it. */
struct price_line {
    enum usage_unit unit;
    int64_t above;
    struct str charge, cost; /* empty: not named */
    const char *fault;
};

#define PRICE_LINES (USAGE_UNITS * BOUND_PRICE_TIERS)

struct price_form {
    struct form form;
    struct price_line lines[PRICE_LINES];
    size_t n_lines;
    struct price_figure figures[PRICE_LINES];
    size_t n_figures;
    const char *figures_fault; /* of no line */
    bool wrong;
};

/* Is the unit counted in pieces, so that its price is for one and not for a million? */
bool price_unit_is_piece(enum usage_unit unit);

/* Empty, with the model's targets and their kinds to choose from. */
int price_form_open(struct web *w, struct price_form *f, const struct model_row *model,
                    const struct target_row *targets, size_t n_targets) _must_use_;
/* The lines that a version names, to start from. */
void price_form_show(struct price_form *f, const struct price_version *v);
/* Lines for the units that a price usually names, and for those above this many input tokens. */
void price_form_add_usual(struct price_form *f, enum model_kind kind, int64_t above);
/* What was submitted, as a draft; f->wrong tells whether something cannot be read. */
int price_form_read(struct web *w, struct price_form *f, struct model_id model,
                    struct price_draft *ret) _must_use_;
/* Puts the service's fault beside its line or field. */
void price_form_fault(struct price_form *f, const struct identity_fault *fault);
void price_form_view(struct web *w, const struct price_form *f, struct json_object *view);
