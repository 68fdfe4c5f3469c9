/* backlog.h: requests that have come whole and wait until those before them are further on.
 *
 * A loop finishes what it has begun before it begins more: in one turn it hands so many requests to
 * their handlers, fewer while upstreams have more to say than a turn takes. What comes beyond that
 * waits here in the order of its coming, its connection suspended as that of any request at work.
 * When the first of them has waited for longer than listener_config.shed_after_ms, or the turn has
 * lasted that long, requests are told 503: but only one for so many that are begun, for telling it takes
 * time from those that are served, and who was refused comes back. The rest waits. Requests of the model
 * API alone; on their loop. */
#pragma once

#include "base/base.h"

struct exchange;
struct listener;

void backlog_init(struct listener *l);
/* May the request be handled now? False: it waits, and exchange_handle() is called in its turn. */
bool backlog_pass(struct exchange *x) _must_use_;
void backlog_leave(struct exchange *x); /* safe when it does not wait */
/* Once a turn, after libmicrohttpd. True: some still wait. */
bool backlog_run(struct listener *l);
/* Is the loop so far behind that one more is to be told so? Counts as told. */
bool backlog_refuses(struct listener *l) _must_use_;
