/* call_ids.c: see call_ids.h. */
#include "translation/call_ids.h"

static void give(struct call_ids *ids, struct arena *keep, struct str *id)
{
    assert(ids->mark.n <= CALL_IDS_MARK);
    if (!id->n)
        *id = arena_strf(keep, "call_%.*s_%u", STR_FMT(ids->mark), (unsigned)ids->n++);
}

void call_ids_answer(struct call_ids *ids, struct arena *keep, struct chat_answer *answer)
{
    for (size_t i = 0; i < answer->n_choices; i++)
        for (size_t k = 0; k < answer->choices[i].n_parts; k++)
            if (answer->choices[i].parts[k].kind == CHAT_TOOL_CALL)
                give(ids, keep, &answer->choices[i].parts[k].tool.id);
}

void call_ids_events(struct call_ids *ids, struct arena *keep, struct chat_events *events)
{
    for (size_t i = 0; i < events->n; i++)
        if (events->v[i].kind == CHAT_EVENT_PART && events->v[i].part_kind == CHAT_TOOL_CALL)
            give(ids, keep, &events->v[i].id);
}
