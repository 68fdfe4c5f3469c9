/* call_video.c: see call_video.h. */
#include "web/pages/call_video.h"

#include "videos/job.h"
#include "web/links.h"
#include "web/view.h"

static void video_state(const struct video_job *j, struct json_object *o)
{
    if (j->state == VIDEO_COMPLETED)
        view_badge(o, "state", VIEW_GOOD, "Completed");
    else if (j->state == VIDEO_FAILED)
        view_badge(o, "state", VIEW_BAD, "Failed");
    else
        view_badge(o, "state", VIEW_NEUTRAL, j->state == VIDEO_QUEUED ? "Queued" : "In progress");
}

int call_video_view(struct web *w, const struct call_record *call, bool for_operator, struct json_object *view)
{
    struct video_job j;
    struct json_object *o;
    char name[VIDEO_NAME_TEXT];
    int r = video_job_of_call(w->db, w->arena, (struct team_id){call->team_id}, call->call_id, &j);

    json_set_null(view, "video");
    json_set_bool(view, "given_back", r == VIDEO_JOB_OK && j.returned_us);
    if (r != VIDEO_JOB_OK)
        return r == VIDEO_JOB_E_NONE ? 0 : r;
    o = json_new_object();
    video_name(j.call, name);
    json_set_cstr(o, "name", name);
    video_state(&j, o);
    json_set_str(o, "length", j.seconds ? view_plural(w->arena, j.seconds, "second", NULL) : STR(""));
    json_set_str(o, "size", j.size);
    json_set_str(o, "error", j.error_message);
    json_set_str(o, "upstream_id", j.upstream_id);
    view_time(o, "ended", j.ended_us, w->zone, w->now_us);
    view_time(o, "expires", j.expires_us, w->zone, w->now_us);
    view_time(o, "returned_at", j.returned_us, w->zone, w->now_us);
    json_set_null(o, "returned");
    if (j.returned_us)
        view_money(o, "returned", j.returned, VIEW_CALL);
    json_set_str(o, "returned_link",
                 for_operator || !j.returned_transfer ? STR_NONE : link_transfer(w->arena, j.returned_transfer));
    json_set(view, "video", o);
    return 0;
}
