/* operator_model.h: one model: what serves it, its incident switches, its settings. */
#pragma once

#include "catalog/models.h"
#include "web/web.h"

int page_operator_model(struct web *w) _must_use_;            /* GET /operator/models/{id} */
int page_operator_model_update(struct web *w) _must_use_;     /* POST /operator/models/{id} */
int page_operator_model_pin(struct web *w) _must_use_;        /* POST .../pin */
int page_operator_model_off(struct web *w) _must_use_;        /* POST .../off */
int page_operator_model_on(struct web *w) _must_use_;         /* POST .../on */
int page_operator_model_add_alias(struct web *w) _must_use_;  /* POST .../aliases */
int page_operator_model_drop_alias(struct web *w) _must_use_; /* POST .../aliases/delete */

/* What an answer to a refused POST tells beside the model. */
struct form;
struct model_told {
    const struct form *form;       /* its settings; NULL: as stored */
    const struct form *add_target; /* NULL: empty */
    const struct form *target;     /* of target_id; NULL: as stored */
    struct target_id target_id;
    const char *alias_fault, *off_fault;
    struct str alias; /* as typed */
};
/* The model in the path's first parameter; none is CHANGE_E_NONE. */
int operator_model_read(struct web *w, struct model_row *ret) _must_use_;
/* 422 with the model's page; begins the transaction anew. */
int operator_model_show_again(struct web *w, const struct model_row *row,
                              const struct model_told *told) _must_use_;
