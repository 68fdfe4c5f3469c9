/* videos.h: what is asked of jobs that make videos, other than to make them. On the loop. */
#pragma once

#include "catalog/snapshot.h"
#include "gateway/gateway.h"
#include "gateway/key_cache.h"
#include "gateway/video_ask.h"

struct videos_ask;

/* What comes of the job once it has been read, and brought up to date where that is wanted. */
typedef void videos_step(struct videos_ask *ask);

struct videos_op {
    int (*work)(struct videos_ask *ask, struct db *db); /* first, on a worker; VIDEO_JOB_* */
    videos_step *then;
    bool asks; /* the provider is asked how far it is, where it has not ended */
};

struct videos_ask {
    struct list link; /* gateway->videos */
    struct gateway *g;
    struct request *r;
    const struct videos_op *op;
    struct key_waiter waiter;
    struct known_key *key;   /* a reference; NULL before it is known */
    struct catalog *catalog; /* a reference */
    bool client_there;

    struct job job;        /* on a worker while `working` */
    bool working;
    int (*work)(struct videos_ask *ask, struct db *db);
    videos_step *then;
    struct arena *arena;   /* the worker's meanwhile */
    int outcome;           /* VIDEO_JOB_*, or < 0 */

    struct call_id id;
    struct video_job row;
    struct video_told told;
    struct video_list_want want;
    struct video_list list;
    enum video_variant variant;

    struct fetch *fetch;
    int status;
    struct buf got;
    bool streams, full;    /* the content goes to the client; which is slower than it comes */
    unsigned redirects;
    struct str location;   /* p NULL: the answer was no redirect */
};

/* Both end the ask. */
void videos_reply(struct videos_ask *ask, struct str body);
void videos_fail(struct videos_ask *ask, const struct problem *p);
void videos_end(struct videos_ask *ask); /* answered already, or nobody is there */
/* work() on a worker, then then(); its arena and row are the worker's meanwhile. */
void videos_submit(struct videos_ask *ask, int (*work)(struct videos_ask *, struct db *), videos_step *then);
/* Asks the provider; false: it cannot be asked, *ret_outcome is that of video_ask_make(). */
bool videos_fetch(struct videos_ask *ask, const struct video_ask *what, const struct fetch_callbacks *callbacks,
                  int *ret_outcome);

/* videos_content.c */
void videos_content(struct videos_ask *ask);

/* The end of draining, as gateway_cut(). */
void videos_cut(struct gateway *g, const struct problem *p);
