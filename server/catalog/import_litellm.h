/* import_litellm.h: the two halves of the reader of LiteLLM's table. */
#pragma once

#include "catalog/import_entry.h"

/* What the entry's `mode` is here; false: it is not served. */
bool import_litellm_kind(const struct json_object *v, enum model_kind *ret);

/* A price of one quality and size of another entry's images, "hd/1024-x-1024/dall-e-3", or of one size
 * of its videos. */
struct litellm_visual {
    enum usage_unit unit;
    struct str model; /* "dall-e-3"; p NULL: the entry is none of these */
    char kind[PRICE_VISUAL_KIND];
    const struct provider *provider;
    int64_t charge;
};
#define LITELLM_VISUALS 2
/* Which prices the entry is of, none to LITELLM_VISUALS; reads its name without its host. Odd:
 * "MODEL-high-res" is what OpenAI's videos cost in the sizes beyond 720p, lying and standing. */
size_t import_litellm_visuals(const struct import_entry *e, const struct json_object *v,
                              struct litellm_visual ret[LITELLM_VISUALS]);
/* Puts the figures into the models' entries, where those are sold by the image, or by the second. */
int import_litellm_put_visuals(struct import_entries *to, const struct litellm_visual *visuals,
                               size_t n) _must_use_;

/* Every price field of the entry's object: what it means here becomes a figure, e->untaken names the
 * rest. One that is absurd or no exact figure refuses the entry. After the entry's kind is known. */
int import_litellm_prices(struct import_entries *to, struct import_entry *e,
                          const struct json_object *v) _must_use_;
/* Refuses the entry where it would be sold below its cost or for nothing; drops figures of service
 * tiers that are not whole. After the entry's vendor is known. */
int import_litellm_judge(struct import_entries *to, struct import_entry *e,
                         const struct json_object *v) _must_use_;
