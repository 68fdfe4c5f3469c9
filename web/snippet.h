/* snippet.h: the request that partials/snippet shows in several languages, ready to paste. */
#pragma once

#include "web/web.h"

/* Sets view.snippet to {base_url, root_url, gemini_url, key, model}. key empty: a placeholder; model empty: the
 * one that catalog/suggest.h names for chats. */
void snippet_view(struct web *w, struct str key, struct str model, struct json_object *view);
