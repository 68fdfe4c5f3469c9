/* job.h: jobs that make videos (migrations/0016_video.sql): their rows, and what is given back of those
 * that fail.
 *
 * A job is made by a call and named after it. Until it has ended its provider account is asked after it, by
 * whoever wants to know and by a chore, on any node; what they learn is noted here, and the first who hears
 * that it has failed gives its charge back. All functions run transactions of their own; worker threads. */
#pragma once

#include "db/db.h"
#include "model/record.h"
#include "translation/video_dialect.h"

struct video_job {
    struct team_id team;
    struct call_id call;
    struct project_id project;
    struct key_id key;
    struct account_id account; /* the provider's, which may be gone */
    struct str model;          /* public name */
    struct str upstream_model, upstream_id;
    int64_t seconds; /* 0: not known */
    struct str size; /* p NULL: not known */
    enum video_state state;
    int64_t progress; /* percent */
    struct call_id remixed_from; /* all zero: of none */
    int64_t created_us, asked_us;
    int64_t ended_us, expires_us;      /* 0: not (yet), not known */
    int64_t returned_us;               /* 0: nothing was given back */
    struct money returned;             /* of the charge */
    int64_t returned_transfer;         /* by this one, or the first of several; 0: by none */
    struct str error_code, error_message; /* p NULL: none */
};
static inline bool video_job_is_over(const struct video_job *j)
{
    return j->state == VIDEO_COMPLETED || j->state == VIDEO_FAILED;
}
const char *video_state_name(enum video_state state); /* "in_progress" */

/* "video_" and 32 hex digits. */
#define VIDEO_NAME_TEXT 39
void video_name(struct call_id call, char out[VIDEO_NAME_TEXT]);
bool video_name_parse(struct str text, struct call_id *ret);

/* Beyond this age of a job nobody waits for its end any more: it has failed then, and so it has once its
 * provider says that it does not know it, or once its account is gone. A provider may need a moment until
 * it knows what it has just made. */
#define VIDEO_LOST_US (INT64_C(48) * 3600 * 1000000)
#define VIDEO_KNOWN_US (INT64_C(10) * 60 * 1000000)

enum { VIDEO_JOB_OK = 0, VIDEO_JOB_E_NONE = 1, VIDEO_JOB_E_AWAY = DB_E_AWAY };

/* Of what a provider has said, as much as is kept. */
void video_told_clip(struct video_told *told);

/* A new job as it goes into the record of its call. Its texts are the job's. */
struct video_record video_job_record(const struct video_job *job);
/* Makes the row of a new job ahead of its call's settlement, which does so else; the same one again is fine.
 * VIDEO_JOB_E_AWAY: it is not there yet, or nobody can tell. */
int video_job_put(struct db *db, const struct video_record *job) _must_use_;
/* Text in the arena. VIDEO_JOB_E_NONE: there is none, it was deleted, or it is another team's. */
int video_job_get(struct db *db, struct arena *a, struct team_id team, struct call_id call,
                  struct video_job *ret) _must_use_;

/* Notes what its provider has said of a job that has not ended for anybody yet, and gives the charge back of
 * one that has failed. *job: what is there now, whoever has noted it. */
int video_job_note(struct db *db, struct arena *a, const struct video_told *told,
                   struct video_job *job) _must_use_;
/* The second half of it alone, where the call was not settled then; nothing where the job has not failed. */
int video_job_return(struct db *db, struct team_id team, struct call_id call) _must_use_;
/* A client has deleted it; none gets it from then on. VIDEO_JOB_E_NONE. */
int video_job_delete(struct db *db, struct team_id team, struct call_id call) _must_use_;

struct video_list_want {
    int64_t limit; /* 1 to VIDEO_LIST_MAX */
    bool oldest_first;
    struct call_id after; /* all zero: from the beginning */
};
enum { VIDEO_LIST = 20, VIDEO_LIST_MAX = 100 };
struct video_list {
    struct video_job *v;
    size_t n;
    bool has_more;
};
/* A team's jobs in the order of their making. VIDEO_JOB_E_NONE: there is no `after`. */
int video_job_list(struct db *db, struct arena *a, struct team_id team, const struct video_list_want *want,
                   struct video_list *ret) _must_use_;

/* Takes jobs that are due for a look, of all teams, at most so many: nobody else gets them for a while,
 * which grows with their age. System scope. */
int video_job_due(struct db *db, struct arena *a, size_t most, struct video_list *ret) _must_use_;

/* What is shown of a call's job, a deleted one, too; VIDEO_JOB_E_NONE: it made none. team: the call's. Within
 * the caller's transaction. */
int video_job_of_call(struct db *db, struct arena *a, struct team_id team, struct call_id call,
                      struct video_job *ret) _must_use_;
