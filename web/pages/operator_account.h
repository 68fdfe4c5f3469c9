/* operator_account.h: one provider account: how it is doing, its settings, its key, what it serves
 * and its end. */
#pragma once

#include "catalog/accounts.h"
#include "web/web.h"

int page_operator_account(struct web *w) _must_use_;         /* GET /operator/accounts/{id} */
int page_operator_account_update(struct web *w) _must_use_;  /* POST /operator/accounts/{id} */
int page_operator_account_key(struct web *w) _must_use_;     /* POST .../key */
int page_operator_account_adopt(struct web *w) _must_use_;   /* POST .../adopt */
int page_operator_account_enable(struct web *w) _must_use_;  /* POST .../enable */
int page_operator_account_disable(struct web *w) _must_use_; /* POST .../disable */
int page_operator_account_delete(struct web *w) _must_use_;  /* POST .../delete */

/* What an answer to a POST tells beside the account. */
struct form;
struct operate_probe;
struct account_told {
    const struct form *form;           /* NULL: as stored */
    const struct operate_probe *probe; /* NULL: no test was run */
    const struct form *secret;         /* of a new credential that was refused; NULL: empty */
    const char *delete_fault;
};
/* The account in the path; none is CHANGE_E_NONE. */
int operator_account_read(struct web *w, struct account_row *ret) _must_use_;
int operator_account_show(struct web *w, int status, const struct account_row *row,
                          const struct account_told *told) _must_use_;
