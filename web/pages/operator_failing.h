/* operator_failing.h: which calls fail at providers now, or are refused for want of a price, by team,
 * model and provider account: who suffers, and what to pin, to switch off or to price. */
#pragma once

#include "web/web.h"

/* view.failing, .any_failing, and how far that was looked for: .failing_minutes, .failing_newest (how many
 * calls of a kind at most, null if they were fewer), .failing_since (null: all of the minutes). */
int failing_view(struct web *w, struct json_object *view) _must_use_;
