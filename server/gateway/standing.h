/* standing.h: how a model's route stands for one team, as one number: kept answers count while it is
 * the same (cache/asked.h).
 *
 * Into it goes what decides who is asked and with what: the model's name, kind and abilities, its
 * strategy, and of each of its targets that this team may be served by, the price in force, the
 * places in the order, and where and how its account is asked. What another team's own account is
 * does not count, nor what makes no answer wrong: weights, limits, credentials, names and what
 * health says. What is switched off is not looked at here either: a kept answer is given only where
 * its target is a candidate of the call that asks. */
#pragma once

#include "base/digest.h"
#include "catalog/snapshot.h"

/* client: the format that the request is in. False: there is no memory, or a route of too many words. */
bool standing_of(const struct catalog_model *m, struct team_id team, const struct wire_format *client,
                 struct digest *ret) _must_use_;
