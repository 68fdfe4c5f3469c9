/* route.h: which targets may serve a request, and in which order.
 *
 * Pure: a snapshot, the node's health figures, the request's needs and random numbers in, a list
 * out. Called once per call on its loop; the list fixes the candidates and their prices at
 * admission. A team's own accounts go before the installation's, within the request's own order; where
 * one of them is for itself alone (own_only), the installation's are no candidates. A pin is about the
 * installation's: a team's own are asked before the pinned one. Before each try the caller asks
 * health_begin(). */
#pragma once

#include "base/bounds.h"
#include "catalog/snapshot.h"
#include "providers/health.h"
#include "providers/pace.h"

/* Names in one list of a request's preferences, and models of its fallback list. */
#define ROUTE_NAMES_MAX 16
#define ROUTE_MODELS_MAX 8

/* Which of the targets that suit is asked first. */
enum route_sort {
    SORT_NONE,       /* as the model's strategy says */
    SORT_PRICE,      /* what the customer pays for such a request */
    SORT_LATENCY,    /* to the first byte */
    SORT_THROUGHPUT, /* tokens a second */
    SORT_COST        /* what the operator pays; for strategies */
};

struct route_names {
    struct str v[ROUTE_NAMES_MAX];
    size_t n;
};

/* What a request may say about its route, in OpenRouter's words: `models` and `provider {...}`. A
 * provider is named by its kind or by its account's name, letter case ignored. */
struct route_preference {
    struct str models[ROUTE_MODELS_MAX]; /* tried in order after the request's own model */
    size_t n_models;
    struct route_names order; /* these first, in this order; then the others */
    struct route_names only;  /* n 0: all */
    struct route_names ignore;
    bool no_fallbacks; /* allow_fallbacks: false. Only the first candidate */
    enum route_sort sort;
    enum data_policy data_policy; /* at the least: data_collection, zdr */
    bool whole; /* require_parameters: nothing of the request may be left out, whatever the model says */
    /* max_price, nano-dollars per million units of what the customer pays; < 0: no limit. */
    int64_t max_input_price, max_output_price, max_request_price;
};
#define ROUTE_PREFERENCE_NONE   \
    ((struct route_preference){ \
        .max_input_price = -1, .max_output_price = -1, .max_request_price = -1})

struct route_request {
    const struct catalog *catalog;
    struct health_board *health;
    struct pace_board *pace; /* NULL: nothing is known */
    int64_t now_ms;
    const struct catalog_model *model;
    enum route_sort sort; /* of the suffix of its name (variant.h), unless the preference has another */
    struct team_id team;  /* its own accounts may be used, those of other teams never */
    enum model_kind kind; /* what is asked for: chat or an embedding */
    const struct wire_format *format; /* the client's */
    uint32_t abilities;   /* bits that the target has to have */
    /* The least that the input can be, in tokens: beyond a target's context it is not asked. 0: not
     * known. */
    int64_t input_tokens_least;
    /* What the client allows an answer to have: beyond a target's limit it is not asked. 0: not given. */
    uint64_t output_tokens;
    enum service_tier service; /* asked for */
    /* It wants its provider to search the web: a target that is asked in its own format has to be able
     * to, and to have a price for it. Of one that is not, the translation says what it cannot be told. */
    bool searches;
    const struct route_preference *preference; /* NULL: none */
    /* May the key use this model? Asked for each model of the list. NULL: yes. */
    bool (*allowed)(void *ctx, const struct catalog_model *m);
    void *ctx;
};

struct route_plan {
    const struct catalog_target *candidates[BOUND_ATTEMPTS]; /* retries stand as repetitions */
    size_t n;
};

enum {
    ROUTE_OK = 0,
    ROUTE_E_DENIED,     /* the key may not use the model */
    ROUTE_E_DISABLED,   /* the model is not enabled */
    ROUTE_E_OFF,        /* an operator switched its route off */
    ROUTE_E_KIND,       /* the model is of the other kind */
    ROUTE_E_NO_TARGET,  /* nothing enabled and usable */
    ROUTE_E_FORMAT,     /* they do not speak the client's format, nor one it is translated into */
    ROUTE_E_ABILITY,    /* the targets cannot do what is asked */
    ROUTE_E_CONTEXT,    /* the input is longer than their context */
    ROUTE_E_OUTPUT,     /* the answer may be longer than they can write */
    ROUTE_E_NO_PRICE,   /* there are targets, but none has a price */
    ROUTE_E_SERVICE,    /* priced, but not at the service tier that is asked for */
    ROUTE_E_SEARCH,     /* no searches of the web are sold */
    ROUTE_E_PREFERENCE, /* the request's own wishes leave nothing */
    ROUTE_E_MAX_PRICE,  /* nothing is as cheap as max_price */
};
/* On ROUTE_OK at least one candidate; else *ret is untouched and the outcome is that of the
 * request's own model. Accounts that cool down come last, so they are used only when nothing else
 * is left. */
int route_pick(const struct route_request *request, struct route_plan *ret) _must_use_;
/* For the problem's message: in the arena where it tells why an operator switched the model off; p
 * NULL: no memory. */
struct str route_sentence(struct arena *a, const struct catalog_model *m, int outcome);
