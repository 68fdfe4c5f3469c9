/* videos.c: GET and DELETE of /v1/videos: jobs of a key's team, which every key of the team may ask after that
 * may use their model.
 *
 * Source: developers.openai.com/api/reference, "Videos". Not calls: nothing is counted and nothing is on the
 * record. A job that has ended is told from its row; of one that has not, its provider is asked on this loop,
 * once a second at most whoever wants to know, and what it says is noted on a worker first. Where it says
 * nothing, the client gets what is known. */
#include "gateway/videos.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "gateway/key_ask.h"
#include "gateway/key_check.h"
#include "http/listener.h"
#include "ledger/journal.h"
#include "videos/object.h"

/* Of a list of jobs, and of what a provider says of one. */
#define ASK_ARENA_BYTES MIB(2)
#define ASK_PAUSE_US INT64_C(1000000)

static void release(void *p)
{
    request_release(p);
}

void videos_end(struct videos_ask *ask)
{
    ask->client_there = false;
    if (ask->fetch)
        fetch_cancel(steal(&ask->fetch));
    if (ask->working)
        return; /* its worker comes back to it */
    if (ask->streams)
        atomic_fetch_sub_explicit(&ask->g->metrics.in_flight, 1, memory_order_relaxed);
    key_waiter_leave(&ask->waiter);
    list_del(&ask->link);
    known_key_unref(steal(&ask->key));
    catalog_unref(steal(&ask->catalog));
    arena_free(steal(&ask->arena));
    buf_done(&ask->got);
    ask->r->user = NULL;
    ask->r->gone = NULL;
    loop_free_later(ask->g->loop, release, ask->r);
}

void videos_fail(struct videos_ask *ask, const struct problem *p)
{
    if (ask->client_there)
        request_fail(ask->r, p);
    videos_end(ask);
}

void videos_reply(struct videos_ask *ask, struct str body)
{
    struct response response = {.status = 200, .content_type = "application/json", .body = body};
    struct problem p = problem_of(PROBLEM_INTERNAL);

    if (!body.p) {
        videos_fail(ask, &p);
        return;
    }
    if (ask->client_there)
        request_reply(ask->r, &response);
    videos_end(ask);
}

/* --- on a worker --- */

static int load(struct videos_ask *ask, struct db *db)
{
    struct videos_late *late = &ask->g->all->late;
    struct journal_view before; /* what waits may be settled while the row is looked up */
    int r;

    journal_read(ask->g->services->journal, &before);
    r = video_job_get(db, ask->arena, ask->row.team, ask->id, &ask->row);
    if (r == VIDEO_JOB_OK)
        videos_late_drop(late, ask->id);
    return r == VIDEO_JOB_E_NONE && before.waiting && videos_late_has(late, ask->id) ? VIDEO_JOB_E_AWAY : r;
}

static int note(struct videos_ask *ask, struct db *db)
{
    return video_job_note(db, ask->arena, &ask->told, &ask->row);
}

static int list(struct videos_ask *ask, struct db *db)
{
    return video_job_list(db, ask->arena, ask->row.team, &ask->want, &ask->list);
}

static int drop(struct videos_ask *ask, struct db *db)
{
    return video_job_delete(db, ask->row.team, ask->id);
}

static void work(struct job *job, void *worker)
{
    struct videos_ask *ask = container_of(job, struct videos_ask, job);

    ask->outcome = worker ? ask->work(ask, worker) : VIDEO_JOB_E_AWAY;
}

/* --- on the loop --- */

static struct problem not_found(const struct videos_ask *ask)
{
    struct problem p = problem_of(PROBLEM_NOT_FOUND);
    char name[VIDEO_NAME_TEXT];

    if (call_id_given(ask->id)) {
        video_name(ask->id, name);
        p.message = arena_strf(ask->r->arena, "Video with id '%s' not found.", name);
    }
    return p;
}

static struct problem problem_for(const struct videos_ask *ask)
{
    struct problem p = problem_of(PROBLEM_INTERNAL);

    if (ask->outcome == VIDEO_JOB_E_NONE && ask->op->work == list) {
        p = problem_of(PROBLEM_BAD_FIELD);
        p.param = STR("after");
        p.message = STR("`after` is the id of none of the team's videos.");
    } else if (ask->outcome == VIDEO_JOB_E_NONE) {
        p = not_found(ask);
    } else if (ask->outcome == VIDEO_JOB_E_AWAY) {
        p = problem_of(PROBLEM_BUSY);
        p.retry_after_s = 2;
        p.message = STR("Videos cannot be looked up right now. Try again shortly.");
    }
    return p;
}

static void worked(struct job *job)
{
    struct videos_ask *ask = container_of(job, struct videos_ask, job);
    struct problem p;

    ask->working = false;
    if (ask->outcome < 0)
        log_error("videos", "team=%lld result=%d", (long long)ask->row.team.v, ask->outcome);
    if (!ask->client_there) {
        videos_end(ask);
    } else if (ask->outcome == VIDEO_JOB_OK) {
        ask->then(ask);
    } else {
        p = problem_for(ask);
        videos_fail(ask, &p);
    }
}

void videos_submit(struct videos_ask *ask, int (*fn)(struct videos_ask *, struct db *), videos_step *then)
{
    struct problem p;

    ask->work = fn;
    ask->then = then;
    ask->job = (struct job){.reply_to = ask->g->loop, .work = work, .done = worked};
    ask->outcome = VIDEO_JOB_E_AWAY;
    ask->working = jobs_submit(ask->g->services->responses, &ask->job) == JOBS_OK;
    if (ask->working)
        return;
    p = problem_for(ask);
    videos_fail(ask, &p);
}

static struct str finish(struct videos_ask *ask, struct buf *out)
{
    struct str body = buf_finish(out) == 0 ? arena_str(ask->r->arena, buf_str(out)) : STR_NONE;

    buf_done(out);
    return body;
}

static void reply_job(struct videos_ask *ask)
{
    struct buf out;

    buf_init(&out, KIB(16));
    video_object_put(&ask->row, &out);
    videos_reply(ask, finish(ask, &out));
}

static void reply_list(struct videos_ask *ask)
{
    struct buf out;

    buf_init(&out, ASK_ARENA_BYTES);
    video_list_put(&ask->list, &out);
    videos_reply(ask, finish(ask, &out));
}

static void reply_deleted(struct videos_ask *ask)
{
    struct buf out;

    buf_init(&out, KIB(1));
    video_deleted_put(ask->id, &out);
    videos_reply(ask, finish(ask, &out));
}

/* --- the provider --- */

bool videos_fetch(struct videos_ask *ask, const struct video_ask *what, const struct fetch_callbacks *callbacks,
                  int *ret_outcome)
{
    struct video_exchange x;

    buf_reset(&ask->got);
    ask->status = 0;
    *ret_outcome = video_ask_make(ask->g->services, ask->catalog, ask->r->arena, &ask->row, what, &x);
    if (*ret_outcome != VIDEO_ASK_OK)
        return false;
    if (fetch_start(ask->g->fetcher, &x.request, callbacks, ask, &ask->fetch) == FETCH_START_OK)
        return true;
    *ret_outcome = VIDEO_ASK_E_NOT_NOW;
    return false;
}

void videos_head_came(struct fetch *f, const struct fetch_head *head, void *ctx)
{
    (void)f;
    ((struct videos_ask *)ctx)->status = head->status;
}

bool videos_bytes_came(struct fetch *f, struct str bytes, void *ctx)
{
    (void)f;
    buf_put_str(&((struct videos_ask *)ctx)->got, bytes);
    return true;
}

static void learn(struct videos_ask *ask, bool learnt)
{
    if (learnt)
        videos_submit(ask, note, ask->op->then);
    else
        ask->op->then(ask);
}

static void state_came(struct fetch *f, enum fetch_fault fault, void *ctx)
{
    struct videos_ask *ask = ctx;
    bool whole = fault == FETCH_DONE && buf_finish(&ask->got) == 0;

    (void)f;
    ask->fetch = NULL;
    learn(ask, video_ask_read(ask->catalog, ask->r->arena, &ask->row, whole ? ask->status : 0, buf_str(&ask->got),
                              &ask->told));
}

static void ask_state(struct videos_ask *ask)
{
    static const struct fetch_callbacks callbacks = {
        .head = videos_head_came, .chunk = videos_bytes_came, .done = state_came};
    const struct video_ask what = {.what = VIDEO_ASK_STATE, .id = ask->row.upstream_id};
    int outcome;

    if (!videos_fetch(ask, &what, &callbacks, &outcome))
        learn(ask, video_ask_judge(&ask->row, outcome, &ask->told));
}

static void loaded(struct videos_ask *ask)
{
    struct problem p;

    if (!key_policy_allows_model(ask->key->policy, ask->row.model)) {
        p = problem_of(PROBLEM_MODEL_DENIED);
        videos_fail(ask, &p);
    } else if (ask->op->asks && ask->catalog && !video_job_is_over(&ask->row) &&
               ask->row.asked_us + ASK_PAUSE_US <= clock_wall_us()) {
        ask_state(ask);
    } else {
        ask->op->then(ask);
    }
}

/* The provider has deleted it, has no such thing, or could not be asked: it goes here in any case, and what is
 * left there ends by the provider's own rule. */
static void deleted_there(struct fetch *f, enum fetch_fault fault, void *ctx)
{
    struct videos_ask *ask = ctx;

    (void)f;
    ask->fetch = NULL;
    if (fault != FETCH_DONE || (ask->status != 200 && ask->status != 204 && ask->status != 404))
        log_warn("video_left_there", "team=%lld account=%lld upstream_id=%s status=%d fault=%s",
                 (long long)ask->row.team.v, (long long)ask->row.account.v, log_str(ask->row.upstream_id),
                 ask->status, fetch_fault_name(fault));
    videos_submit(ask, drop, reply_deleted);
}

static void delete(struct videos_ask *ask)
{
    static const struct fetch_callbacks callbacks = {
        .head = videos_head_came, .chunk = videos_bytes_came, .done = deleted_there};
    const struct video_ask what = {.what = VIDEO_ASK_DELETE, .id = ask->row.upstream_id};
    struct problem p = problem_of(PROBLEM_BAD_REQUEST);
    int outcome;

    if (!video_job_is_over(&ask->row)) {
        p.message = STR("The video is still being made. It can be deleted when it is completed or failed.");
        videos_fail(ask, &p);
    } else if (!ask->catalog || !videos_fetch(ask, &what, &callbacks, &outcome)) {
        videos_submit(ask, drop, reply_deleted);
    }
}

/* --- who asks --- */

static void known(struct videos_ask *ask)
{
    enum problem_code code = key_check_policy(ask->key->policy, ask->r);
    struct problem p = {.code = PROBLEM_NONE};

    ask->row.team = ask->key->policy->team;
    ask->arena = arena_new(ASK_ARENA_BYTES);
    if (code != PROBLEM_NONE || !ask->arena)
        p = problem_of(code != PROBLEM_NONE ? code : PROBLEM_BUSY);
    else if (ask->op->work == load && !video_name_parse(ask->r->params[0], &ask->id))
        p = not_found(ask);
    if (p.code != PROBLEM_NONE)
        videos_fail(ask, &p);
    else
        videos_submit(ask, ask->op->work, ask->op->work == load ? loaded : ask->op->then);
}

static void key_answered(struct key_waiter *w, int outcome, struct known_key *key)
{
    struct videos_ask *ask = container_of(w, struct videos_ask, waiter);
    struct problem p;

    if (outcome == KEYS_OK) {
        ask->key = key;
        known(ask);
    } else {
        p = key_check_outcome(outcome);
        videos_fail(ask, &p);
    }
}

static void client_gone(struct request *r)
{
    if (r->user)
        videos_end(r->user);
}

void videos_cut(struct gateway *g, const struct problem *p)
{
    list_for_each (&g->videos, link) {
        struct videos_ask *ask = container_of(link, struct videos_ask, link);

        if (ask->streams)
            request_stream_abort(ask->r);
        if (ask->streams)
            videos_end(ask);
        else
            videos_fail(ask, p);
    }
}

static struct videos_ask *begin(struct request *r, const struct videos_op *op, struct digest *ret)
{
    struct gateway *g = listener_ctx(r->listener);
    struct videos_ask *ask = key_ask_begin(r, sizeof(*ask), ret);

    if (!ask)
        return NULL;
    *ask = (struct videos_ask){
        .g = g,
        .r = r,
        .op = op,
        .catalog = g->catalog ? catalog_ref(g->catalog) : NULL,
        .client_there = true,
        .waiter.answered = key_answered,
    };
    buf_init(&ask->got, VIDEO_STATE_BYTES);
    r->user = ask;
    r->gone = client_gone;
    request_hold(r);
    list_add_tail(&g->videos, &ask->link);
    return ask;
}

static void begin_job(struct request *r, const struct videos_op *op, enum video_variant variant)
{
    struct digest digest;
    struct videos_ask *ask = begin(r, op, &digest);

    if (!ask)
        return;
    ask->variant = variant;
    key_ask_find(ask->g, &digest, &ask->waiter);
}

static void refuse(struct request *r, const char *param, const char *sentence)
{
    struct problem p = problem_of(PROBLEM_BAD_FIELD);

    p.param = str_c(param);
    p.message = str_c(sentence);
    request_fail(r, &p);
}

static bool read_list(struct request *r, struct video_list_want *ret)
{
    struct str limit = request_query(r, "limit"), order = request_query(r, "order");
    struct str after = request_query(r, "after");
    struct video_list_want want = {.limit = VIDEO_LIST};

    if (limit.p && (str_i64(limit, &want.limit) != STR_OK || want.limit < 1 || want.limit > VIDEO_LIST_MAX)) {
        refuse(r, "limit", "`limit` must be a whole number from 1 to 100.");
        return false;
    }
    want.oldest_first = str_eq(order, STR("asc"));
    if (order.p && !want.oldest_first && !str_eq(order, STR("desc"))) {
        refuse(r, "order", "`order` must be asc or desc.");
        return false;
    }
    if (after.p && !video_name_parse(after, &want.after)) {
        refuse(r, "after", "`after` is the id of none of the team's videos.");
        return false;
    }
    *ret = want;
    return true;
}

void gateway_videos(struct request *r)
{
    static const struct videos_op op = {.work = list, .then = reply_list};
    struct video_list_want want;
    struct digest digest;
    struct videos_ask *ask = read_list(r, &want) ? begin(r, &op, &digest) : NULL;

    if (!ask)
        return;
    ask->want = want;
    key_ask_find(ask->g, &digest, &ask->waiter);
}

void gateway_video(struct request *r)
{
    static const struct videos_op op = {.work = load, .then = reply_job, .asks = true};

    begin_job(r, &op, VIDEO_VARIANT_VIDEO);
}

void gateway_video_delete(struct request *r)
{
    static const struct videos_op op = {.work = load, .then = delete, .asks = true};

    begin_job(r, &op, VIDEO_VARIANT_VIDEO);
}

void gateway_video_content(struct request *r)
{
    static const struct videos_op op = {.work = load, .then = videos_content, .asks = true};
    static const char *const names[VIDEO_VARIANTS] = {"video", "thumbnail", "spritesheet"};
    struct str variant = request_query(r, "variant");
    enum video_variant v = VIDEO_VARIANT_VIDEO;

    while (variant.p && v < VIDEO_VARIANTS && !str_eq_c(variant, names[v]))
        v++;
    if (v == VIDEO_VARIANTS)
        refuse(r, "variant", "`variant` must be video, thumbnail or spritesheet.");
    else
        begin_job(r, &op, v);
}
