/* video_ask.h: what a provider is asked of a job that makes a video, and what its answer means. For handlers
 * (videos.c), which ask on their loop, and for the chore (video_keeper.c), which waits. */
#pragma once

#include "catalog/snapshot.h"
#include "fetch/fetch.h"
#include "gateway/services.h"
#include "videos/job.h"

#define VIDEO_ASK_HEADERS (PROVIDER_HEADERS_MAX + 1)
/* Of an answer about its state. Some have the video itself in it. */
#define VIDEO_STATE_BYTES MIB(64)
/* Content of one video, which passes through as it comes: an hour of the largest has some gigabytes. */
#define VIDEO_CONTENT_BYTES MIB(4096)

struct video_exchange {
    struct fetch_request request; /* its text in the arena */
    struct fetch_header headers[VIDEO_ASK_HEADERS];
};

enum {
    VIDEO_ASK_OK = 0,
    VIDEO_ASK_E_GONE = 1,        /* its account is not there any more */
    VIDEO_ASK_E_NOT_NOW = 2,     /* it cannot be asked: no token, a refused URL, a kind that is not known here */
    VIDEO_ASK_E_UNSUPPORTED = 3, /* the provider has no such thing */
};
/* How to ask; the catalogue must live as long as *ret. Any thread. */
int video_ask_make(const struct services *s, const struct catalog *c, struct arena *a,
                   const struct video_job *job, const struct video_ask *what,
                   struct video_exchange *ret) _must_use_;

/* How to get content from a URL that its provider has named: with the account's credential where that is the
 * provider's own host, else with none and from a public address. The same outcomes. */
int video_ask_at(const struct services *s, const struct catalog *c, struct arena *a,
                 const struct video_job *job, struct str url, struct video_exchange *ret) _must_use_;
/* What the job's provider speaks; NULL: its account is gone, or cannot be asked here. */
const struct video_dialect *video_ask_dialect(const struct catalog *c, const struct video_job *job);

/* What an answer about a job's state means. True: *ret is to be noted; it may say that the job is lost. False:
 * nothing was learnt, and it is asked again later. status 0: none came. */
bool video_ask_read(const struct catalog *c, struct arena *a, const struct video_job *job, int status,
                    struct str body, struct video_told *ret);
/* The same where it could not be asked, by the outcome of video_ask_make(). */
bool video_ask_judge(const struct video_job *job, int outcome, struct video_told *ret);
