/* object.h: jobs as clients of OpenAI's video API see them. Pure.
 *
 * Source: developers.openai.com/api/reference, "Videos". `prompt` is null: prompts are not kept. */
#pragma once

#include "base/buf.h"
#include "videos/job.h"

/* The video object. */
void video_object_put(const struct video_job *job, struct buf *out);
void video_list_put(const struct video_list *list, struct buf *out);
/* {"id": ..., "object": "video.deleted", "deleted": true} */
void video_deleted_put(struct call_id call, struct buf *out);
