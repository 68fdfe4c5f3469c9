/* fallback.c: see fallback.h. */
#include "routing/fallback.h"

#include <time.h>

/* What an outcome is to the route and to the account's health. */
static const struct {
    const char *name;
    int trigger; /* enum route_trigger; -1: never moves on */
    int failure; /* enum health_failure; -1: the account is fine; -2: it tells nothing */
} outcomes[TRY_OUTCOMES] = {
    [TRY_OK] = {"ok", -1, -1},
    [TRY_CONNECT] = {"connect", TRIGGER_CONNECT, HEALTH_FAILED},
    [TRY_TIMEOUT] = {"timeout", TRIGGER_TIMEOUT, HEALTH_FAILED},
    [TRY_RATE_LIMITED] = {"rate_limited", TRIGGER_RATE_LIMITED, HEALTH_RATE_LIMITED},
    [TRY_SERVER_ERROR] = {"server_error", TRIGGER_SERVER_ERROR, HEALTH_FAILED},
    [TRY_BAD_REPLY] = {"bad_reply", TRIGGER_BAD_REPLY, HEALTH_FAILED},
    [TRY_CREDENTIAL] = {"credential", TRIGGER_CREDENTIAL, HEALTH_CREDENTIAL},
    /* One wrong name says nothing about the account's other models. */
    [TRY_NO_MODEL] = {"no_model", TRIGGER_CREDENTIAL, -2},
    [TRY_CLIENT_ERROR] = {"client_error", -1, -2},
    [TRY_CONTEXT_LENGTH] = {"context_length", TRIGGER_CONTEXT_LENGTH, -2},
    [TRY_CONTENT_POLICY] = {"content_policy", TRIGGER_CONTENT_POLICY, -2},
};

const char *try_outcome_name(enum try_outcome o)
{
    assert((size_t)o < TRY_OUTCOMES);
    return outcomes[o].name;
}

enum try_outcome try_outcome_of_status(int status)
{
    if (status >= 200 && status < 300)
        return TRY_OK;
    if (status == 429)
        return TRY_RATE_LIMITED;
    if (status >= 500 || status == 408)
        return TRY_SERVER_ERROR;
    if (status == 401 || status == 402 || status == 403)
        return TRY_CREDENTIAL;
    if (status == 404)
        return TRY_NO_MODEL;
    if (status >= 400)
        return TRY_CLIENT_ERROR;
    return TRY_BAD_REPLY; /* 1xx that ends a reply, and redirects, which are not followed */
}

bool try_outcome_is_clients(enum try_outcome o)
{
    return o == TRY_CLIENT_ERROR || o == TRY_CONTEXT_LENGTH || o == TRY_CONTENT_POLICY;
}

bool fallback_in_vain(enum try_outcome outcome, const struct catalog_target *failed,
                      const struct catalog_target *next)
{
    if (!try_outcome_is_clients(outcome))
        return false;
    if (next == failed)
        return true;
    return outcome == TRY_CONTEXT_LENGTH && target_context(next) > 0 && target_context(failed) > 0 &&
           target_context(next) <= target_context(failed);
}

bool fallback_may_move_on(const struct catalog_model *policy, enum try_outcome outcome,
                          unsigned tries)
{
    int trigger;

    assert((size_t)outcome < TRY_OUTCOMES);
    trigger = outcomes[outcome].trigger;
    return trigger >= 0 && (policy->triggers & TRIGGER_BIT(trigger)) &&
           tries < policy->max_attempts;
}

void fallback_tell_health(struct health *h, int64_t now_ms, enum try_outcome outcome,
                          int64_t retry_ms, int64_t first_byte_us, int64_t latency_us)
{
    int failure;

    assert((size_t)outcome < TRY_OUTCOMES);
    failure = outcomes[outcome].failure;
    if (failure >= 0)
        health_failed(h, now_ms, (enum health_failure)failure, retry_ms);
    else if (failure == -1)
        health_succeeded(h, now_ms, first_byte_us, latency_us);
    else
        health_untold(h);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate, RFC 9110 5.6.7). */
static bool http_date(struct str s, int64_t *ret_unix_s)
{
    char text[40];
    struct tm tm = {0};
    const char *end;

    if (s.n >= sizeof(text) || s.n < 5)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    if (!end || *end != '\0')
        return false;
    *ret_unix_s = timegm(&tm);
    return true;
}

int64_t retry_after_ms(struct str value, int64_t now_wall_us)
{
    const int64_t year_s = INT64_C(366) * 24 * 3600;
    int64_t at_s;
    uint64_t seconds;

    value = str_trim(value);
    if (str_u64(value, &seconds) == STR_OK)
        return MIN((int64_t)MIN(seconds, (uint64_t)year_s), year_s) * 1000;
    if (!http_date(value, &at_s))
        return -1;
    return MAX(MIN(at_s - now_wall_us / 1000000, year_s), (int64_t)0) * 1000;
}
