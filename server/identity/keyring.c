/* keyring.c: what may stand in a key's settings. */
#include "identity/keyring_check.h"

#include <errno.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "identity/field.h"

static int check_models(const struct key_settings *s, struct identity_fault *fault)
{
    if (s->n_models > BOUND_KEY_MODELS)
        return identity_fault_set(fault, "models", "A key names at most 200 models.");
    for (size_t i = 0; i < s->n_models; i++) {
        struct str model = s->models[i];
        bool formed = model.n > 0 && model.n <= KEY_MODEL_NAME_MAX;

        for (size_t j = 0; j < model.n; j++)
            formed = formed && (unsigned char)model.p[j] > ' ' && model.p[j] != 0x7f;
        if (!formed || !str_utf8(model))
            return identity_fault_set(fault, "models", "One of these is not the name of a model.");
    }
    return 0;
}

static int check_addresses(const struct key_settings *s, struct identity_fault *fault)
{
    struct key_block block;

    if (s->n_addresses > BOUND_KEY_ADDRESSES)
        return identity_fault_set(fault, "addresses", "A key names at most 50 addresses.");
    for (size_t i = 0; i < s->n_addresses; i++)
        if (!key_block_parse(s->addresses[i], &block))
            return identity_fault_set(
                fault, "addresses",
                "Give addresses or blocks such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32.");
    return 0;
}

bool key_tag_name_formed(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && c != '_' && c != '-' && c != '.')
            return false;
    }
    return s.n >= 1 && s.n <= KEY_TAG_NAME_MAX;
}

static int check_tags(const struct key_settings *s, struct identity_fault *fault)
{
    if (s->n_tags > BOUND_KEY_TAGS)
        return identity_fault_set(fault, "tags", "A key has at most 16 tags.");
    for (size_t i = 0; i < s->n_tags; i++) {
        struct str value = s->tags[i].value;

        if (!key_tag_name_formed(s->tags[i].name))
            return identity_fault_set(
                fault, "tags", "The name of a tag has 1 to 40 letters, digits, dots or dashes.");
        if (field_line(&value, "tags", 1, KEY_TAG_VALUE_MAX, fault) != 0)
            return identity_fault_set(fault, "tags", "The value of a tag has 1 to 100 characters.");
        for (size_t j = 0; j < i; j++)
            if (str_eq(s->tags[j].name, s->tags[i].name))
                return identity_fault_set(fault, "tags", "Two tags have the same name.");
    }
    return 0;
}

static int check_limit(int64_t limit, const char *field, struct identity_fault *fault)
{
    if (limit < 0 || limit > KEY_LIMIT_MAX)
        return identity_fault_set(fault, field, "From 1 to 1,000,000,000,000, or nothing.");
    return 0;
}

static int check_budget(const struct key_settings *s, struct identity_fault *fault)
{
    if (s->budget_window == KEY_WINDOW_NONE && s->budget.nano != 0)
        return identity_fault_set(fault, "budget_window", "Say how long the budget is for.");
    if (s->budget_window == KEY_WINDOW_NONE)
        return 0;
    if (s->budget.nano <= 0 || s->budget.nano > BUDGET_MAX_NANO)
        return identity_fault_set(fault, "budget", "Give an amount above 0.");
    return 0;
}

int keyring_check(struct key_settings *s, struct identity_fault *fault)
{
    int r = field_line(&s->name, "name", 1, KEY_NAME_MAX, fault);

    if (r == 0)
        r = check_models(s, fault);
    if (r == 0)
        r = check_addresses(s, fault);
    if (r == 0)
        r = check_tags(s, fault);
    if (r == 0)
        r = check_limit(s->rpm, "rpm", fault);
    if (r == 0)
        r = check_limit(s->tpm, "tpm", fault);
    if (r == 0)
        r = check_limit(s->concurrency, "concurrency", fault);
    if (r == 0)
        r = check_budget(s, fault);
    if (r == 0 && (s->cache_seconds < 0 || s->cache_seconds > KEY_CACHE_SECONDS_MAX))
        return identity_fault_set(fault, "cache_seconds",
                                  "At most 604800 seconds, which is a week; 0 keeps nothing.");
    if (r == 0 && s->cache_similarity_bp &&
        (s->cache_similarity_bp < KEY_SIMILARITY_MIN_BP || s->cache_similarity_bp > KEY_SIMILARITY_MAX_BP))
        return identity_fault_set(fault, "cache_similarity", "From 0.5 to 1, such as 0.95.");
    return r;
}

int keyring_check_expiry(int64_t expires_at_us, struct identity_fault *fault)
{
    if (expires_at_us != 0 && expires_at_us <= clock_wall_us())
        return identity_fault_set(fault, "expires_at", "This moment is over. Give a later one.");
    return 0;
}

int keyring_secret(struct arena *a, const uint8_t key_pepper[32], const char *prefix,
                   struct key_secret *ret)
{
    struct str text = secret_token(a, prefix);

    if (!text.p)
        return err_origin(-ENOMEM);
    *ret = (struct key_secret){
        .text = text,
        .digest = digest_keyed(key_pepper, text),
        .prefix = str_n(text.p, strlen(prefix) + 4),
        .last4 = str_n(text.p + text.n - 4, 4),
    };
    return 0;
}
