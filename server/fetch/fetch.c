/* fetch.c: see fetch.h. The fetcher: libcurl's multi handle run by the loop, and beside it plain
 * connections without libcurl (direct.c).
 *
 * libcurl must not be entered from its own callbacks, so what they ask for (start, resume, cancel)
 * is put on lists, and the loop's hook does it in the same turn. */
#include "fetch/fetch.h"

#include <errno.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "fetch/direct.h"
#include "fetch/line.h"

/* Connections of a loop, over all upstreams, that are kept for the next request: as many as are likely to
 * be in use at once, or a flood of calls would make a new one for each; but at most this share of the
 * process's descriptors. */
enum { KEPT_MAX = 2048, KEPT_SHARE = 8 };

const char *fetch_fault_name(enum fetch_fault f)
{
    static const char *const names[] = {
        [FETCH_DONE] = "done",
        [FETCH_E_CONNECT] = "connect",
        [FETCH_E_TLS] = "tls",
        [FETCH_E_TLS_UNTRUSTED] = "tls_untrusted",
        [FETCH_E_TLS_EXPIRED] = "tls_expired",
        [FETCH_E_TLS_HOST] = "tls_host",
        [FETCH_E_BLOCKED] = "blocked",
        [FETCH_E_TIMEOUT_CONNECT] = "timeout_connect",
        [FETCH_E_TIMEOUT_FIRST_BYTE] = "timeout_first_byte",
        [FETCH_E_TIMEOUT_IDLE] = "timeout_idle",
        [FETCH_E_TIMEOUT_TOTAL] = "timeout_total",
        [FETCH_E_RESET] = "reset",
        [FETCH_E_PROTOCOL] = "protocol",
        [FETCH_E_TOO_LARGE] = "too_large",
    };

    assert((size_t)f < ARRAY_LEN(names));
    return names[f];
}

static void set_timer(struct fetcher *f, struct loop_timer *t, int64_t at_ms)
{
    if (loop_timer_set(f->loop, t, at_ms) < 0)
        log_error("fetcher_timer_lost", "at_ms=%lld", (long long)at_ms);
}

/* Makes sure that the hook runs soon, also when it has run in this turn already. */
static void wake(struct fetcher *f)
{
    if (!f->soon.loop)
        set_timer(f, &f->soon, loop_now_ms(f->loop));
}

static void woken(struct loop_timer *t)
{
    (void)t; /* the hook runs in every turn */
}

static int on_timer_wanted(CURLM *multi, long timeout_ms, void *fetcher)
{
    struct fetcher *f = fetcher;

    (void)multi;
    if (timeout_ms == 0) {
        f->due = true;
        wake(f);
    } else if (timeout_ms > 0) {
        set_timer(f, &f->timer, loop_now_ms(f->loop) + timeout_ms);
    } else {
        loop_timer_clear(&f->timer);
    }
    return 0;
}

static void on_timer(struct loop_timer *t)
{
    container_of(t, struct fetcher, timer)->due = true;
}

static void fetch_free(void *p)
{
    struct fetch *f = p;

    buf_done(&f->head_text);
    buf_done(&f->out);
    free(f->line_at);
    curl_slist_free_all(f->headers);
    free(f);
}

CURL *transfer_take_easy(struct fetcher *f)
{
    return f->n_easies ? f->easies[--f->n_easies] : curl_easy_init();
}

void transfer_give_easy(struct fetcher *f, CURL *easy, bool sound)
{
    if (!sound || f->n_easies == ARRAY_LEN(f->easies)) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    f->easies[f->n_easies++] = easy;
}

/* From here on no callback is made; the rest follows in the hook. */
static void fetch_end(struct fetch *f)
{
    assert(!f->over);
    f->over = true;
    if (f->line)
        line_close(f->line);
    loop_timer_clear(&f->deadline);
    list_del(&f->resume_link);
    list_del(&f->link);
    list_add_tail(&f->fetcher->dead, &f->link);
    f->fetcher->n_running--;
    wake(f->fetcher);
}

void transfer_finish(struct fetch *f, enum fetch_fault fault)
{
    f->timing.end_mono_ns = clock_mono_ns();
    f->sound = fault == FETCH_DONE;
    fetch_end(f);
    f->callbacks.done(f, fault, f->ctx);
}

/* The timer stands at a deadline as it was once; bytes may have moved it since. */
static void on_deadline(struct loop_timer *t)
{
    struct fetch *f = container_of(t, struct fetch, deadline);
    enum fetch_fault fault;

    if (loop_now_ms(f->fetcher->loop) < transfer_deadline_ms(f, &fault))
        transfer_arm(f);
    else
        transfer_finish(f, fault);
}

static void run_started(struct fetcher *f)
{
    while (!list_empty(&f->starting)) {
        struct fetch *one = container_of(f->starting.next, struct fetch, link);

        list_del(&one->link);
        list_add_tail(&f->running, &one->link);
        if (one->direct)
            direct_start(one);
        else if (curl_multi_add_handle(f->multi, one->easy) != CURLM_OK)
            transfer_finish(one, FETCH_E_CONNECT);
    }
}

static void run_resumed(struct fetcher *f)
{
    while (!list_empty(&f->resumed)) {
        struct fetch *one = container_of(f->resumed.next, struct fetch, resume_link);

        list_del(&one->resume_link);
        one->paused = false;
        if (one->direct) {
            direct_resume(one);
            continue;
        }
        f->acted = true;
        (void)curl_easy_pause(one->easy, CURLPAUSE_CONT);
    }
}

void transfers_read_done(struct fetcher *f)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(f->multi, &left))) {
        struct fetch *one = NULL;
        CURLcode code = message->data.result;
        long connects = 1;

        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&one);
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_NUM_CONNECTS, &connects);
        if (one->over)
            continue;
        if (one->direct) {
            direct_connected(one, code);
            continue;
        }
        if (connects == 0)
            f->reused++;
        transfer_finish(one, transfer_fault(one, code));
    }
}

static void bury(struct fetcher *f)
{
    while (!list_empty(&f->dead)) {
        struct fetch *one = container_of(f->dead.next, struct fetch, link);

        list_del(&one->link);
        if (one->easy) {
            (void)curl_multi_remove_handle(f->multi, one->easy);
            transfer_give_easy(f, steal(&one->easy), one->sound);
        }
        loop_free_later(f->loop, fetch_free, one);
    }
}

static void turn(struct loop_hook *h, int *timeout_ms)
{
    struct fetcher *f = container_of(h, struct fetcher, hook);
    int running;

    (void)timeout_ms;
    loop_timer_clear(&f->soon);
    run_started(f);
    run_resumed(f);
    if (f->due) {
        f->due = false;
        f->acted = true;
        loop_timer_clear(&f->timer);
        (void)curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    if (f->acted) {
        f->acted = false;
        transfers_read_done(f);
    }
    bury(f);
    lines_turn_over(f);
}

static long kept_max(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur / KEPT_SHARE >= KEPT_MAX)
        return KEPT_MAX;
    return (long)files.rlim_cur / KEPT_SHARE;
}

static int set_up(struct fetcher *f)
{
    f->kept_max = kept_max();
    f->multi = curl_multi_init();
    if (!f->multi ||
        curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) != CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f) != CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted) != CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f) != CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, f->kept_max) != CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) != CURLM_OK)
        return err_origin(-ENOMEM);
    return 0;
}

int fetcher_new(struct loop *loop, struct fetcher **ret)
{
    struct fetcher *f = calloc(1, sizeof(*f));
    int r;

    if (!f)
        return err_origin(-ENOMEM);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) { /* counted, and safe from any thread */
        free(f);
        return err_origin(-ENOMEM);
    }
    f->loop = loop;
    list_init(&f->starting);
    list_init(&f->running);
    list_init(&f->resumed);
    list_init(&f->dead);
    list_init(&f->kept);
    list_init(&f->just_kept);
    f->timer.fired = on_timer;
    f->soon.fired = woken;
    f->hook.turn = turn;
    f->bytes = malloc(TRANSFER_READ_BYTES);
    r = f->bytes ? set_up(f) : err_origin(-ENOMEM);
    if (r < 0) {
        fetcher_free(f);
        return err_trace(r);
    }
    *ret = f;
    return 0;
}

void fetcher_free(struct fetcher *f)
{
    if (!f)
        return;
    list_for_each (&f->starting, it)
        fetch_end(container_of(it, struct fetch, link));
    list_for_each (&f->running, it)
        fetch_end(container_of(it, struct fetch, link));
    if (f->multi) {
        bury(f);
        while (f->n_easies)
            curl_easy_cleanup(f->easies[--f->n_easies]);
        (void)curl_multi_cleanup(f->multi);
    }
    lines_done(f);
    watches_done(f);
    free(f->bytes);
    for (size_t i = 0; i < ARRAY_LEN(f->approved); i++)
        free(f->approved[i].url);
    loop_timer_clear(&f->timer);
    loop_timer_clear(&f->soon);
    loop_hook_del(&f->hook);
    curl_global_cleanup();
    free(f);
}

int fetch_start(struct fetcher *fetcher, const struct fetch_request *request,
                const struct fetch_callbacks *callbacks, void *ctx, struct fetch **ret)
{
    struct fetch *f = calloc(1, sizeof(*f));
    int r;

    if (!f)
        return err_origin(-ENOMEM);
    f->fetcher = fetcher;
    f->callbacks = *callbacks;
    f->ctx = ctx;
    f->deadline.fired = on_deadline;
    f->start_ms = f->phase_ms = loop_now_ms(fetcher->loop);
    f->timing.start_mono_ns = clock_mono_ns();
    r = transfer_prepare(f, request);
    if (r) {
        if (f->easy)
            transfer_give_easy(fetcher, steal(&f->easy), r > 0);
        fetch_free(f);
        return r < 0 ? err_trace(r) : r;
    }
    if (!fetcher->hook.loop) /* behind the listener's, whichever was made first */
        loop_hook_add(fetcher->loop, &fetcher->hook);
    list_add_tail(&fetcher->starting, &f->link);
    fetcher->started++;
    fetcher->n_running++;
    transfer_arm(f);
    wake(fetcher);
    *ret = f;
    return FETCH_START_OK;
}

void fetch_resume(struct fetch *f)
{
    assert(!f->over);
    if (!f->pausing)
        return;
    f->pausing = false;
    f->phase_ms = loop_now_ms(f->fetcher->loop);
    transfer_arm(f);
    if (!f->paused || list_linked(&f->resume_link))
        return;
    list_add_tail(&f->fetcher->resumed, &f->resume_link);
    wake(f->fetcher);
}

void fetch_cancel(struct fetch *f)
{
    fetch_end(f);
}

void fetch_read_timing(const struct fetch *f, struct fetch_timing *ret)
{
    *ret = f->timing;
}

void fetcher_read_stats(const struct fetcher *f, struct fetcher_stats *ret)
{
    *ret =
        (struct fetcher_stats){.started = f->started, .reused = f->reused, .running = f->n_running};
}
