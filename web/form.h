/* form.h: forms as tables: what a field is called, what it takes, and what is said when it is wrong.
 *
 * The same struct carries what was typed back to the page, so that nothing has to be typed twice.
 * templates/partials/field.html prints one field. Rules that belong to the thing itself (a name is
 * taken) are the services'; their faults are put beside the field by form_fault(). */
#pragma once

#include "identity/fault.h"
#include "json/value.h"
#include "web/urlencoded.h"

enum form_kind {
    FORM_TEXT,
    FORM_EMAIL,
    FORM_PASSWORD, /* never sent back */
    FORM_INTEGER,  /* .number; empty is 0 unless required */
    FORM_MONEY,    /* .money; "12.50", "$12.50", "1,000" */
    FORM_DAY,      /* "2026-11-21" */
    FORM_CHOICE,   /* one of the options that the page adds */
    FORM_MANY,     /* check boxes: any of the options */
    FORM_SWITCH,   /* one check box: .on */
    FORM_LINES,    /* a text area; its lines end with LF */
};

struct form_field {
    const char *name, *label;
    enum form_kind kind;
    bool required;
    int64_t min, max; /* characters of texts, bounds of integers, nano-dollars; max 0: none */
    const char *help, *placeholder, *autocomplete; /* NULL: none */
    const char *list;                              /* id of a datalist on the page; NULL: none */
};

struct form_value {
    struct str text;  /* trimmed, but for passwords */
    struct str *many; /* FORM_MANY */
    size_t n_many;
    int64_t number;
    struct money money;
    bool on;
    const char *fault; /* the sentence beside the field; NULL: none */
    struct json_object *options;
};

#define FORM_FIELDS 24
struct form {
    struct arena *arena;
    const struct form_field *fields;
    size_t n;
    struct form_value v[FORM_FIELDS];
    const char *fault; /* of no field */
    bool wrong;
};

/* An empty form; its options live as long as the arena. */
int form_init(struct form *f, struct arena *a, const struct form_field *fields, size_t n)
    _must_use_;
/* Fills it from what was submitted. Afterwards f->wrong tells whether a field is not as its table
 * says; add options before, so that choices are checked. */
int form_read(struct form *f, const struct pairs *submitted) _must_use_;
/* What an edit form shows at first. */
void form_set(struct form *f, size_t field, struct str text);
void form_set_i64(struct form *f, size_t field, int64_t v); /* 0: empty */
void form_set_money(struct form *f, size_t field, struct money m);
void form_set_on(struct form *f, size_t field, bool on);
int form_set_many(struct form *f, size_t field, const struct str *v, size_t n) _must_use_;
void form_set_lines(struct form *f, size_t field, const struct str *v, size_t n); /* one each */
void form_option(struct form *f, size_t field, struct str value, struct str label);

/* Of a text area, the lines that are not empty, trimmed; in the arena. -ENOMEM. */
int form_lines(const struct form *f, size_t field, const struct str **ret, size_t *ret_n) _must_use_;

/* Puts a service's fault beside its field, or above the form. */
void form_fault(struct form *f, const struct identity_fault *fault);
void form_fault_at(struct form *f, size_t field, const char *sentence);

/* Sets view.key to {fault, NAME: field, ...}; each field is what partials/field wants. Its id on the page is
 * its name, and of a form whose key is not "form" KEY-NAME, since a page may have several. */
void form_view(const struct form *f, struct json_object *view, const char *key);
