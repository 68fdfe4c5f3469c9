/* reference.h: the management API's document (admin/openapi.json) as views for the page that shows it.
 * Nothing of the page is written twice: what the document does not say, the page does not show. */
#pragma once

#include "json/value.h"

/* Sets view.families, an array of {name, anchor, description, operations}, in the order of the
 * document's tags, and view.objects, of {name, anchor, description, base, base_link, fields}: the
 * components that answers are made of. Each operation has {method, method_class, path, anchor, summary, who,
 * params, body, answers, curl, curl_id}; fields are schema.h's. base_url: of this installation. */
void reference_view(struct arena *a, const struct json_object *document, struct str base_url,
                    struct json_object *view);
