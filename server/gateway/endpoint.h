/* endpoint.h: the API families that calls go through, as rows. */
#pragma once

#include "catalog/snapshot.h"
#include "translation/dialect.h"

struct endpoint {
    const char *name; /* as in the record: "chat.completions" */
    const struct dialect *dialect;
    enum model_kind kind;
};
extern const struct endpoint endpoint_chat, endpoint_embeddings;

/* Where the account serves it; p NULL: nowhere. */
struct str endpoint_url(const struct endpoint *e, const struct catalog_account *account);
