/* provider_failure.h: the page on which a sign-in by the identity provider ends that came to nothing. */
#pragma once

#include "oidc/oidc.h"
#include "web/web.h"

/* Of the way to the provider and back. detail NULL: there is nothing more to log. */
int provider_failed(struct web *w, const struct oidc_flow *flow, enum oidc_outcome outcome,
                    const struct oidc_detail *detail) _must_use_;
/* The provider has said who it is, and that person may not come in: an outcome of identity/federated.h above 0.
 * sentence NULL: the usual one. */
int provider_refused(struct web *w, const struct oidc_flow *flow, int outcome, const struct oidc_person *person,
                     const char *sentence) _must_use_;
