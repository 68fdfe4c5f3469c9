/* app.c: `tollgate serve`: everything that a node is, put together, run, drained, taken apart.
 *
 * The order of start is the order of struct app's members, the order of the end the reverse. */
#include "app.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "admin/admin.h"
#include "base/bounds.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/secret.h"
#include "chores.h"
#include "config.h"
#include "database_wait.h"
#include "db/notify.h"
#include "fetch/fetch.h"
#include "first_start.h"
#include "lease/node.h"
#include "logs/oversight.h"
#include "notices/notices.h"
#include "oidc/oidc.h"
#include "payments/stripe.h"
#include "routes.h"
#include "serve.h"
#include "traces/traces.h"
#include "web/frame.h"
#include "web/links.h"

#define CHANNEL "tollgate_change"
#define NOTIFY_POLL_MS 5000
#define LANE_QUEUE 512
#define MONEY_STATEMENT_MS 5000
#define MONEY_LOCK_MS 2000
/* Whoever waits for a page leaves before; none takes a tenth of it. */
#define PAGE_STATEMENT_MS 10000
#define PAGE_LOCK_MS 5000
#define LONG_QUEUE 16
#define WAITING_QUEUE 32
#define PASSWORD_QUEUE 32

/* How long the workers of a lane wait for a statement and for a lock; 0: as any connection. A call waits
 * for the money lane, and a client for the call. */
struct lane_limits {
    const struct config *config;
    int statement_ms, lock_ms;
};

struct app {
    struct config live; /* as it was given, with what was read again since */
    const struct config *config;
    const struct config_source *source;
    sigset_t signals; /* which end it, or have it read its settings again; blocked in all threads */
    struct arena *arena;
    struct master *master;
    struct db *db; /* of the start; closed before the loops run */
    struct services services;
    struct lane_limits money_limits, page_limits, usual_limits;
    struct first_start first;
    struct serve *serve;
    _Atomic(struct notify *) notify; /* asked by loops and workers, which run before it does */
    struct chores *chores;
    struct stripe *stripe;
    struct oversight oversight;
    struct notices notices;
    bool ended; /* by a signal, while it waited for its database */
    atomic_bool draining;
};

static int complain(const char *sentence)
{
    fprintf(stderr, "tollgate: %s\n", sentence);
    return 1;
}

static int64_t database_silence_ms(void *ctx)
{
    struct app *app = ctx;
    const struct notify *n = atomic_load_explicit(&app->notify, memory_order_acquire);

    return n ? notify_silence_ms(n) : 0;
}

static bool is_draining(void *ctx)
{
    struct app *app = ctx;

    return atomic_load_explicit(&app->draining, memory_order_relaxed);
}

static void *worker_new(void *ctx)
{
    const struct lane_limits *limits = ctx;
    struct db *db = NULL;

    if (db_open(limits->config->database_url, "tollgate worker", &db))
        return NULL;
    if (limits->statement_ms && db_limit(db, limits->statement_ms, limits->lock_ms)) {
        db_close(db);
        return NULL;
    }
    return db;
}

static void worker_free(void *worker)
{
    db_close(worker);
}

static int lane_new(struct lane_limits *limits, const char *name, int threads, unsigned queue,
                    struct jobs **ret)
{
    struct jobs_config config = {.name = name,
                                 .threads = (unsigned)threads,
                                 .queue_max = queue,
                                 .worker_new = worker_new,
                                 .worker_free = worker_free,
                                 .ctx = limits};

    return jobs_new(&config, ret);
}

static int lanes_new(struct app *app)
{
    struct lane_limits *money = &app->money_limits, *pages = &app->page_limits;
    struct lane_limits *usual = &app->usual_limits;
    const struct config *c = app->config;
    struct services *s = &app->services;
    int r;

    *usual = (struct lane_limits){.config = c};
    *money = (struct lane_limits){c, MONEY_STATEMENT_MS, MONEY_LOCK_MS};
    *pages = (struct lane_limits){c, PAGE_STATEMENT_MS, PAGE_LOCK_MS};
    r = lane_new(money, "money", c->money_workers, LANE_QUEUE, &s->money);
    if (!r)
        r = lane_new(pages, "pages", c->page_workers, LANE_QUEUE, &s->pages);
    if (!r)
        r = lane_new(usual, "passwords", c->password_workers, PASSWORD_QUEUE, &s->passwords);
    if (!r)
        r = lane_new(usual, "long", c->long_workers, LONG_QUEUE, &s->long_jobs);
    if (!r)
        r = lane_new(usual, "waiting", c->waiting_workers, WAITING_QUEUE, &s->waiting);
    if (!r)
        r = lane_new(usual, "responses", c->response_workers, LANE_QUEUE, &s->responses);
    return r;
}

static enum signup_mode signup_mode(int word)
{
    return word == CONFIG_SIGNUP_OPEN     ? SIGNUP_OPEN
           : word == CONFIG_SIGNUP_INVITE ? SIGNUP_INVITE
                                          : SIGNUP_CLOSED;
}

/* What may change while the server runs. */
static void services_from_live_config(struct app *app)
{
    const struct config *c = app->config;
    struct services *s = &app->services;

    s->signup = signup_mode(c->signup);
    s->shadow_calls = (unsigned)c->shadow_calls;
    s->connect_timeout_ms = c->upstream_connect_timeout_ms;
    s->first_byte_timeout_ms = c->upstream_first_byte_timeout_ms;
    s->idle_timeout_ms = c->upstream_idle_timeout_ms;
    s->total_timeout_ms = c->upstream_total_timeout_ms;
}

static void services_from_config(struct app *app)
{
    const struct config *c = app->config;
    struct services *s = &app->services;

    s->stripe = app->stripe;
    if (app->stripe)
        s->page_policy = frame_policy(app->arena, stripe_checkout_origin(app->stripe));
    master_subkey(app->master, "api-key", s->key_pepper);
    master_subkey(app->master, "session", s->session_pepper);
    master_subkey(app->master, "provider-key", s->seal_key);
    s->oversight = &app->oversight;
    s->public_url = str_c(c->public_url);
    s->public_https = str_starts(s->public_url, STR("https://"));
    s->plain_sign_in_allowed = c->allow_plain_http_sign_in == CONFIG_ON;
    s->loopback_only = c->loopback;
    s->sandbox_payments = c->sandbox_payments == CONFIG_ON;
    s->demo_port = c->demo == CONFIG_ON ? (uint16_t)c->demo_port : 0;
    s->node_name = str_c(c->node_name);
    s->version = STR(TOLLGATE_VERSION);
    s->default_time_zone = str_c(c->default_time_zone);
    s->loops = (unsigned)c->loops;
    s->routes = routes;
    s->routes_count = routes_count;
    s->api_document = admin_document();
    services_from_live_config(app);
    s->database_silence_ms = database_silence_ms;
    s->draining = is_draining;
    s->ctx = app;
}

static int open_secret(struct app *app)
{
    int r = master_load(app->config->secret_file, &app->master);

    if (r == MASTER_E_MISSING)
        return complain("SECRET_FILE does not exist: make 32 random bytes, mode 0600, the same "
                        "file for every replica");
    if (r == MASTER_E_LENGTH)
        return complain("SECRET_FILE must hold exactly 32 bytes");
    if (r == MASTER_E_MODE)
        return complain("SECRET_FILE can be read by others: chmod 600 it");
    return r ? complain("SECRET_FILE cannot be read") : 0;
}

static int open_trust(const struct config *config)
{
    const char *path = config->upstream_ca_file;

    if (path[0] && fetch_trust(path) != FETCH_TRUST_OK)
        return complain("UPSTREAM_CA_FILE cannot be read, or holds no certificate (PEM)");
    return 0;
}

static int open_mail(struct app *app)
{
    const struct config *c = app->config;
    struct notices_settings settings = {.smtp_url = c->smtp_url,
                                        .smtp_user = c->smtp_user,
                                        .smtp_password_file = c->smtp_password_file,
                                        .mail_from = c->mail_from,
                                        .allow_plain = c->allow_plain_smtp == CONFIG_ON,
                                        .private_webhooks = c->private_webhooks == CONFIG_ON,
                                        .resets_of_operators = c->password_sign_in == CONFIG_OFF,
                                        .public_url = app->services.public_url};
    uint8_t seal_key[32];
    int r;

    master_subkey(app->master, "notice", seal_key);
    r = notices_init(app->arena, &settings, seal_key, &app->notices);
    secret_wipe(seal_key, sizeof(seal_key));
    app->services.notices = &app->notices;
    return r ? complain("SMTP_PASSWORD_FILE cannot be read, or holds no password") : 0;
}

static int open_stripe(struct app *app)
{
    const struct config *c = app->config;
    const struct stripe_settings settings = {
        .secret_key = str_c(c->stripe_secret_key),
        .webhook_secrets = str_c(c->stripe_webhook_secret),
        .api_url = str_c(c->stripe_api_url),
        .checkout_url = str_c(c->stripe_checkout_url),
        .own_url = str_c(c->public_url),
    };

    return stripe_new(&settings, &app->stripe) ? complain("out of memory") : 0;
}

static int open_oidc(struct app *app)
{
    const struct config *c = app->config;
    struct services *s = &app->services;
    const struct oidc_settings settings = {
        .issuer = str_c(c->oidc_issuer),
        .client_id = str_c(c->oidc_client_id),
        .secret_file = c->oidc_client_secret_file,
        .name = str_c(c->oidc_name),
        .scopes = str_c(c->oidc_scopes),
        .groups_claim = str_c(c->oidc_groups_claim),
        .operator_group = str_c(c->oidc_operator_group),
        .domains = str_c(c->oidc_domains),
        .emails_trusted = c->oidc_emails == CONFIG_OIDC_TRUSTED,
        .own_url = str_c(c->public_url),
        .callback = link_to(LINK_provider_callback),
    };
    uint8_t seal_key[32];
    int r;

    s->oidc_signup_own = c->oidc_signup != CONFIG_SIGNUP_AUTO;
    s->oidc_signup = signup_mode(c->oidc_signup);
    s->oidc_link_by_email = c->oidc_link == CONFIG_OIDC_BY_EMAIL;
    s->password_of_operators = c->password_sign_in == CONFIG_OFF;
    master_subkey(app->master, "oidc", seal_key);
    r = oidc_new(&settings, seal_key, &s->oidc);
    secret_wipe(seal_key, sizeof(seal_key));
    return r ? complain("OIDC_CLIENT_SECRET_FILE cannot be read, or holds no secret") : 0;
}

static int open_traces(struct app *app)
{
    const struct config *c = app->config;
    const struct traces_config config = {
        .endpoint = str_c(c->traces_endpoint),
        .headers = str_c(c->traces_headers),
        .service = str_c(c->traces_service),
        .version = app->services.version,
        .node = app->services.node_name,
        .kept = str_c(c->traces_kept),
    };

    return config.endpoint.n && traces_new(&config, &app->services.traces) ? complain("out of memory") : 0;
}

/* The database may come up after us. */
static int open_database(struct app *app)
{
    int r = database_wait(app->config->database_url, &app->signals, &app->db);

    app->ended = r == DATABASE_WAIT_ENDED;
    return r == DATABASE_WAIT_UNUSABLE ? complain("DATABASE_URL cannot be used") : r;
}

static void changed(struct str payload, void *ctx)
{
    struct app *app = ctx;

    serve_changed(app->serve, payload);
}

static void polled(void *ctx)
{
    struct app *app = ctx;

    serve_polled(app->serve);
}

static void reload_catalog(struct db *db, void *ctx)
{
    struct app *app = ctx;

    (void)db;
    serve_changed(app->serve, STR("catalogue"));
}

static int watch_start(struct app *app)
{
    struct notify_config notify = {.conninfo = app->config->database_url,
                                   .channel = CHANNEL,
                                   .poll_ms = NOTIFY_POLL_MS,
                                   .changed = changed,
                                   .polled = polled,
                                   .ctx = app};
    struct chores_config chores = {.conninfo = app->config->database_url,
                                   .services = &app->services,
                                   .poll_ms = (int)app->config->poll_interval_ms,
                                   .reload_catalog = reload_catalog,
                                   .ctx = app};
    struct notify *watch;
    int r = notify_start(&notify, &watch);

    if (r)
        return r;
    atomic_store_explicit(&app->notify, watch, memory_order_release);
    return chores_start(&chores, &app->chores);
}

static int start(struct app *app)
{
    int r = open_secret(app);

    if (!r)
        r = open_trust(app->config);
    if (!r)
        r = open_stripe(app);
    if (!r) {
        services_from_config(app);
        r = open_mail(app);
    }
    if (!r)
        r = open_oidc(app);
    if (!r)
        r = open_traces(app);
    if (!r)
        r = open_database(app);
    if (!r)
        r = first_start(app->config, app->master, &app->services, app->db, app->arena, &app->first);
    if (r)
        return r;
    r = lanes_new(app);
    if (!r)
        r = serve_start(app->config, &app->services, app->db, &app->serve);
    if (r)
        return r > 0 ? r : complain("the server cannot start");
    db_close(steal(&app->db));
    return watch_start(app) ? complain("the watching threads cannot start") : 0;
}

static void stop(struct app *app)
{
    struct services *s = &app->services;

    atomic_store(&app->draining, true);
    serve_drain(app->serve, app->config->drain_seconds * 1000);
    chores_stop(app->chores);
    notify_stop(app->notify);
    jobs_free(s->pages);
    jobs_free(s->passwords);
    jobs_free(s->long_jobs);
    jobs_free(s->waiting);
    jobs_free(s->responses);
    node_lane_ends(s->node);
    jobs_free(s->money);
    notify_free(app->notify);
    serve_free(app->serve);
    traces_free(s->traces);
    oidc_free(s->oidc);
    db_close(app->db);
    stripe_free(app->stripe);
    secret_wipe(s->key_pepper, sizeof(s->key_pepper));
    secret_wipe(s->session_pepper, sizeof(s->session_pepper));
    secret_wipe(s->seal_key, sizeof(s->seal_key));
    secret_wipe(app->notices.seal_key, sizeof(app->notices.seal_key));
    master_free(app->master);
    arena_free(app->arena);
}

/* No core dumps: they would hold keys. As many descriptors as the machine allows. */
static void harden(void)
{
    struct rlimit none = {0, 0}, files;

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static void say_what_differs(const char *name, bool taken)
{
    if (taken)
        log_info("setting_changed", "name=%s", name);
    else
        log_warn("setting_not_changed", "name=%s reason=%s", name, "needs_another_start");
}

/* The environment of a process stays as it is: what can be new stands in the file. */
static void reload(struct app *app)
{
    const struct config_source *from = app->source;
    char fault[CONFIG_FAULT_SIZE];
    struct config fresh;
    int r = config_load(from->file, from->overrides, from->n_overrides, from->self_exe, &fresh, fault);

    if (r) {
        log_error("settings_not_read", "fault=%s",
                  log_str(r > 0 ? str_c(fault) : STR("out of memory")));
        return;
    }
    config_take(&app->live, &fresh, say_what_differs);
    config_done(&fresh);
    log_set_level((enum log_level)app->config->log_level);
    services_from_live_config(app);
    serve_reload(app->serve);
    log_info("settings_read", "file=%s", log_str(str_c(app->config->file)));
}

/* Until SIGTERM or SIGINT. */
static void wait_for_the_end(struct app *app)
{
    int signal = 0;

    while (sigwait(&app->signals, &signal) == 0 && signal == SIGHUP)
        reload(app);
    log_info("draining", "signal=%d seconds=%d", signal, app->config->drain_seconds);
}

int app_serve(const struct config *config, const struct config_source *source)
{
    struct app app = {.live = *config, .source = source, .arena = arena_new(MIB(4))};
    int r;

    if (!app.arena)
        return complain("out of memory");
    app.config = &app.live;
    harden();
    heap_begin();
    sigemptyset(&app.signals);
    sigaddset(&app.signals, SIGTERM);
    sigaddset(&app.signals, SIGINT);
    sigaddset(&app.signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &app.signals, NULL);
    r = start(&app);
    if (!r) {
        heap_keep_pages();
        first_start_print(app.config, &app.services, &app.first);
        wait_for_the_end(&app);
    }
    stop(&app);
    return r != 0 && !app.ended;
}
