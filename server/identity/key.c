/* key.c: the rules of a key's policy; no database here. */
#include "identity/key.h"

#include <arpa/inet.h>

static const char *const windows[] = {
    [KEY_WINDOW_DAY] = "day",
    [KEY_WINDOW_WEEK] = "week",
    [KEY_WINDOW_MONTH] = "month",
    [KEY_WINDOW_LIFETIME] = "lifetime",
};

const char *key_window_name(enum key_window window)
{
    return windows[window];
}

bool key_window_parse(struct str name, enum key_window *ret)
{
    for (size_t i = 1; i < ARRAY_LEN(windows); i++) {
        if (str_eq_c(name, windows[i])) {
            *ret = (enum key_window)i;
            return true;
        }
    }
    return false;
}

/* *ret_bits: how many bits the family has. */
static bool parse_ip(struct str text, uint8_t ret_ip[16], uint32_t *ret_bits)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char z[INET6_ADDRSTRLEN];

    if (text.n == 0 || text.n >= sizeof(z) || memchr(text.p, '\0', text.n))
        return false;
    memcpy(z, text.p, text.n);
    z[text.n] = '\0';
    if (inet_pton(AF_INET, z, ret_ip + 12) == 1) {
        memcpy(ret_ip, mapped, sizeof(mapped));
        *ret_bits = 32;
        return true;
    }
    *ret_bits = 128;
    return inet_pton(AF_INET6, z, ret_ip) == 1;
}

/* True when the first bits of both are equal. */
static bool same_prefix(const uint8_t a[16], const uint8_t b[16], unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool key_block_parse(struct str text, struct key_block *ret)
{
    ssize_t slash = str_find(text, '/');
    struct str ip = slash < 0 ? text : str_n(text.p, (size_t)slash);
    struct key_block block = {0};
    uint32_t family, bits;

    if (!parse_ip(ip, block.ip, &family))
        return false;
    bits = family;
    if (slash >= 0 && str_u32(str_n(text.p + slash + 1, text.n - (size_t)slash - 1), &bits) != 0)
        return false;
    if (bits > family)
        return false;
    block.bits = (uint8_t)(128 - family + bits);
    *ret = block;
    return true;
}

bool key_block_has(const struct key_block *block, const uint8_t ip[16])
{
    return same_prefix(block->ip, ip, block->bits);
}

struct key_policy *key_policy_ref(struct key_policy *policy)
{
    atomic_fetch_add_explicit(&policy->refs, 1, memory_order_relaxed);
    return policy;
}

void key_policy_unref(struct key_policy *policy)
{
    if (!policy)
        return;
    if (atomic_fetch_sub_explicit(&policy->refs, 1, memory_order_acq_rel) == 1)
        arena_free(policy->arena_);
}

bool key_policy_allows_model(const struct key_policy *policy, struct str model)
{
    for (size_t i = 0; i < policy->n_models; i++)
        if (str_eq(policy->models[i], model))
            return true;
    return policy->n_models == 0;
}

bool key_policy_allows_address(const struct key_policy *policy, const uint8_t ip[16])
{
    for (size_t i = 0; i < policy->n_blocks; i++)
        if (key_block_has(&policy->blocks[i], ip))
            return true;
    return policy->n_blocks == 0;
}
