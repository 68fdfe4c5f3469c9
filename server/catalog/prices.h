/* prices.h: price versions, and the price list that customers see (see change.h).
 *
 * A version is never changed. A new one is in force from its moment on, and until a newer one is; a
 * scheduled one is taken back by another for the same moment. It holds for one target, for all
 * targets at one kind of provider, or for the whole model. An operator's price goes before imported
 * ones; of those that are left the most exact counts. */
#pragma once

#include "catalog/change.h"
#include "catalog/snapshot.h"

enum price_source { PRICE_BY_OPERATOR, PRICE_BY_IMPORT, PRICE_BY_DEMO };
const char *price_source_name(enum price_source s); /* "operator", "import", "demo" */

struct price_draft {
    struct model_id model;
    struct str kind;           /* all targets at providers of this kind; empty: any */
    struct target_id target;   /* this one only; v 0: any */
    int64_t effective_from_us; /* 0: now; the past is a fault */
    enum price_source source;
    bool override; /* the operator confirmed figures above the ceiling */
    struct str note;
    const struct price_figure *figures;
    size_t n_figures; /* at least one */
};
/* Figures above the ceiling are a fault of field "override" unless confirmed; above the absurd one
 * they are a fault always. */
int price_publish(struct db *db, const struct actor *actor, const struct price_draft *draft,
                  struct price_id *ret, struct identity_fault *fault) _must_use_;
int price_draft_check(const struct price_draft *draft, enum model_kind kind,
                      struct identity_fault *fault) _must_use_;
/* One figure by itself, the draft's `override` being on or not. */
int price_figure_check(const struct price_figure *f, bool override,
                       struct identity_fault *fault) _must_use_;
/* The row and its figures, without a check and without a word in the audit log: for imports, which
 * check and tell for themselves. Database outcomes. */
int price_store(struct db *db, struct arena *a, const struct actor *actor,
                const struct price_draft *draft, struct price_id *ret) _must_use_;
/* The most that a unit may cost per million, usually and with an override. */
int64_t price_ceiling(enum usage_unit unit, bool override);

enum price_state { PRICE_PAST, PRICE_CURRENT, PRICE_SCHEDULED };
struct price_version {
    struct price_id id;
    struct str kind;         /* empty: any */
    struct target_id target; /* v 0: any */
    int64_t effective_from_us, created_us;
    enum price_state state;
    struct str source, note, created_by_name;
    bool override;
    struct price_figure *figures; /* by service tier, step, unit */
    size_t n_figures;
};
/* Of one model, newest first, at most BOUND_PRICE_VERSIONS. */
int price_history(struct db *db, struct arena *a, struct model_id model, struct price_version **ret,
                  size_t *ret_n) _must_use_;

/* One version, complete: for those who explain what a call was charged. */
enum { PRICE_READ_OK = 0, PRICE_READ_E_NONE = 1 };
int price_read(struct db *db, struct arena *a, struct price_id id, struct price *ret) _must_use_;

/* One line of the price list: one unit of one model at one provider kind and service tier. */
struct price_row {
    const struct catalog_model *model;
    const char *provider, *provider_label; /* kind; NULL: the price holds at all of them */
    struct price_id price;
    enum service_tier service;
    enum usage_unit unit;
    const char *visual_kind; /* of images, "high/1024x1024", or a video, "1280x720"; empty: all others */
    int64_t above_input_tokens;
    struct money charge; /* per million units */
    int64_t effective_from_us;
};
/* Of everything that is served now, straight from a snapshot: what is shown is what is charged.
 * A unit has no line where it costs what the last line for shorter input says, or what its stand-in
 * costs (model/usage.def). Rows live in the arena and point into the snapshot. Any thread. */
int price_list(const struct catalog *c, struct arena *a, struct price_row **ret,
               size_t *ret_n) _must_use_;
