/* keys.h: the team's virtual keys: the list, and minting one. */
#pragma once

#include "web/web.h"

int page_keys(struct web *w) _must_use_;     /* GET /keys */
int page_keys_new(struct web *w) _must_use_; /* GET /keys/new */
int page_keys_mint(struct web *w) _must_use_; /* POST /keys */

struct key_minted;
/* The page that shows a secret once; overlap NULL: none. */
int keys_show_secret(struct web *w, const char *title, struct str name, struct str model,
                     const struct key_minted *minted, struct str overlap) _must_use_;
