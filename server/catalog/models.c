/* models.c: what an operator may type about a model and its targets. */
#include "catalog/models.h"

#include "base/bounds.h"

static const char too_many_tokens[] = "This is a whole number of tokens, or empty.";
static const char no_timeout[] = "A time-out is from 10 milliseconds to an hour, or empty.";

void model_draft_init(struct model_draft *d)
{
    *d = (struct model_draft){
        .kind = MODEL_CHAT,
        .media_tokens = 4096,
        .triggers = TRIGGERS_USUAL,
        .max_attempts = 4,
    };
}

bool model_name_good(struct str name)
{
    if (!name.n || name.n > 128)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!plain && (i == 0 || !c || !strchr("._:/@+-", c)))
            return false;
    }
    return true;
}

static bool is_tokens(int64_t n)
{
    return n >= 0 && n <= BOUND_MODEL_TOKENS;
}

static bool is_timeout(int32_t ms)
{
    return ms == 0 || (ms >= 10 && ms <= 3600000);
}

static int route_check(const struct model_draft *d, struct identity_fault *fault)
{
    if (d->max_attempts < 1 || d->max_attempts > BOUND_ATTEMPTS)
        return identity_fault_set(fault, "max_attempts", "From 1 to 16 tries can be made.");
    if (d->retries < 0 || d->retries > 5)
        return identity_fault_set(fault, "retries", "From 0 to 5 retries can be made.");
    if (!is_timeout(d->connect_timeout_ms) || d->connect_timeout_ms > 600000)
        return identity_fault_set(fault, "connect_timeout_ms",
                                  "A time-out is from 10 milliseconds to 10 minutes, or empty.");
    if (!is_timeout(d->first_byte_timeout_ms))
        return identity_fault_set(fault, "first_byte_timeout_ms", no_timeout);
    if (!is_timeout(d->idle_timeout_ms))
        return identity_fault_set(fault, "idle_timeout_ms", no_timeout);
    if (!is_timeout(d->total_timeout_ms))
        return identity_fault_set(fault, "total_timeout_ms", no_timeout);
    return CHANGE_OK;
}

int model_draft_check(const struct model_draft *d, struct identity_fault *fault)
{
    struct str vendor = str_trim(d->vendor);

    if (!model_name_good(d->name))
        return identity_fault_set(fault, "name",
                                  "A model's name has 1 to 128 letters, digits and . _ : / @ + -");
    if (!vendor.n || vendor.n > 60 || !str_utf8(vendor))
        return identity_fault_set(fault, "vendor", "A vendor of 1 to 60 characters is needed.");
    if (d->description.n > 1000 || !str_utf8(d->description))
        return identity_fault_set(fault, "description", "The description is too long.");
    if (!is_tokens(d->context_tokens))
        return identity_fault_set(fault, "context_tokens", too_many_tokens);
    if (!is_tokens(d->max_output_tokens))
        return identity_fault_set(fault, "max_output_tokens", too_many_tokens);
    if (d->media_tokens < 0 || d->media_tokens > 10000000)
        return identity_fault_set(fault, "media_tokens", too_many_tokens);
    return route_check(d, fault);
}

int target_draft_check(const struct target_draft *d, struct identity_fault *fault)
{
    struct str name = str_trim(d->upstream_model), field = d->output_limit_field;

    if (!name.n || name.n > 200 || !str_utf8(name))
        return identity_fault_set(fault, "upstream_model",
                                  "The provider's name for the model is needed.");
    if (field.n && !str_eq_c(field, "max_tokens") && !str_eq_c(field, "max_completion_tokens"))
        return identity_fault_set(fault, "output_limit_field",
                                  "This is max_tokens, max_completion_tokens, or empty.");
    if (d->priority < 0 || d->priority > 1000)
        return identity_fault_set(fault, "priority", "The priority is a number from 0 to 1000.");
    if (d->weight < 0 || d->weight > 1000)
        return identity_fault_set(fault, "weight", "The weight is a number from 0 to 1000.");
    if (!is_tokens(d->context_tokens))
        return identity_fault_set(fault, "context_tokens", too_many_tokens);
    if (!is_tokens(d->max_output_tokens))
        return identity_fault_set(fault, "max_output_tokens", too_many_tokens);
    return CHANGE_OK;
}
