/* object.c: see object.h. */
#include "videos/object.h"

#include <stdio.h>

#include "json/write.h"

static const char *const names[VIDEO_STATES] = {
    [VIDEO_QUEUED] = "queued",
    [VIDEO_IN_PROGRESS] = "in_progress",
    [VIDEO_COMPLETED] = "completed",
    [VIDEO_FAILED] = "failed",
};

const char *video_state_name(enum video_state state)
{
    return names[state];
}

#define NAME STR("video_")

void video_name(struct call_id call, char out[VIDEO_NAME_TEXT])
{
    char text[CALL_ID_TEXT];

    call_id_text(call, text);
    (void)snprintf(out, VIDEO_NAME_TEXT, "video_%s", text + strlen("call_"));
}

bool video_name_parse(struct str text, struct call_id *ret)
{
    if (text.n != VIDEO_NAME_TEXT - 1 || !str_starts(text, NAME))
        return false;
    return call_id_parse(str_n(text.p + NAME.n, text.n - NAME.n), ret);
}

/* Of as many bytes, whole characters without a NUL, which the database does not take. */
static struct str clip(struct str s, size_t most)
{
    ssize_t nul = str_find(s, '\0');

    if (nul >= 0)
        s.n = (size_t)nul;
    s.n = MIN(s.n, most);
    while (s.n && !str_utf8(s))
        s.n--;
    return s.n ? s : STR_NONE;
}

void video_told_clip(struct video_told *told)
{
    told->error_code = clip(told->error_code, 100);
    told->error_message = clip(told->error_message, 1000);
    told->size = clip(told->size, 40);
}

static void put_name(struct json_writer *w, struct call_id call)
{
    char name[VIDEO_NAME_TEXT];

    video_name(call, name);
    json_cstr(w, call_id_given(call) ? name : NULL);
}

static void put_text(struct json_writer *w, const char *key, struct str text)
{
    json_key(w, key);
    if (text.p)
        json_str(w, text);
    else
        json_null(w);
}

static void put_time(struct json_writer *w, const char *key, int64_t us)
{
    json_key(w, key);
    if (us)
        json_int(w, us / 1000000);
    else
        json_null(w);
}

static void put_seconds(struct json_writer *w, int64_t seconds)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%lld", (long long)seconds);
    json_key(w, "seconds");
    json_cstr(w, text);
}

static void put_error(struct json_writer *w, const struct video_job *job)
{
    json_key(w, "error");
    if (job->state != VIDEO_FAILED) {
        json_null(w);
        return;
    }
    json_open_object(w);
    json_key(w, "code");
    json_str(w, job->error_code.p ? job->error_code : STR("video_failed"));
    json_key(w, "message");
    json_str(w, job->error_message.p ? job->error_message : STR("The provider could not make the video."));
    json_close_object(w);
}

static void put_job(struct json_writer *w, const struct video_job *job)
{
    json_open_object(w);
    json_key(w, "id");
    put_name(w, job->call);
    json_key(w, "object");
    json_cstr(w, "video");
    put_text(w, "model", job->model);
    json_key(w, "status");
    json_cstr(w, video_state_name(job->state));
    json_key(w, "progress");
    json_int(w, job->state == VIDEO_COMPLETED ? 100 : job->progress);
    put_time(w, "created_at", job->created_us);
    put_time(w, "completed_at", job->state == VIDEO_COMPLETED ? job->ended_us : 0);
    put_time(w, "expires_at", job->expires_us);
    put_text(w, "prompt", STR_NONE);
    put_text(w, "size", job->size);
    put_seconds(w, job->seconds);
    json_key(w, "remixed_from_video_id");
    put_name(w, job->remixed_from);
    put_error(w, job);
    json_close_object(w);
}

void video_object_put(const struct video_job *job, struct buf *out)
{
    struct json_writer w;

    json_begin(&w, out);
    put_job(&w, job);
}

void video_list_put(const struct video_list *list, struct buf *out)
{
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "object");
    json_cstr(&w, "list");
    json_key(&w, "data");
    json_open_array(&w);
    for (size_t i = 0; i < list->n; i++)
        put_job(&w, &list->v[i]);
    json_close_array(&w);
    json_key(&w, "first_id");
    put_name(&w, list->n ? list->v[0].call : (struct call_id){{0}});
    json_key(&w, "last_id");
    put_name(&w, list->n ? list->v[list->n - 1].call : (struct call_id){{0}});
    json_key(&w, "has_more");
    json_bool(&w, list->has_more);
    json_close_object(&w);
}

void video_deleted_put(struct call_id call, struct buf *out)
{
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "id");
    put_name(&w, call);
    json_key(&w, "object");
    json_cstr(&w, "video.deleted");
    json_key(&w, "deleted");
    json_bool(&w, true);
    json_close_object(&w);
}
