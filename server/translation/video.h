/* video.h: how long and how large videos are, in all formats. Pure; any thread. */
#pragma once

#include "base/str.h"

/* Without a length of its own a request asks for as many seconds (developers.openai.com/api/reference,
 * "Create video"). */
#define VIDEO_SECONDS_DEFAULT 4
/* Far beyond what any model makes in one go. */
#define VIDEO_SECONDS_MOST 3600

struct video_size {
    uint32_t width, height; /* pixels */
};
/* "1280x720", without a zero in front, which some servers would not read as it is written. */
bool video_size_read(struct str text, struct video_size *ret);
