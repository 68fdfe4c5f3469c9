/* call_video.h: of the page of one request, the job that it made. */
#pragma once

#include "model/record.h"
#include "web/web.h"

/* view.video: the job, and what was given back of the charge; null: the call made none. view.given_back: the
 * charge was. */
int call_video_view(struct web *w, const struct call_record *call, bool for_operator,
                    struct json_object *view) _must_use_;
