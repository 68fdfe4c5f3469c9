/* upstream.c: see upstream.h. */
#include "demo/upstream.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/log.h"
#include "demo/chat.h"
#include "demo/embed.h"
#include "demo/plan.h"
#include "demo/video.h"
#include "http/listener.h"
#include "json/write.h"

static const char *const models[] = {"demo-small", "demo-large", "demo-embedding", "demo-video"};

static void put_model(struct json_writer *w, const char *name)
{
    json_open_object(w);
    json_key(w, "id");
    json_cstr(w, name);
    json_key(w, "object");
    json_cstr(w, "model");
    json_key(w, "created");
    json_int(w, 1767225600);
    json_key(w, "owned_by");
    json_cstr(w, "tollgate-demo");
    json_close_object(w);
}

static void reply_json(struct request *r, const struct buf *json)
{
    struct response answer = {.status = 200, .content_type = "application/json"};

    answer.body = arena_str(r->arena, buf_str(json));
    request_reply(r, &answer);
}

static void list_models(struct request *r)
{
    struct json_writer w;
    struct buf out;

    buf_init(&out, BOUND_ADMIN_BODY_BYTES);
    json_begin(&w, &out);
    json_open_object(&w);
    json_key(&w, "object");
    json_cstr(&w, "list");
    json_key(&w, "data");
    json_open_array(&w);
    for (size_t i = 0; i < ARRAY_LEN(models); i++)
        put_model(&w, models[i]);
    json_close_array(&w);
    json_close_object(&w);
    reply_json(r, &out);
    buf_done(&out);
}

static void show_model(struct request *r)
{
    struct plan_fault fault = {404, "model_not_found", STR("There is no such demo model."),
                               STR("model")};
    struct json_writer w;
    struct buf out;

    for (size_t i = 0; i < ARRAY_LEN(models); i++) {
        if (!str_eq_c(r->params[0], models[i]))
            continue;
        buf_init(&out, BOUND_ADMIN_BODY_BYTES);
        json_begin(&w, &out);
        put_model(&w, models[i]);
        reply_json(r, &out);
        buf_done(&out);
        return;
    }
    demo_fail(r, &fault);
}

const struct route demo_routes[] = {
    {HTTP_GET, "/v1/models", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, list_models},
    {HTTP_GET, "/v1/models/{model*}", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, show_model},
    {HTTP_POST, "/v1/chat/completions", AUTH_NONE, BOUND_LLM_BODY_BYTES, RUNS_ON_LOOP,
     PROBLEM_AS_OPENAI, demo_chat},
    {HTTP_POST, "/v1/embeddings", AUTH_NONE, BOUND_LLM_BODY_BYTES, RUNS_ON_LOOP, PROBLEM_AS_OPENAI,
     demo_embed},
    {HTTP_POST, "/v1/videos", AUTH_NONE, BOUND_FILE_BODY_BYTES, RUNS_ON_LOOP, PROBLEM_AS_OPENAI,
     demo_video},
    {HTTP_GET, "/v1/videos/{id}", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, demo_video_state},
    {HTTP_GET, "/v1/videos/{id}/content", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI,
     demo_video_content},
    {HTTP_DELETE, "/v1/videos/{id}", AUTH_NONE, 0, RUNS_ON_LOOP, PROBLEM_AS_OPENAI, demo_video_delete},
};
const size_t demo_route_count = ARRAY_LEN(demo_routes);

static void on_signal(struct loop_fd *w, uint32_t events)
{
    (void)events;
    loop_stop(w->loop);
}

/* SIGTERM and SIGINT through a descriptor; SIGPIPE never. */
static bool watch_signals(struct loop *loop, struct loop_fd *ret)
{
    sigset_t set;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return false;
    ret->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    ret->events = EPOLLIN;
    ret->ready = on_signal;
    return ret->fd >= 0 && loop_fd_add(loop, ret) == 0;
}

static void tell_port(int ready_fd, uint16_t port)
{
    if (ready_fd < 0)
        return;
    if (dprintf(ready_fd, "%u\n", port) < 0)
        log_error("port_not_told", "fd=%d errno=%d", ready_fd, errno);
    (void)close(ready_fd);
}

static int serve(struct loop *loop, struct router *router, uint16_t port, int ready_fd)
{
    const struct listener_config config = {
        .loop = loop,
        .address = "127.0.0.1",
        .port = port,
        .router = router,
        .max_connections = 20000,
        .max_per_address = 20000,
        .head_timeout_ms = 10000,
        .body_timeout_ms = 30000,
        .idle_timeout_ms = 120000,
        .write_timeout_ms = 30000,
    };
    struct listener *listener;
    int r = port ? listener_probe(config.address, port) : LISTENER_OK;

    if (!r)
        r = listener_new(&config, &listener);
    if (r) {
        log_error("demo_cannot_listen", "port=%u reason=%s", port,
                  r == LISTENER_E_TAKEN ? "the port is taken" : "the address cannot be used");
        return EXIT_FAILURE;
    }
    tell_port(ready_fd, listener_port(listener));
    log_info("demo_listens", "address=%s port=%u", config.address, listener_port(listener));
    r = loop_run(loop);
    listener_free(listener);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int demo_upstream_run(uint16_t port, int ready_fd)
{
    struct loop *loop = loop_new("demo");
    struct loop_fd signals = {.fd = -1};
    struct router *router = NULL;
    int status = EXIT_FAILURE;

    if (loop && watch_signals(loop, &signals) &&
        router_new(demo_routes, demo_route_count, &router) == 0)
        status = serve(loop, router, port, ready_fd);
    loop_fd_del(&signals);
    if (signals.fd >= 0)
        (void)close(signals.fd);
    router_free(router);
    loop_free(loop);
    return status;
}
