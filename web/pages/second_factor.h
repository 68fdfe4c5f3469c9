/* second_factor.h: one's own second factor: set up, confirmed, ended; recovery codes. */
#pragma once

#include "web/form.h"
#include "web/web.h"

/* view.factor, for the account's page; form NULL: an empty one. */
int factor_view(struct web *w, const struct form *form, struct json_object *view) _must_use_;

int page_factor_begin(struct web *w) _must_use_;   /* POST /account/second-factor, passwords lane */
int page_factor_confirm(struct web *w) _must_use_; /* POST .../confirm */
int page_factor_renew(struct web *w) _must_use_;   /* POST .../codes */
int page_factor_end(struct web *w) _must_use_;     /* POST .../end */
