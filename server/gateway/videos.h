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
    struct str rest;       /* of content in base64, in `got`: what is still to be poured */
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
/* For fetches whose answer is collected in `got`. */
void videos_head_came(struct fetch *f, const struct fetch_head *head, void *ctx);
bool videos_bytes_came(struct fetch *f, struct str bytes, void *ctx);

/* videos_content.c */
void videos_content(struct videos_ask *ask);
/* The content itself is fetched from there. */
void videos_content_at(struct videos_ask *ask, struct str url);
/* The head of an answer with it. */
void videos_content_begin(struct videos_ask *ask, struct str content_type);
/* Why there is none, by ask->status; ends the ask. */
void videos_content_tell(struct videos_ask *ask, enum fetch_fault fault);
/* videos_found.c: the answer to VIDEO_ASK_CONTENT is a document about the content. */
extern const struct fetch_callbacks videos_found;
void videos_pour(struct videos_ask *ask); /* as much as the client takes */

/* The end of draining, as gateway_cut(). */
void videos_cut(struct gateway *g, const struct problem *p);
