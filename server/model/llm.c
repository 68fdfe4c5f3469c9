/* llm.c: see llm.h. */
#include "model/llm.h"

/* Of a sum of writes as much is for an hour as was told before. */
static void split_writes(struct usage *u, int64_t hour_before)
{
    int64_t sum = u->n[USAGE_CACHE_WRITE_5M];

    u->n[USAGE_CACHE_WRITE_1H] = MIN(hour_before, sum);
    u->n[USAGE_CACHE_WRITE_5M] = sum - u->n[USAGE_CACHE_WRITE_1H];
}

void llm_take_usage(struct llm_report *last, const struct llm_report *now)
{
    const struct llm_report before = *last;
    bool hour_silent = now->silent & LLM_SILENT(USAGE_CACHE_WRITE_1H);

    last->has_usage = true;
    last->usage = now->usage;
    last->silent = now->silent;
    last->lacks_prompt = now->lacks_prompt && (!before.has_usage || before.lacks_prompt);
    last->lacks_output = now->lacks_output && (!before.has_usage || before.lacks_output);
    if (!before.has_usage)
        return;
    last->silent &= before.silent;
    for (enum usage_unit i = 0; i < USAGE_UNITS; i++)
        if (now->silent & LLM_SILENT(i))
            last->usage.n[i] = before.usage.n[i];
    if (hour_silent && !(now->silent & LLM_SILENT(USAGE_CACHE_WRITE_5M)))
        split_writes(&last->usage, before.usage.n[USAGE_CACHE_WRITE_1H]);
    if (now->lacks_prompt && !before.lacks_prompt)
        usage_take(&last->usage, &before.usage, USAGE_COVERS_PROMPT);
    if (now->lacks_output && !before.lacks_output)
        usage_take(&last->usage, &before.usage, USAGE_COVERS_OUTPUT);
}
