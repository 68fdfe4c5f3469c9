/* operator_area.c: see operator_area.h. */
#include "web/pages/operator_area.h"

#include <inttypes.h>

#include "base/bounds.h"

int operator_render(struct web *w, int status, const char *name, const char *title,
                    struct json_object *view)
{
    return web_render_as(w, status, name, title, view);
}

int64_t operator_query_id(struct web *w, const char *name)
{
    struct str text = request_query(w->req, name);
    int64_t id;

    return text.n && str_i64(text, &id) == STR_OK && id > 0 ? id : 0;
}

struct str operator_page_link(struct web *w, struct str path, const char *name, struct str value,
                              int64_t before)
{
    struct str id = before ? arena_strf(w->arena, "%" PRId64, before) : STR_NONE, link;
    struct buf url;

    buf_init(&url, BOUND_URL_BYTES + KIB(4));
    buf_put_str(&url, path);
    query_put(&url, name, value);
    query_put(&url, "before", id);
    link = arena_str(w->arena, buf_str(&url));
    buf_done(&url);
    return link;
}
