/* import_entry.h: what a catalogue file says, whatever its format: one entry per model and
 * provider.
 *
 * A reader fills entries and judges each by itself; import.c compares them with what is there. All
 * memory is the arena's. */
#pragma once

#include "catalog/import.h"
#include "catalog/prices.h"

struct import_entry {
    struct str entry;  /* the file's name for it */
    struct str reason; /* p NULL: the entry is good; else why it is refused or skipped... */
    bool refused;      /* ...and which of the two */
    struct str name, vendor, description, upstream_model, note;
    const struct provider *provider;
    enum model_kind kind;
    int64_t context_tokens, max_output_tokens; /* 0: not known */
    uint32_t abilities;
    struct str *aliases;
    size_t n_aliases;
    struct price_figure *figures; /* charge and cost alike: what the file says */
    size_t n_figures;
    struct str untaken; /* prices of the file that are not sold here; empty: none */
};

struct import_entries {
    struct arena *a;
    struct import_entry *v;
    size_t n, cap;
};
int import_put(struct import_entries *entries, const struct import_entry *e) _must_use_;
/* Marks the entry; reason is static text or the arena's. */
void import_refuse(struct import_entry *e, struct str reason);
void import_skip(struct import_entry *e, struct str reason);
/* Adds a figure, room for PRICE_FIGURES being made with the first. f->charge alone is read: charge
 * and cost become alike. */
int import_figure(struct arena *a, struct import_entry *e, const struct price_figure *f) _must_use_;

/* Sets what the customer pays: the cost and so many hundredths of a percent, rounded up. */
void import_mark_up(struct import_entry *e, int32_t markup_bp);
/* Refuses the entry if the price could not be published. */
void import_check_price(struct import_entry *e);
struct known_offer;
bool import_same_price(const struct import_entry *e, const struct known_offer *offer);
/* "output 10.00 -> 8.00 USD per million" */
struct str import_differences(struct arena *a, const struct import_entry *e,
                              const struct known_offer *offer);

struct json_object;
/* The readers. IMPORT_OK or IMPORT_E_FORMAT with *fault_text. */
int import_read_own(const struct json_object *root, struct import_entries *ret,
                    struct str *ret_fault_text) _must_use_;
int import_read_litellm(const struct json_object *root, struct import_entries *ret) _must_use_;
bool import_is_own(const struct json_object *root);
