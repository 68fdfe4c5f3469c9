/* serve.c: see serve.h. A listener's ctx is its loop's gateway; pages and the management API run on
 * the lane that their route names and answer on the loop. */
#include "serve.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "cache/answers.h"
#include "catalog/holder.h"
#include "catalog_reload.h"
#include "config.h"
#include "dispatch.h"
#include "gateway/gateway.h"
#include "guard/set.h"
#include "http/admission.h"
#include "http/listener.h"
#include "lease/node.h"
#include "ledger/journal.h"
#include "providers/health.h"
#include "providers/pace.h"
#include "providers/quota.h"
#include "providers/tokens.h"
#include "routes.h"
#include "web/site.h"

#define TRUSTED_MAX 64
#define DRAIN_LOOK_MS 20
/* For what has ended to be settled before the process goes; the journal keeps the rest. */
#define JOURNAL_LIMIT_MS 10000

struct serve_loop {
    struct serve *serve;
    unsigned index;
    struct loop *loop;
    struct gateway *gateway;
    struct listener *listener;
    pthread_t thread;
    bool running;
    struct loop_msg drain, cut;
};

struct serve {
    const struct config *config;
    struct services *services;
    struct router *router;
    struct net_block trusted[TRUSTED_MAX];
    size_t trusted_count;
    struct gateways *gateways;
    struct serve_loop *loops;
    unsigned n_loops;
    unsigned max_connections; /* of each loop */
    struct listener **listeners;
    struct memory_guard *memory;
    struct catalog_reload reload;
};

void serve_asset(struct request *req)
{
    const struct gateway *g = listener_ctx(req->listener);

    site_answer(g->services->site, req);
}

/* --- making --- */

static int complain(const char *sentence)
{
    fprintf(stderr, "tollgate: %s\n", sentence);
    return 1;
}

static int read_trusted(struct serve *s)
{
    struct str rest = str_c(s->config->trusted_proxies), part;

    while (rest.n && str_split(&rest, ',', &part)) {
        part = str_trim(part);
        if (!part.n)
            continue;
        if (s->trusted_count == TRUSTED_MAX ||
            !net_block_parse(part, &s->trusted[s->trusted_count]))
            return complain("TRUSTED_PROXIES is not a list of networks such as 10.0.0.0/8");
        s->trusted_count++;
    }
    return 0;
}

static int make_catalog(struct serve *s, struct db *db)
{
    struct services *v = s->services;
    struct catalog_options options = {.seal_key = v->seal_key, .demo_port = v->demo_port};
    int r = catalog_holder_new(&v->catalog);

    if (!r)
        r = catalog_holder_reload(v->catalog, db, &options);
    return r ? complain("the catalogue cannot be loaded") : 0;
}

static int make_site(struct serve *s)
{
    char static_files[PATH_MAX], assets[PATH_MAX];
    struct site_dirs dirs = {
        .templates = s->config->templates_dir, .static_files = static_files, .assets = assets};
    struct mustache_fault fault = {{0}};
    int r;

    if (snprintf(static_files, PATH_MAX, "%s/static", s->config->static_dir) >= PATH_MAX ||
        snprintf(assets, PATH_MAX, "%s/assets", s->config->static_dir) >= PATH_MAX)
        return complain("STATIC_DIR is too long");
    r = site_new(&dirs, MUSTACHE_LENIENT, &s->services->site, &fault);
    if (r == SITE_E_FAULT) {
        fprintf(stderr, "tollgate: %s\n", fault.text);
        return 1;
    }
    return r;
}

static int make_node(struct serve *s, struct db *db)
{
    struct node_config node = {.conninfo = s->config->database_url,
                               .name = s->config->node_name,
                               .version = TOLLGATE_VERSION,
                               .lane = s->services->money};

    return node_new(&node, db, &s->services->node);
}

static int make_journal(struct serve *s)
{
    struct journal_config journal = {.conninfo = s->config->database_url,
                                     .dir = s->config->journal_dir,
                                     .writers = s->services->loops,
                                     .node = s->services->node};
    int r = journal_new(&journal, &s->services->journal);

    if (r == JOURNAL_E_DIR)
        return complain("JOURNAL_DIR cannot be used: it has to be a directory of this user");
    if (r == JOURNAL_E_BROKEN)
        return complain("a file in JOURNAL_DIR is damaged: it holds calls that are not settled; "
                        "keep it, and start with another JOURNAL_DIR");
    if (r == JOURNAL_E_FOREIGN)
        return complain("a file in JOURNAL_DIR was written by another version of this program and holds "
                        "calls that are not settled; start that version once to settle them, or keep the "
                        "directory and start with another JOURNAL_DIR");
    return r;
}

static struct listener_config listener_config_of(const struct serve *s, const struct serve_loop *l)
{
    const struct config *c = s->config;

    return (struct listener_config){
        .loop = l->loop,
        .address = c->listen,
        .port = (uint16_t)c->port,
        .tls_cert_file = c->tls_cert_file[0] ? c->tls_cert_file : NULL,
        .tls_key_file = c->tls_key_file[0] ? c->tls_key_file : NULL,
        .router = s->router,
        .trusted = s->trusted,
        .trusted_count = s->trusted_count,
        .max_connections = s->max_connections,
        .max_per_address = (unsigned)c->max_per_address,
        .head_timeout_ms = c->head_timeout_ms,
        .body_timeout_ms = c->body_timeout_ms,
        .idle_timeout_ms = c->idle_timeout_ms,
        .write_timeout_ms = c->write_timeout_ms,
        .shed_after_ms = c->shed_after_ms,
        .refuse_chunked = c->chunked_bodies == CONFIG_OFF,
        .memory = s->memory,
        .dispatch = dispatch_to_lane,
        .problem_page = dispatch_problem_page,
        .ctx = l->gateway,
    };
}

static int make_listener(struct serve *s, struct serve_loop *l)
{
    struct listener_config config = listener_config_of(s, l);
    int r = listener_new(&config, &l->listener);

    if (r == LISTENER_E_TAKEN)
        return complain("the port is taken; choose another with --port or PORT");
    if (r == LISTENER_E_ADDRESS)
        return complain("the address in LISTEN is not one of this machine");
    if (r == LISTENER_E_TLS)
        return complain("TLS_CERT_FILE and TLS_KEY_FILE cannot be used together");
    return r;
}

static int make_loop(struct serve *s, unsigned index)
{
    struct serve_loop *l = &s->loops[index];
    int r;

    l->serve = s;
    l->index = index;
    l->loop = loop_new("loop");
    if (!l->loop)
        return err_origin(-ENOMEM);
    r = gateway_new(s->gateways, index, l->loop, &l->gateway);
    if (!r)
        r = make_listener(s, l);
    s->listeners[index] = l->listener;
    return r;
}

static void *run_loop(void *arg)
{
    struct serve_loop *l = arg;

    if (loop_run(l->loop))
        log_error("loop_failed", "loop=%u", l->index);
    return NULL;
}

static int start_threads(struct serve *s)
{
    for (unsigned i = 0; i < s->n_loops; i++) {
        int r = pthread_create(&s->loops[i].thread, NULL, run_loop, &s->loops[i]);

        if (r)
            return err_origin(-r);
        s->loops[i].running = true;
    }
    return 0;
}

/* Somebody without SO_REUSEPORT, or another node, would share the port unseen. */
static int check_port(const struct config *c)
{
    int r = listener_probe(c->listen, (uint16_t)c->port);

    if (r == LISTENER_E_TAKEN) {
        fprintf(stderr,
                "tollgate: port %d on %s is taken by another program; stop it or choose another "
                "with --port or PORT\n",
                c->port, c->listen);
        return 1;
    }
    return r == LISTENER_E_ADDRESS ? complain("the address in LISTEN is not one of this machine") : r;
}

static unsigned connections_of_a_loop(const struct serve *s)
{
    return MAX(admission_connections((unsigned)s->config->max_connections) / s->n_loops, 1U);
}

static uint64_t memory_limit_of(const struct serve *s)
{
    return (uint64_t)s->config->memory_limit_mib << 20;
}

/* What loops share of provider accounts and targets, and the answers that are kept. */
static int make_boards(struct serve *s)
{
    struct services *v = s->services;
    size_t cache_bytes = (size_t)s->config->cache_bytes;
    int r = health_board_new(&v->health);

    if (!r)
        r = pace_board_new(&v->pace);
    if (!r)
        r = quota_board_new(&v->quota);
    if (!r && cache_bytes)
        r = answers_new(cache_bytes, &v->answers);
    if (!r)
        r = guards_new(&v->guards);
    return r ? r : token_board_new(&v->tokens);
}

static int make(struct serve *s, struct db *db)
{
    int r = check_port(s->config);

    s->max_connections = connections_of_a_loop(s);
    s->services->listeners = s->listeners;
    if (!r)
        r = memory_guard_new(memory_limit_of(s), &s->memory);
    s->services->memory = s->memory;
    if (!r)
        r = read_trusted(s);
    if (!r)
        r = make_site(s);
    if (!r)
        r = make_catalog(s, db);
    if (!r)
        r = make_boards(s);
    if (!r)
        r = make_node(s, db);
    if (!r)
        r = make_journal(s);
    if (!r)
        r = router_new(routes, routes_count, &s->router);
    if (!r)
        r = gateways_new(s->services, &s->gateways);
    s->services->gateways = s->gateways;
    for (unsigned i = 0; !r && i < s->n_loops; i++)
        r = make_loop(s, i);
    return r ? r : start_threads(s);
}

int serve_start(const struct config *config, struct services *services, struct db *db,
                struct serve **ret)
{
    struct serve *s = calloc(1, sizeof(*s));

    if (!s)
        return err_origin(-ENOMEM);
    s->config = config;
    s->services = services;
    catalog_reload_init(&s->reload, services);
    s->n_loops = services->loops;
    s->loops = calloc(s->n_loops, sizeof(*s->loops));
    s->listeners = calloc(s->n_loops, sizeof(struct listener *));
    *ret = s;
    return s->loops && s->listeners ? make(s, db) : err_origin(-ENOMEM);
}

/* --- changes --- */

void serve_changed(struct serve *s, struct str payload)
{
    if (str_eq_c(payload, "all") || str_eq_c(payload, "catalogue"))
        catalog_reload_changed(&s->reload);
    if (!str_eq_c(payload, "catalogue"))
        gateways_changed(s->gateways, payload);
}

void serve_polled(struct serve *s)
{
    catalog_reload_polled(&s->reload);
}

void serve_reload(struct serve *s)
{
    s->max_connections = connections_of_a_loop(s);
    memory_guard_limit(s->memory, memory_limit_of(s));
    for (unsigned i = 0; i < s->n_loops; i++) {
        struct listener_config config = listener_config_of(s, &s->loops[i]);
        int r = listener_change(s->loops[i].listener, &config);

        if (r < 0)
            log_error("reload_incomplete", "loop=%u", i);
        else if (r == LISTENER_E_TLS)
            log_error("certificate_not_changed", "loop=%u reason=%s", i,
                      "the files are no certificate with its key");
    }
}

/* --- the end --- */

static void drain_loop(struct loop_msg *m)
{
    struct serve_loop *l = container_of(m, struct serve_loop, drain);

    listener_drain(l->listener);
}

static void cut_loop(struct loop_msg *m)
{
    struct serve_loop *l = container_of(m, struct serve_loop, cut);

    gateway_cut(l->gateway);
}

static bool idle(const struct serve *s)
{
    for (unsigned i = 0; i < s->n_loops; i++)
        if (listener_active(s->loops[i].listener))
            return false;
    return gateways_in_flight(s->gateways) == 0;
}

/* True: nothing is in flight any more. */
static bool wait_idle(const struct serve *s, int limit_ms)
{
    const struct timespec pause = {0, DRAIN_LOOK_MS * 1000000L};
    int64_t end_ms = clock_mono_ms() + limit_ms;

    while (!idle(s)) {
        if (clock_mono_ms() >= end_ms)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

void serve_drain(struct serve *s, int limit_ms)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->n_loops; i++)
        if (s->loops[i].running) {
            s->loops[i].drain.fn = drain_loop;
            loop_post(s->loops[i].loop, &s->loops[i].drain);
        }
    if (s->n_loops && s->loops[0].running && !wait_idle(s, limit_ms)) {
        log_warn("drain_cut", "calls=%u", gateways_in_flight(s->gateways));
        for (unsigned i = 0; i < s->n_loops; i++) {
            s->loops[i].cut.fn = cut_loop;
            loop_post(s->loops[i].loop, &s->loops[i].cut);
        }
        (void)wait_idle(s, 2000);
    }
    for (unsigned i = 0; i < s->n_loops; i++)
        if (s->loops[i].running) {
            loop_stop(s->loops[i].loop);
            (void)pthread_join(s->loops[i].thread, NULL);
            s->loops[i].running = false;
        }
}

void serve_free(struct serve *s)
{
    if (!s)
        return;
    for (unsigned i = 0; s->loops && i < s->n_loops; i++) {
        listener_free(s->loops[i].listener);
        gateway_free(s->loops[i].gateway);
        loop_free(s->loops[i].loop);
    }
    gateways_free(s->gateways);
    journal_free(s->services->journal, JOURNAL_LIMIT_MS);
    node_free(s->services->node);
    router_free(s->router);
    health_board_free(s->services->health);
    pace_board_free(s->services->pace);
    quota_board_free(s->services->quota);
    answers_free(s->services->answers);
    guards_free(s->services->guards);
    token_board_free(s->services->tokens);
    catalog_holder_free(s->services->catalog);
    site_free(s->services->site);
    memory_guard_free(s->memory);
    catalog_reload_done(&s->reload);
    free(s->listeners);
    free(s->loops);
    free(s);
}
