/* preference.h: what a request says about its route, in OpenRouter's words.
 *
 * Source: OpenRouter's documentation, "Model Routing" (`models`) and "Provider Routing"
 * (`provider`: order, only, ignore, allow_fallbacks, require_parameters, data_collection, sort,
 * zdr, quantizations, max_price). What has no meaning here is accepted and left alone. */
#pragma once

#include "json/value.h"
#include "model/llm.h"
#include "routing/route.h"

/* PREFERENCE_E_FIELD: a value is wrong, *fault names it. Slices live in the arena. */
enum { PREFERENCE_OK = 0, PREFERENCE_E_FIELD = 1 };
int preference_read(struct arena *a, const struct llm_request *llm, struct route_preference *ret,
                    struct json_fault *fault) _must_use_;
