/* chat_dialect.c: see chat_dialect.h. */
#include "translation/chat_dialect.h"

static void add(struct chat_losses *losses, struct str path, bool noted)
{
    losses->refusable += !noted;
    if (losses->n == CHAT_LOSSES_MAX)
        return;
    losses->path[losses->n] = path;
    losses->noted[losses->n++] = noted;
}

void chat_lose(struct chat_losses *losses, struct str path)
{
    add(losses, path, false);
}

void chat_note(struct chat_losses *losses, struct str path)
{
    add(losses, path, true);
}

void chat_lose_extras(struct chat_losses *losses, const struct chat_extras *extras)
{
    for (size_t i = 0; i < extras->n; i++)
        chat_lose(losses, extras->v[i].path);
}

/* Values that say nothing, each up to the NULL. */
static const char *const usual[CHAT_SETTINGS][4] = {
    [CHAT_SET_TEMPERATURE] = {"1", "1.0"},
    [CHAT_SET_TOP_P] = {"1", "1.0"},
    [CHAT_SET_MIN_P] = {"0", "0.0"},
    [CHAT_SET_FREQUENCY_PENALTY] = {"0", "0.0"},
    [CHAT_SET_PRESENCE_PENALTY] = {"0", "0.0"},
    [CHAT_SET_REPETITION_PENALTY] = {"1", "1.0"},
    [CHAT_SET_CHOICES] = {"1"},
    [CHAT_SET_LOGPROBS] = {"false"},
    [CHAT_SET_TOP_LOGPROBS] = {"0"},
    [CHAT_SET_LOGIT_BIAS] = {"{}"},
    [CHAT_SET_PARALLEL_TOOLS] = {"true"},
    [CHAT_SET_METADATA] = {"{}"},
    [CHAT_SET_SERVICE_TIER] = {"\"auto\"", "\"default\"", "\"standard\""},
    [CHAT_SET_VERBOSITY] = {"\"medium\""},
    [CHAT_SET_STORE] = {"false"},
    [CHAT_SET_MODALITIES] = {"[\"text\"]", "[\"TEXT\"]"},
};

void chat_lose_setting(struct chat_losses *losses, const struct chat_request *request,
                       enum chat_setting which)
{
    const struct chat_value *value = &request->setting[which];

    if (!value->raw.p)
        return;
    for (size_t i = 0; i < ARRAY_LEN(usual[which]) && usual[which][i]; i++)
        if (str_eq_c(value->raw, usual[which][i]))
            return;
    chat_lose(losses, value->path);
}
