/* standing.c: see standing.h. Every text has its length before it, every number its end behind it, so
 * that no two routes read alike. */
#include "gateway/standing.h"

#include "base/bounds.h"
#include "base/buf.h"

/* A target takes some 300 bytes, a model has rarely more than ten. */
#define ROUTE_BYTES KIB(256)

static void put_text(struct buf *out, struct str text)
{
    buf_printf(out, "%zu:", text.n);
    buf_put_str(out, text);
}

static void put_number(struct buf *out, int64_t number)
{
    buf_put_i64(out, number);
    buf_putc(out, ';');
}

static void put_account(struct buf *out, const struct catalog_account *a)
{
    put_number(out, a->id.v);
    put_number(out, a->team.v);
    put_number(out, a->priority);
    put_text(out, str_c(a->provider->kind));
    put_text(out, a->place.region);
    put_text(out, a->place.project);
    for (size_t i = 0; i < a->n_headers; i++) {
        put_text(out, str_c(a->headers[i].name));
        put_text(out, a->headers[i].value);
    }
}

static void put_target(struct buf *out, const struct catalog_target *t,
                       const struct wire_format *client)
{
    const struct catalog_way *way = catalog_account_way(t->account, t->upstream_model, client);

    put_number(out, t->id.v);
    put_number(out, t->priority);
    put_number(out, t->price ? t->price->id.v : 0);
    put_number(out, t->lacks);
    put_number(out, target_context(t));
    put_number(out, target_output(t));
    put_text(out, t->upstream_model);
    put_text(out, str_c(t->output_limit_field));
    put_account(out, t->account);
    if (way) {
        put_text(out, str_c(way->way->format->name));
        put_text(out, way->url);
        put_text(out, way->stream_url);
    }
}

bool standing_of(const struct catalog_model *m, struct team_id team, const struct wire_format *client,
                 struct digest *ret)
{
    size_t n_own;
    const struct catalog_target *own = catalog_model_own(m, team, &n_own);
    struct buf out;
    bool made;

    buf_init(&out, ROUTE_BYTES);
    put_text(&out, m->name);
    put_number(&out, m->kind);
    put_number(&out, m->abilities);
    put_number(&out, m->strategy);
    put_number(&out, m->pinned ? m->pinned->id.v : 0);
    put_number(&out, m->drop_unsupported);
    for (size_t i = 0; i < n_own; i++)
        put_target(&out, &own[i], client);
    for (size_t i = 0; i < m->n_targets; i++)
        put_target(&out, &m->targets[i], client);
    made = buf_finish(&out) == 0;
    if (made)
        *ret = digest_plain(buf_str(&out));
    buf_done(&out);
    return made;
}
