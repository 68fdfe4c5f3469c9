/* identity_provider.h: signing in by the installation's identity provider (oidc/oidc.h), and linking it with an
 * account.
 *
 * Each way to fail ends on a page of its own that says in a sentence what is wrong and lets one try again; the log
 * has the reason as a word. To the provider a browser goes by a link or by a page that moves on by itself, never by
 * a form: the pages' policy lets forms lead to this site only, and providers have others behind them. */
#pragma once

#include "web/form.h"
#include "web/web.h"

int page_provider_sign_in(struct web *w) _must_use_;  /* GET /sign-in/provider, waiting lane */
int page_provider_callback(struct web *w) _must_use_; /* GET /sign-in/provider/callback, waiting lane */
int page_provider_link(struct web *w) _must_use_;     /* POST /account/provider, passwords lane */
int page_provider_go(struct web *w) _must_use_;       /* GET /account/provider/go, waiting lane */
int page_provider_unlink(struct web *w) _must_use_;   /* POST /account/provider/unlink */

/* Sets view.provider: {name, link, may_sign_up}, or null where none is set. The link goes on to `next`, or with the
 * invite, of which either may be empty. fresh: the provider is to ask who it is, since whom it knows came to
 * nothing. */
void provider_button(struct web *w, struct json_object *view, struct str next, struct str invite, bool fresh);
/* Whether it may make an account for a stranger, who may have an invite. */
bool provider_may_sign_up(const struct web *w, struct str invite);
/* The account's card, view.provider, and whether the person has a password of use: view.has_password. form NULL:
 * an empty one. */
int provider_card(struct web *w, const struct form *form, struct json_object *view) _must_use_;
