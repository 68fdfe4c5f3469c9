/* call_embedding.h: of the page of one request, the way to the call that embedded its question, and back. */
#pragma once

#include "model/record.h"
#include "web/web.h"

/* view.embedding {link, failed, charge, cost}: the call that embedded its question; null: none did, or none yet.
 * view.made_for: the link to the call whose question it embedded; null: a client made it. */
int call_embedding_view(struct web *w, const struct call_record *call, bool for_operator,
                        struct json_object *view) _must_use_;
