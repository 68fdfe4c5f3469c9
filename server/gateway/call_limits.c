/* call_limits.c: see call_limits.h. */
#include "gateway/call_limits.h"

#include "base/clock.h"
#include "gateway/call_flow.h"
#include "http/router.h"

static enum problem_code code_of(enum limit limit)
{
    switch (limit) {
    case LIMIT_WALLET:
        return PROBLEM_NO_BALANCE;
    case LIMIT_KEY_BUDGET:
        return PROBLEM_KEY_LIMIT;
    case LIMIT_USER_BUDGET:
    case LIMIT_PROJECT_BUDGET:
    case LIMIT_TEAM_BUDGET:
        return PROBLEM_BUDGET;
    case LIMIT_KEY_REQUESTS:
        return PROBLEM_RATE_REQUESTS;
    case LIMIT_KEY_TOKENS:
        return PROBLEM_RATE_TOKENS;
    case LIMIT_KEY_PERMITS:
        return PROBLEM_CONCURRENCY;
    case LIMITS:
        break;
    }
    return PROBLEM_INTERNAL;
}

/* Whose limit it is. */
static int64_t id_of(const struct call_record *r, enum limit limit)
{
    switch (limit) {
    case LIMIT_WALLET:
    case LIMIT_TEAM_BUDGET:
        return r->team_id;
    case LIMIT_PROJECT_BUDGET:
        return r->project_id;
    case LIMIT_USER_BUDGET:
        return r->user_id;
    case LIMIT_KEY_BUDGET:
    case LIMIT_KEY_REQUESTS:
    case LIMIT_KEY_TOKENS:
    case LIMIT_KEY_PERMITS:
    case LIMITS:
        break;
    }
    return r->key_id;
}

/* Which budget it is, where the code alone does not say. */
static struct str sentence_of(enum limit limit)
{
    if (limit == LIMIT_USER_BUDGET)
        return STR("The budget of the key's owner does not cover this request.");
    if (limit == LIMIT_PROJECT_BUDGET)
        return STR("The budget of the key's project does not cover this request.");
    if (limit == LIMIT_TEAM_BUDGET)
        return STR("The team's budget does not cover this request.");
    return STR_NONE;
}

static struct str amount_text(struct arena *a, const struct limits_word *word, int64_t v)
{
    struct str text;
    struct buf out;

    if (!word->money)
        return arena_i64(a, v, "");
    buf_init(&out, 64);
    money_put(&out, (struct money){v}, 2);
    text = arena_str(a, buf_str(&out));
    buf_done(&out);
    return text;
}

/* Whole seconds, rounded up, so that a client that waits so long is not too early. */
static int seconds_until(int64_t at_us)
{
    int64_t left_us = at_us - clock_wall_us();

    return left_us <= 0 ? 1 : (int)MIN((left_us + 999999) / 1000000, (int64_t)86400 * 31);
}

struct problem call_limits_problem(struct call *c, enum limit limit,
                                   const struct hold_refusal *refusal)
{
    const struct limits_word *word = limits_word(limit);
    struct problem p = problem_of(code_of(limit));
    struct arena *a = c->r->arena;

    p.quota_source = word->quota_source;
    p.scope = word->scope;
    p.unit = word->unit;
    p.id = arena_i64(a, id_of(&c->record, limit), "");
    p.message = sentence_of(limit);
    p.limit = amount_text(a, word, refusal->capacity);
    p.used = amount_text(a, word, refusal->used);
    p.resets_at_unix_s = (refusal->resets_at_us + 500000) / 1000000;
    if (!word->money)
        p.retry_after_s = refusal->resets_at_us ? seconds_until(refusal->resets_at_us) : 1;
    return p;
}

/* Anthropic tells the moment, OpenAI how long it is until then. */
static struct str reset_text(struct call *c, enum limit limit)
{
    int64_t in_s = limits_resets_in_s(c->key->purses, limit);
    char text[CLOCK_RFC3339_SIZE];

    if (c->r->route->problems != PROBLEM_AS_ANTHROPIC)
        return arena_i64(c->r->arena, in_s, "s");
    clock_rfc3339(clock_wall_us() + in_s * 1000000, text);
    return arena_str(c->r->arena, str_c(text));
}

static void put_figures(struct call *c, struct response *out, enum limit limit,
                        const char *const names[3])
{
    const struct key_purses *p = c->key->purses;
    int64_t remaining = limits_remaining(p, limit);
    struct arena *a = c->r->arena;

    if (remaining < 0)
        return;
    response_header(out, names[0], arena_i64(a, p->capacity[limit], ""));
    response_header(out, names[1], arena_i64(a, remaining, ""));
    response_header(out, names[2], reset_text(c, limit));
}

void call_limits_head(struct call *c, struct response *out)
{
    static const char *const openai[2][3] = {
        {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
         "x-ratelimit-reset-requests"},
        {"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"}};
    static const char *const anthropic[2][3] = {
        {"anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining",
         "anthropic-ratelimit-requests-reset"},
        {"anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining",
         "anthropic-ratelimit-tokens-reset"}};
    const char *const(*names)[3] =
        c->r->route->problems == PROBLEM_AS_ANTHROPIC ? anthropic : openai;

    put_figures(c, out, LIMIT_KEY_REQUESTS, names[0]);
    put_figures(c, out, LIMIT_KEY_TOKENS, names[1]);
}
