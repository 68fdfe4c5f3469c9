/* video_dialect.h: the jobs that make videos, as their providers have them: what is asked of a job once it
 * was made, and what its answers say. Pure; any thread.
 *
 * The job is made by a call, in the format's own dialect (dialect.h) or translated; from then on it is
 * asked after with the account that made it: addresses are made from that of the way it was made by. */
#pragma once

#include "base/arena.h"
#include "translation/wire.h"

/* Of a provider's name of a job: OpenAI's have some 70 characters, Google's are paths. */
#define VIDEO_ID_BYTES 500

enum video_state { VIDEO_QUEUED, VIDEO_IN_PROGRESS, VIDEO_COMPLETED, VIDEO_FAILED, VIDEO_STATES };

/* What an answer says of a job; strings in the arena or the answer. */
struct video_told {
    enum video_state state;
    int progress;          /* percent; -1: not said */
    struct str id;         /* the provider's, VIDEO_ID_BYTES at most; p NULL: not said */
    struct str size;       /* "1280x720"; p NULL: not said */
    uint64_t seconds;      /* 0: not said */
    int64_t expires_s;     /* Unix time from which its content is gone; 0: not said */
    struct str error_code; /* of one that has failed; p NULL: not said */
    struct str error_message;
};

enum video_question { VIDEO_ASK_STATE, VIDEO_ASK_CONTENT, VIDEO_ASK_DELETE };
enum video_variant { VIDEO_VARIANT_VIDEO, VIDEO_VARIANT_THUMBNAIL, VIDEO_VARIANT_SPRITESHEET, VIDEO_VARIANTS };

struct video_ask {
    enum video_question what;
    struct str id;              /* the provider's */
    enum video_variant variant; /* of the content */
};

struct video_request {
    const char *method;
    struct str url;  /* whole */
    struct str body; /* JSON; p NULL: none */
};

enum {
    VIDEO_OK = 0,
    VIDEO_E_BAD = 1,        /* it is no such answer */
    VIDEO_E_UNSUPPORTED = 2, /* the provider has no such thing */
    VIDEO_E_FIELD = 3        /* *fault names what the provider cannot make */
};

/* Content that a document tells of. */
struct video_content {
    struct str url;    /* where it is; p NULL: it is in the document */
    struct str base64; /* its bytes, as a slice of the document */
};

struct video_prompt; /* video_prompt.h */
struct chat_losses;

struct video_dialect {
    /* A request of a client of another format, for this model; what the provider has no word for is named in the
     * losses. VIDEO_OK or VIDEO_E_FIELD. NULL: only its own clients are served. */
    int (*write_request)(const struct video_prompt *p, struct str model, struct buf *out,
                         struct chat_losses *losses, struct json_fault *fault);
    /* What to send; url: of the way by which the job was made. VIDEO_OK, VIDEO_E_UNSUPPORTED or < 0. */
    int (*ask)(struct arena *a, struct str url, const struct video_ask *what, struct video_request *ret);
    /* The answer to VIDEO_ASK_STATE, and the one that made the job. VIDEO_OK, VIDEO_E_BAD or < 0. */
    int (*read_state)(struct arena *a, struct str body, struct video_told *ret);
    /* Where VIDEO_ASK_CONTENT is answered with a document: the content that it tells of. VIDEO_OK, VIDEO_E_BAD
     * or < 0. NULL: it is answered with the content itself. */
    int (*find_content)(struct arena *a, struct str body, struct video_content *ret);
};

extern const struct video_dialect openai_video_jobs, gemini_video_jobs, vertex_video_jobs;
