/* snippet.c: see snippet.h. */
#include "web/snippet.h"

#include "catalog/holder.h"
#include "catalog/suggest.h"

static struct str some_model(struct web *w)
{
    _cleanup_(catalog_unrefp) struct catalog *catalog = catalog_holder_get(w->services->catalog);
    const struct catalog_model *model = catalog ? catalog_suggest(catalog, MODEL_CHAT) : NULL;

    return model ? arena_str(w->arena, model->name) : STR("gpt-4o-mini");
}

void snippet_view(struct web *w, struct str key, struct str model, struct json_object *view)
{
    struct json_object *snippet = json_new_object();

    json_set_str(snippet, "base_url", web_url(w, STR("/v1")));
    json_set_str(snippet, "root_url", web_url(w, STR("")));
    json_set_str(snippet, "gemini_url", web_url(w, STR("/v1beta")));
    json_set_str(snippet, "key", key.n ? key : STR("tg-\u2026"));
    json_set_str(snippet, "model", model.n ? model : some_model(w));
    json_set(view, "snippet", snippet);
}
