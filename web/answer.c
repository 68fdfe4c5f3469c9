/* answer.c: the answers that a page can end with, declared in web.h. */
#include <errno.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/log.h"
#include "http/stream.h"
#include "identity/fault.h"
#include "web/cookie.h"
#include "web/frame.h"
#include "web/web.h"

#define FLASH_SECONDS 60

static int render(const struct services *services, struct request *req, const char *name,
                  const struct json_object *view, struct response *out)
{
    struct mustache_fault fault;
    struct buf html;
    struct str body;
    int r;

    buf_init(&html, BOUND_PAGE_BYTES);
    r = mustache_render(site_templates(services->site), name, view, &html, &fault);
    if (r == MUSTACHE_E_FAULT) {
        log_error("template", "fault=%s", log_str(str_c(fault.text)));
        r = err_origin(-EINVAL);
    }
    body = r == 0 ? arena_str(req->arena, buf_str(&html)) : STR_NONE;
    buf_done(&html);
    if (r < 0)
        return err_trace(r);
    if (!body.p)
        return err_origin(-ENOMEM);
    out->content_type = "text/html; charset=utf-8";
    out->body = body;
    frame_headers(services, out);
    return 0;
}

int web_render_as(struct web *w, int status, const char *name, const char *title,
                  struct json_object *view)
{
    int r;

    assert(!w->answered);
    frame_add(w, title, view);
    r = render(w->services, w->req, name, view, w->out);
    json_unref(view);
    if (r < 0)
        return err_trace(r);
    w->out->status = status;
    if (w->flash.p)
        cookie_set(w->services, w->req, w->out, COOKIE_FLASH, STR(""), 0);
    w->answered = true;
    return 0;
}

int web_render(struct web *w, const char *name, const char *title, struct json_object *view)
{
    return web_render_as(w, 200, name, title, view);
}

int web_redirect(struct web *w, struct str path, const char *done)
{
    struct buf text;

    assert(!w->answered);
    assert(path.p);
    w->out->status = 303;
    w->out->body = STR("");
    response_header(w->out, "location", path);
    if (done) {
        buf_init(&text, KIB(4));
        query_encode(&text, str_c(done));
        if (buf_finish(&text) == 0)
            cookie_set(w->services, w->req, w->out, COOKIE_FLASH,
                       arena_str(w->arena, buf_str(&text)), FLASH_SECONDS);
        buf_done(&text);
    }
    w->answered = true;
    return 0;
}

int web_redirect_away(struct web *w, struct str url)
{
    assert(str_starts(url, STR("https://")) || str_starts(url, STR("http://")));
    return web_redirect(w, url, NULL);
}

/* again: what to load once more, where that may help. */
static struct json_object *problem_view(const struct request *req, const struct problem *p)
{
    bool may_pass = problem_status(p) == 503 && req->method == HTTP_GET;

    struct json_object *view = json_new_object();

    json_set_i64(view, "status", problem_status(p));
    json_set_str(view, "message",
                 p->message.p ? p->message : str_c(problem_sentence(p->code)));
    json_set_bool(view, "is_sign_in", problem_status(p) == 401);
    json_set_bool(view, "is_missing", problem_status(p) == 404);
    json_set_bool(view, "is_ours", problem_status(p) >= 500);
    json_set_str(view, "again", may_pass ? web_target(req) : STR_NONE);
    return view;
}

static void problem_headers(struct arena *a, const struct problem *p, struct response *out)
{
    out->status = problem_status(p);
    if (p->retry_after_s > 0)
        response_header(out, "retry-after", arena_strf(a, "%d", p->retry_after_s));
}

static const char *problem_title(const struct problem *p)
{
    int status = problem_status(p);

    return status == 404   ? "Nothing here"
           : status == 403 ? "Not allowed"
           : status == 503 ? "Not right now"
           : status >= 500 ? "Something went wrong"
                           : "That did not work";
}

void web_problem_page(struct request *req, const struct problem *p, struct response *out, void *ctx)
{
    const struct services *services = ctx;
    struct json_object *view = problem_view(req, p);

    frame_add_bare(services, req, problem_title(p), view);
    problem_headers(req->arena, p, out);
    if (render(services, req, "problem", view, out) < 0) {
        out->content_type = "text/plain; charset=utf-8";
        out->body = str_c(problem_sentence(p->code));
    }
    json_unref(view);
}

int web_fail(struct web *w, const struct problem *p)
{
    assert(!w->answered);
    web_leave_tx(w);
    problem_headers(w->arena, p, w->out);
    return web_render_as(w, problem_status(p), "problem", problem_title(p),
                         problem_view(w->req, p));
}

int web_fail_code(struct web *w, enum problem_code code)
{
    struct problem p = problem_of(code);

    return web_fail(w, &p);
}

struct problem web_away(void)
{
    struct problem p = problem_of(PROBLEM_LEDGER_AWAY);

    p.message = STR("The database does not answer, and pages are made from it. Calls to models go on for "
                    "a while, by what is set aside for them.");
    return p;
}

int web_fail_login_limit(struct web *w, int32_t retry_after_s)
{
    struct problem p = problem_of(PROBLEM_LOGIN_LIMIT);

    p.retry_after_s = retry_after_s;
    return web_fail(w, &p);
}

int web_outcome(struct web *w, int r)
{
    struct problem away;

    assert(r != 0);
    switch (r) {
    case IDENTITY_E_FAULT:
        return web_fail_code(w, PROBLEM_BAD_FIELD);
    case IDENTITY_E_NONE:
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    case IDENTITY_E_LIMITED:
        return web_fail_code(w, PROBLEM_LOGIN_LIMIT);
    case DB_E_AWAY:
        away = web_away();
        return web_fail(w, &away);
    default:
        return err_trace(r < 0 ? r : -EINVAL);
    }
}

int web_refused(struct web *w, int r, const struct identity_fault *fault)
{
    return r == IDENTITY_E_LIMITED ? web_fail_login_limit(w, fault->retry_after_s) : web_outcome(w, r);
}

static void file_headers(struct web *w, struct response *out, const char *content_type,
                         struct str name)
{
    out->status = 200;
    out->content_type = content_type;
    frame_headers(w->services, out);
    if (name.p)
        response_header(out, "content-disposition",
                        arena_strf(w->arena, "attachment; filename=\"%.*s\"", STR_FMT(name)));
}

int web_file(struct web *w, const char *content_type, struct str name, struct str bytes)
{
    assert(!w->answered);
    file_headers(w, w->out, content_type, name);
    w->out->body = bytes;
    w->answered = true;
    return 0;
}

int web_csv(struct web *w, struct str name, struct buf *csv)
{
    int r = buf_finish(csv);
    struct str bytes = r < 0 ? STR_NONE : arena_str(w->arena, buf_str(csv));

    buf_done(csv);
    if (r < 0)
        return err_trace(r);
    return web_file(w, "text/csv; charset=utf-8", name, bytes);
}

int web_stream(struct web *w, const char *content_type, struct str name, struct stream **ret)
{
    int r;

    assert(!w->answered);
    file_headers(w, w->out, content_type, name);
    r = stream_begin(w->req, w->out, ret);
    if (r < 0)
        return err_trace(r);
    w->answered = true;
    w->streamed = true;
    return 0;
}
