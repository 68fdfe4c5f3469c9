/* operator_shadow_view.h: calls and their shadows made ready for the templates: the left figure is the
 * call's, the right one its shadow's. */
#pragma once

#include "logs/shadows.h"
#include "web/web.h"

void shadow_comparison_view(struct web *w, const struct shadow_comparison *c, struct json_object *view);
void shadow_words_view(struct web *w, const struct shadow_word *words, size_t n, struct json_object *view);
void shadow_pairs_view(struct web *w, struct model_id model, const struct shadow_pair *pairs, size_t n,
                       struct json_object *view);
void shadow_pair_view(struct web *w, const struct shadow_pair *pair, struct json_object *view);
