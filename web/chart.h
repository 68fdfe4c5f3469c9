/* chart.h: the data of a chart by day, for static/chart.js, and small drawings made of numbers. */
#pragma once

#include "logs/usage.h"
#include "json/value.h"

/* What calls are named by that no model served: they were refused here, or no provider answered. */
#define NO_MODEL "Served by no model"
#define NO_PROVIDER "No provider was asked"

/* Sets o.key to what partials/chart prints: data, the JSON text {unit, days, series: [{label,
 * values, texts}]} with one value for each day from `from` to `to` (inclusive, at most
 * BOUND_CHART_DAYS), and the same exactly as text,
 * legend [{label, shade, total}] and span, the days in words; dearest model first, those beyond the colours as one. */
int chart_spend(struct arena *a, const struct usage_points *points, struct str from_day,
                struct str to_day, struct json_object *o, const char *key) _must_use_;

/* {part} of 100: how wide a bar is beside a figure. */
void chart_share(struct json_object *o, const char *key, struct money part, struct money whole);
