/* video.c: see video.h. */
#include "demo/video.h"

#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "demo/film.h"
#include "demo/plan.h"
#include "json/write.h"

enum { QUEUED_MS = 1000, MADE_MS = 3000, SECONDS_DEFAULT = 4, SIZE_BYTES = 16 };

struct demo_job {
    uint64_t made_ms; /* Unix time */
    uint64_t seconds;
    struct str size;
    bool fails;
};

/* "video_demo-1764417600000-8-720x1280-ok" */
static struct str name_of(struct arena *a, const struct demo_job *j)
{
    return arena_strf(a, "video_demo-%llu-%llu-%.*s-%s", (unsigned long long)j->made_ms,
                      (unsigned long long)j->seconds, STR_FMT(j->size), j->fails ? "fail" : "ok");
}

static bool read_name(struct str name, struct demo_job *ret)
{
    struct str part[5];
    size_t n = 0;

    while (n < ARRAY_LEN(part) && str_split(&name, '-', &part[n]))
        n++;
    if (n != ARRAY_LEN(part) || name.p || !str_eq_c(part[0], "video_demo") ||
        str_u64(part[1], &ret->made_ms) != STR_OK || str_u64(part[2], &ret->seconds) != STR_OK ||
        ret->seconds > FILM_SECONDS_MAX || part[3].n > SIZE_BYTES)
        return false;
    ret->size = part[3];
    ret->fails = str_eq_c(part[4], "fail");
    return true;
}

static uint64_t age_ms(const struct demo_job *j)
{
    uint64_t now = (uint64_t)(clock_wall_us() / 1000);

    return now > j->made_ms ? now - j->made_ms : 0;
}

static const char *state_of(const struct demo_job *j)
{
    if (age_ms(j) < QUEUED_MS)
        return "queued";
    if (age_ms(j) < MADE_MS)
        return "in_progress";
    return j->fails ? "failed" : "completed";
}

static void put_error(struct json_writer *w)
{
    json_open_object(w);
    json_key(w, "code");
    json_cstr(w, "video_generation_failed");
    json_key(w, "message");
    json_cstr(w, "The demo failed to make the video, as its prompt ordered.");
    json_close_object(w);
}

static void put_job(const struct demo_job *j, struct str name, struct buf *out)
{
    const char *state = state_of(j);
    struct json_writer w;
    char seconds[16];

    json_begin(&w, out);
    json_open_object(&w);
    json_key(&w, "id");
    json_str(&w, name);
    json_key(&w, "object");
    json_cstr(&w, "video");
    json_key(&w, "model");
    json_cstr(&w, "demo-video");
    json_key(&w, "status");
    json_cstr(&w, state);
    json_key(&w, "progress");
    json_int(&w, (int64_t)MIN(age_ms(j) * 100 / MADE_MS, UINT64_C(100)));
    json_key(&w, "created_at");
    json_int(&w, (int64_t)(j->made_ms / 1000));
    json_key(&w, "seconds");
    json_str(&w, str_n(seconds, (size_t)snprintf(seconds, sizeof(seconds), "%u", (unsigned)j->seconds)));
    json_key(&w, "size");
    json_str(&w, j->size);
    json_key(&w, "error");
    if (j->fails && age_ms(j) >= MADE_MS)
        put_error(&w);
    else
        json_null(&w);
    json_close_object(&w);
}

static void reply(struct request *r, struct str body, const char *type)
{
    struct response answer = {.status = 200, .content_type = type, .body = body};
    const struct problem problem = problem_of(PROBLEM_INTERNAL);

    if (body.p)
        request_reply(r, &answer);
    else
        request_fail(r, &problem);
}

static void reply_job(struct request *r, const struct demo_job *j, struct str name)
{
    struct str body = STR_NONE;
    struct buf out;

    buf_init(&out, KIB(4));
    put_job(j, name, &out);
    if (buf_finish(&out) == 0)
        body = arena_str(r->arena, buf_str(&out));
    buf_done(&out);
    reply(r, body, "application/json");
}

/* --- making one --- */

/* A field of a form, which is read no more closely than a demo has to; p NULL: there is none. */
static struct str form_field(struct request *r, const char *name)
{
    struct str mark = arena_strf(r->arena, "name=\"%s\"\r\n\r\n", name), found = STR_NONE;
    const char *at = mark.p ? memmem(r->body.p, r->body.n, mark.p, mark.n) : NULL, *end;

    if (at) {
        at += mark.n;
        end = memmem(at, (size_t)(r->body.p + r->body.n - at), "\r\n", 2);
        found = end ? str_n(at, (size_t)(end - at)) : STR_NONE;
    }
    return found;
}

static struct str field(struct request *r, const struct json_object *body, const char *name)
{
    const struct json_object *v = body ? json_get(body, name) : NULL;

    if (!body)
        return form_field(r, name);
    return v ? json_text(v) : STR_NONE;
}

/* The model with its switches, as plan_model() has them. */
static int read_model(struct request *r, struct str rest, struct plan_fault *fault)
{
    struct str header = request_header(r, "x-demo"), name = STR_NONE;
    struct switches switches = {0};

    (void)str_split(&rest, '+', &name);
    if (!str_eq_c(name, "demo-video") || (rest.p && !switches_add_all(&switches, rest, '+'))) {
        *fault = (struct plan_fault){404, "model_not_found",
                                     STR("The demo upstream has no such model here, or no such switch."),
                                     STR("model")};
        return PLAN_E_FAULT;
    }
    if (header.p)
        (void)switches_add_all(&switches, header, ',');
    if (switches.status) {
        *fault = demo_ordered_fault(switches.status);
        return PLAN_E_FAULT;
    }
    return PLAN_OK;
}

static int read_job(struct request *r, struct demo_job *ret, struct plan_fault *fault)
{
    bool is_form = str_starts(request_header(r, "content-type"), STR("multipart/form-data"));
    struct json_object *body = NULL;
    struct str seconds, size;
    int outcome = is_form ? PLAN_OK : plan_parse(r, &body, fault);

    if (outcome == PLAN_OK)
        outcome = read_model(r, field(r, body, "model"), fault);
    if (outcome != PLAN_OK)
        return outcome;
    *ret = (struct demo_job){.made_ms = (uint64_t)(clock_wall_us() / 1000), .seconds = SECONDS_DEFAULT};
    seconds = field(r, body, "seconds");
    size = field(r, body, "size");
    if (seconds.n && (str_u64(seconds, &ret->seconds) != STR_OK || !ret->seconds ||
                      ret->seconds > FILM_SECONDS_MAX)) {
        *fault = (struct plan_fault){400, "invalid_value", STR("The demo's films have 1 to 60 seconds."),
                                     STR("seconds")};
        return PLAN_E_FAULT;
    }
    ret->size = size.n && size.n <= SIZE_BYTES && str_find(size, '-') < 0 ? size : STR("720x1280");
    ret->fails = str_ihas(field(r, body, "prompt"), STR("fail"));
    return PLAN_OK;
}

void demo_video(struct request *r)
{
    const struct problem problem = problem_of(PROBLEM_INTERNAL);
    struct plan_fault fault;
    struct demo_job job;
    int outcome = read_job(r, &job, &fault);
    struct str name = outcome == PLAN_OK ? name_of(r->arena, &job) : STR_NONE;

    if (outcome == PLAN_E_FAULT)
        demo_fail(r, &fault);
    else if (name.p)
        reply_job(r, &job, name);
    else
        request_fail(r, &problem);
}

/* --- what is asked of it --- */

static bool find(struct request *r, struct demo_job *ret)
{
    struct plan_fault fault = {404, "not_found", STR("There is no such demo video."), STR_NONE};

    if (read_name(r->params[0], ret))
        return true;
    demo_fail(r, &fault);
    return false;
}

void demo_video_state(struct request *r)
{
    struct demo_job job;

    if (find(r, &job))
        reply_job(r, &job, r->params[0]);
}

void demo_video_content(struct request *r)
{
    struct plan_fault fault = {404, "not_found", STR("The video is not there, or has no such variant."),
                               STR_NONE};
    struct str variant = request_query(r, "variant"), film = STR_NONE;
    struct demo_job job;
    struct buf out;

    if (!find(r, &job))
        return;
    if (job.fails || age_ms(&job) < MADE_MS || (variant.p && !str_eq_c(variant, "video"))) {
        demo_fail(r, &fault);
        return;
    }
    buf_init(&out, MIB(1));
    film_put((unsigned)job.seconds, &out);
    if (buf_finish(&out) == 0)
        film = arena_str(r->arena, buf_str(&out));
    buf_done(&out);
    reply(r, film, "video/mp4");
}

void demo_video_delete(struct request *r)
{
    struct demo_job job;

    if (find(r, &job))
        reply(r, arena_strf(r->arena, "{\"id\":\"%.*s\",\"object\":\"video.deleted\",\"deleted\":true}",
                            STR_FMT(r->params[0])),
              "application/json");
}
