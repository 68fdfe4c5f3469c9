/* video.h: POST /v1/videos of the demo upstream, and what is asked of its jobs. Loop thread.
 *
 * Nothing is stored: a job's id says when it was made, of what length and size, and whether it fails. It is
 * queued for a second, in progress for two, and then a film (film.h); one whose prompt has the word "fail" fails
 * then. */
#pragma once

#include "http/request.h"

void demo_video(struct request *r);
void demo_video_state(struct request *r);   /* GET /v1/videos/{id} */
void demo_video_content(struct request *r); /* GET /v1/videos/{id}/content */
void demo_video_delete(struct request *r);  /* DELETE /v1/videos/{id} */
