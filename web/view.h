/* view.h: values made ready for templates: everything that Mustache cannot format.
 *
 * Each function sets o.key to a text, or to an object that the partial of the same name prints:
 * {{#spent}}{{>partials/money}}{{/spent}}. Any thread. */
#pragma once

#include "json/value.h"
#include "web/zone.h"

/* Decimals that a column of money shows; the whole figure stands in its title. */
#define VIEW_DOLLARS 2 /* balances, top-ups, invoices */
#define VIEW_CENTS 4   /* below a dollar */
#define VIEW_CALL 6    /* what a call costs */

/* partials/money: {text "$1,234.50", exact "1234.50 USD", zero}; "<$0.01" for what is not nothing
 * and would be shown as that. */
void view_money(struct json_object *o, const char *key, struct money m, int decimals);
/* How many decimals a column wants whose largest figure is this: cents tell little below a dollar,
 * and nothing below a cent. */
int view_decimals(struct money largest);
/* A figure that stands alone, with the decimals that it wants. */
void view_figure(struct json_object *o, const char *key, struct money m);
/* "$3.00" as plain text, for sentences and charts' labels. */
struct str view_money_text(struct arena *a, struct money m, int decimals) _must_use_;
/* Price per million: at least two decimals, and all that are there. */
void view_price(struct json_object *o, const char *key, int64_t nano_per_million);

/* partials/time, moment, clock: {relative "3 min ago", exact "21 Nov 2026, 07:05:19 CET",
 * clock "07:05:19", or with its day in front if that is not today, utc}; null when 0. */
void view_time(struct json_object *o, const char *key, int64_t unix_us, const struct zone *zone,
               int64_t now_us);
/* "today", "yesterday", "21 Nov 2026": a day known without its hour; null when 0. */
void view_recent_day(struct json_object *o, const char *key, int64_t unix_us,
                     const struct zone *zone, int64_t now_us);
struct str view_day(struct arena *a, int64_t unix_us, const struct zone *zone) _must_use_; /* ISO */

void view_count(struct json_object *o, const char *key, int64_t n); /* "12,345" */
struct str view_count_text(struct arena *a, int64_t n) _must_use_;
/* "1 key", "3 keys"; many: NULL adds an s. */
struct str view_plural(struct arena *a, int64_t n, const char *one, const char *many) _must_use_;
void view_duration(struct json_object *o, const char *key, int64_t us); /* "830 ms", "1.24 s"; "–" for 0 */
void view_bytes(struct json_object *o, const char *key, int64_t bytes); /* "1.5 MB" */
/* "1.2%"; "–" when there is nothing to divide by. */
void view_percent(struct json_object *o, const char *key, int64_t part, int64_t whole);
/* Hundredths of a percent as people write percentages: 250 is "2.5". */
struct str view_basis_points(struct arena *a, int32_t bp);
struct str view_cosine(struct arena *a, int32_t bp); /* "0.95", "1" */

/* partials/badge: {tone "good", text, icon}. Colour never stands alone: the word is in text. */
enum view_tone { VIEW_NEUTRAL, VIEW_GOOD, VIEW_WARN, VIEW_BAD, VIEW_INFO };
void view_badge(struct json_object *o, const char *key, enum view_tone tone, const char *text);
/* How a call ended, from its outcome. */
void view_outcome(struct json_object *o, const char *key, struct str outcome, int status);

/* partials/pager: links to both sides, either may be STR_NONE. */
void view_pager(struct json_object *o, const char *key, struct str newer, struct str older);
/* partials/key_chip: {prefix, last4, name, link} */
void view_key(struct json_object *o, const char *key, struct str name, struct str prefix,
              struct str last4, struct str link);
/* An array of {value, label, chosen} for a select. */
void view_choice(struct json_object *options, struct str value, struct str label, bool chosen);
/* partials/empty: what this is, and the first thing to do; link may be STR_NONE. */
void view_empty(struct json_object *o, const char *key, const char *title, const char *sentence,
                const char *action, struct str link);
