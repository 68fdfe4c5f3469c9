/* video_prompt.h: what a video is to be made of, whatever the format, for calls whose provider speaks
 * another one than their client. Pure; slices live in the request's bytes or in the arena. Any thread. */
#pragma once

#include "model/chat_part.h"
#include "translation/dialect.h"
#include "translation/video.h"

struct video_prompt {
    struct str text;
    uint32_t seconds;
    struct video_size size; /* 720x1280 where the request says none, as OpenAI has it */
    /* An image to begin with; picture.p NULL: none. PNG, JPEG or WebP. */
    struct str picture;
    const char *picture_type; /* "image/png" */
    bool picture_is_base64;   /* else its bytes as they are */
    struct chat_extras extra; /* what only the client's format has */
};

/* The size of a request that says none (developers.openai.com/api/reference, "Create video"). */
#define VIDEO_SIZE_DEFAULT "720x1280"

/* Of a request that openai_videos has read. DIALECT_OK, DIALECT_E_SYNTAX, DIALECT_E_FIELD: an image that is
 * not in the request itself, or is none; < 0. */
int video_prompt_read(struct arena *a, const struct wire_request *request, struct video_prompt *ret,
                      struct json_fault *fault) _must_use_;
