/* video_ask.c: see video_ask.h.
 *
 * A job is lost, which is a failure as any other, when its provider says that it does not know it and has had
 * the time to; when its account is gone, which a node hears of a moment later than of the job when it is new; and
 * when nobody could learn its end within two days. */
#include "gateway/video_ask.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "providers/tokens.h"

enum { CONNECT_MS = 5000, ANSWER_MS = 15000, CONTENT_FIRST_MS = 60000, CONTENT_IDLE_MS = 60000 };

static const struct catalog_way *way_of(const struct catalog_account *account, const struct video_job *job)
{
    const struct catalog_way *way =
        catalog_account_way(account, job->upstream_model, &format_openai_videos);

    /* A server of a team's own choice, which this installation does not take any more, is asked no more. */
    return way && way->way->format->video && !(account->own_url && account->unusable) ? way : NULL;
}

/* Of an account that the catalogue does not have. One of a kind that only newer nodes know is left to them. */
static int missing(const struct catalog *c, struct account_id id)
{
    return catalog_has_account(c, id) ? VIDEO_ASK_E_NOT_NOW : VIDEO_ASK_E_GONE;
}

/* Whether a service account has its token. */
static bool take_token(const struct services *s, const struct catalog_account *account, struct arena *a,
                       struct str *ret)
{
    const struct provider_credential *c = &account->credential;

    *ret = STR_NONE;
    return !c->google.email.p ||
           token_get(s->tokens, account->id, c->mark, clock_wall_us(), a, ret) == TOKEN_OK;
}

static int put_headers(const struct services *s, const struct catalog_account *account,
                       const struct catalog_way *way, struct arena *a, struct video_exchange *x)
{
    struct provider_headers all = {.n = 0};
    struct provider_ask ask = {
        .provider = account->provider,
        .way = way->way,
        .credential = &account->credential,
        .place = &account->place,
        .extra = account->headers,
        .n_extra = account->n_headers,
        .method = x->request.method,
        .url = str_c(x->request.url),
        .body = x->request.body,
        .now_us = clock_wall_us(),
    };
    size_t n = 0;
    int r;

    if (!take_token(s, account, a, &ask.token))
        return VIDEO_ASK_E_NOT_NOW;
    r = provider_put_headers(&ask, a, &all);
    if (r != PROVIDER_OK)
        return r < 0 ? err_trace(r) : VIDEO_ASK_E_NOT_NOW;
    if (x->request.body.p)
        x->headers[n++] = (struct fetch_header){"content-type", STR("application/json")};
    for (size_t i = 0; i < all.n; i++)
        x->headers[n++] = (struct fetch_header){all.v[i].name, all.v[i].value};
    x->request.headers = x->headers;
    x->request.header_count = n;
    return VIDEO_ASK_OK;
}

static struct fetch_request request_for(const struct video_request *r, enum guard_network network, bool content)
{
    return (struct fetch_request){
        .method = r->method,
        .url = r->url.p,
        .body = r->body,
        .network = network,
        .connect_timeout_ms = CONNECT_MS,
        .first_byte_timeout_ms = content ? CONTENT_FIRST_MS : ANSWER_MS,
        .idle_timeout_ms = content ? CONTENT_IDLE_MS : ANSWER_MS,
        .total_timeout_ms = content ? 0 : 2 * ANSWER_MS,
        .reply_max = content ? VIDEO_CONTENT_BYTES : VIDEO_STATE_BYTES,
    };
}

static enum guard_network network_of(const struct catalog_account *account)
{
    return account->private_network ? GUARD_PRIVATE : GUARD_PUBLIC;
}

int video_ask_make(const struct services *s, const struct catalog *c, struct arena *a,
                   const struct video_job *job, const struct video_ask *what, struct video_exchange *ret)
{
    const struct catalog_account *account = catalog_find_account(c, job->account);
    const struct catalog_way *way = account ? way_of(account, job) : NULL;
    const struct video_dialect *d = way ? way->way->format->video : NULL;
    struct video_request request;
    int r;

    if (!account)
        return missing(c, job->account);
    if (!d)
        return VIDEO_ASK_E_NOT_NOW;
    r = d->ask(a, way->url, what, &request);
    if (r != VIDEO_OK)
        return r < 0 ? err_trace(r) : VIDEO_ASK_E_UNSUPPORTED;
    ret->request = request_for(&request, network_of(account),
                               what->what == VIDEO_ASK_CONTENT && !d->find_content);
    return put_headers(s, account, way, a, ret);
}

int video_ask_at(const struct services *s, const struct catalog *c, struct arena *a,
                 const struct video_job *job, struct str url, struct video_exchange *ret)
{
    const struct catalog_account *account = catalog_find_account(c, job->account);
    const struct catalog_way *way = account ? way_of(account, job) : NULL;
    const struct video_request request = {.method = "GET", .url = url};

    if (!account)
        return missing(c, job->account);
    if (!way)
        return VIDEO_ASK_E_NOT_NOW;
    if (str_ieq(provider_origin(url), provider_origin(way->url))) {
        ret->request = request_for(&request, network_of(account), true);
        return put_headers(s, account, way, a, ret);
    }
    ret->request = request_for(&request, GUARD_PUBLIC, true);
    return VIDEO_ASK_OK;
}

const struct video_dialect *video_ask_dialect(const struct catalog *c, const struct video_job *job)
{
    const struct catalog_account *account = catalog_find_account(c, job->account);
    const struct catalog_way *way = account ? way_of(account, job) : NULL;

    return way ? way->way->format->video : NULL;
}

static bool lose(struct video_told *ret, const char *code, const char *sentence)
{
    *ret = (struct video_told){
        .state = VIDEO_FAILED,
        .progress = -1,
        .error_code = str_c(code),
        .error_message = str_c(sentence),
    };
    return true;
}

static int64_t age_us(const struct video_job *job)
{
    return clock_wall_us() - job->created_us;
}

static bool wait_or_lose(const struct video_job *job, struct video_told *ret)
{
    return age_us(job) > VIDEO_LOST_US &&
           lose(ret, "video_lost", "Nobody could learn within 48 hours what became of the video.");
}

bool video_ask_judge(const struct video_job *job, int outcome, struct video_told *ret)
{
    if (outcome == VIDEO_ASK_E_GONE && age_us(job) > VIDEO_KNOWN_US)
        return lose(ret, "account_removed", "The provider account that made the video was removed.");
    return wait_or_lose(job, ret);
}

bool video_ask_read(const struct catalog *c, struct arena *a, const struct video_job *job, int status,
                    struct str body, struct video_told *ret)
{
    const struct catalog_account *account = catalog_find_account(c, job->account);
    const struct catalog_way *way = account ? way_of(account, job) : NULL;

    if ((status == 404 || status == 410) && age_us(job) > VIDEO_KNOWN_US)
        return lose(ret, "video_lost", "The provider does not know the video any more.");
    if (way && status == 200 && way->way->format->video->read_state(a, body, ret) == VIDEO_OK) {
        video_told_clip(ret);
        if (ret->state == VIDEO_COMPLETED || ret->state == VIDEO_FAILED)
            return true;
        return age_us(job) > VIDEO_LOST_US ? wait_or_lose(job, ret) : true;
    }
    return wait_or_lose(job, ret);
}
