/* service.c: see service.h. */
#include "model/service.h"

static const struct {
    const char *name, *label;
} tiers[SERVICE_TIERS] = {
    [SERVICE_STANDARD] = {"standard", "Standard"},
    [SERVICE_FLEX] = {"flex", "Flex"},
    [SERVICE_PRIORITY] = {"priority", "Priority"},
};

/* OpenAI: auto, default, flex, priority, and fast, which is priority's newer name; Anthropic: auto,
 * standard_only, and standard and priority in answers; Groq: on_demand, flex, auto. */
static const struct {
    const char *word;
    enum service_tier tier;
} words[] = {
    {"auto", SERVICE_STANDARD},          {"default", SERVICE_STANDARD},
    {"standard", SERVICE_STANDARD},      {"standard_only", SERVICE_STANDARD},
    {"on_demand", SERVICE_STANDARD},     {"flex", SERVICE_FLEX},
    {"priority", SERVICE_PRIORITY},      {"fast", SERVICE_PRIORITY},
};

const char *service_tier_name(enum service_tier s)
{
    assert(s < SERVICE_TIERS);
    return tiers[s].name;
}

const char *service_tier_label(enum service_tier s)
{
    assert(s < SERVICE_TIERS);
    return tiers[s].label;
}

int service_tier_parse(struct str name, enum service_tier *ret)
{
    for (enum service_tier i = 0; i < SERVICE_TIERS; i++)
        if (str_eq_c(name, tiers[i].name)) {
            *ret = i;
            return SERVICE_OK;
        }
    return SERVICE_E_UNKNOWN;
}

int service_tier_read(struct str word, enum service_tier *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq_c(word, words[i].word)) {
            *ret = words[i].tier;
            return SERVICE_OK;
        }
    return SERVICE_E_UNKNOWN;
}
