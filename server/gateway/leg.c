/* leg.c: see leg.h: how a target is asked, and a stream's bytes as events. */
#include "gateway/leg.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "http/percent.h"
#include "gateway/call.h"
#include "json/scan.h"
#include "translation/edit.h"

static const struct leg_kind *kind_of(const struct wire_format *client,
                                      const struct wire_format *upstream)
{
    if (client == upstream)
        return &leg_same;
    if (client->video)
        return &leg_video;
    return client->embed ? &leg_embed : &leg_translated;
}

bool leg_choose(struct call *c, const struct catalog_target *target)
{
    struct leg *l = &c->leg;

    leg_close(l);
    *l = (struct leg){.way = catalog_account_way(target->account, target->upstream_model,
                                                 c->endpoint->format)};
    if (!l->way)
        return false;
    l->kind = kind_of(c->endpoint->format, l->way->way->format);
    return true;
}

struct str leg_model_url(struct arena *a, struct str url, struct str model)
{
    const struct str mark = STR("{model}");
    ssize_t at = str_find(url, '{');
    struct str name, tail;

    if (at < 0)
        return url;
    tail = str_n(url.p + at, url.n - (size_t)at);
    if (!str_starts(tail, mark))
        return url;
    name = percent_encode(a, model);
    return name.p ? arena_strf(a, "%.*s%.*s%.*s", (int)at, url.p, STR_FMT(name),
                               (int)(tail.n - mark.n), tail.p + mark.n)
                  : STR_NONE;
}

/* The snapshot's strings and the arena's end in NUL. */
const char *leg_url(const struct call *c, const struct catalog_target *target)
{
    return leg_model_url(c->r->arena, c->wire.llm.stream ? c->leg.way->stream_url : c->leg.way->url,
                         target->upstream_model)
        .p;
}

int leg_version_body(const struct leg *l, struct arena *a, struct buf *body)
{
    struct json_watch w[] = {{.path = "model"}, {.path = "anthropic_version"}};
    const char *version = l->way->way->version_in_body;
    struct json_scan_result result;
    struct json_fault fault;
    struct str text, whole;
    struct edit e;

    if (!version)
        return 0;
    buf_join(body);
    text = arena_strf(a, "\"%s\"", version);
    whole = arena_str(a, buf_str(body));
    if (!text.p || !whole.p)
        return err_origin(-ENOMEM);
    if (json_scan(whole, w, ARRAY_LEN(w), &result, &fault) != JSON_OK || !w[0].span.n)
        return err_origin(-EINVAL); /* it was written here, with its model */
    edit_begin(&e, whole);
    if (w[1].span.n) {
        edit_remove(&e, w[0].span);
    } else {
        edit_rename(&e, w[0].span, "anthropic_version");
        edit_replace(&e, w[0].span, text);
    }
    buf_reset(body);
    edit_apply(&e, body);
    return 0;
}

int leg_open(struct call *c)
{
    struct leg *l = &c->leg;
    const struct dialect *d = leg_format(l)->dialect;

    framing_init(&l->in, leg_format(l)->framing, d && d->image_events ? BOUND_SSE_IMAGE_BYTES : 0);
    repeat_init(&l->repeat);
    l->open = true;
    return l->kind->open ? l->kind->open(c) : 0;
}

void leg_close(struct leg *l)
{
    if (l->open) {
        framing_done(&l->in);
        repeat_done(&l->repeat);
    }
    arena_free(steal(&l->turn));
    l->open = false;
}

int leg_push(struct leg *l, struct str bytes)
{
    return framing_push(&l->in, bytes) == FRAMING_OK ? LEG_OK : LEG_E_TOO_LARGE;
}

void leg_end(struct leg *l)
{
    framing_end(&l->in);
}

int leg_next(struct leg *l, struct sse_event *ret)
{
    switch (framing_next(&l->in, ret)) {
    case FRAMING_OK:
        return LEG_OK;
    case FRAMING_E_MORE:
        return LEG_E_MORE;
    case FRAMING_E_END:
        return LEG_E_END;
    case FRAMING_E_BROKEN:
        return LEG_E_BAD;
    default:
        return LEG_E_TOO_LARGE;
    }
}
