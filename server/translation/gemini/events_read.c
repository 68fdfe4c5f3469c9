/* events_read.c: a stream in Google's format as neutral events: each frame is an answer in small,
 * whose calls of tools come whole. */
#include <errno.h>

#include "base/err.h"
#include "translation/events.h"
#include "translation/gemini/gemini.h"
#include "translation/tree.h"

struct chat_reader {
    struct arena *a;
    bool begun, ended;
    int64_t calls; /* so many so far, over all choices: their keys */
    struct llm_report told;
    struct {
        struct flow flow;
        bool called;
    } * choice[EVENTS_CHOICES];
};

struct chat_reader *gemini_reader(struct arena *a)
{
    struct chat_reader *r = arena_new0(a, struct chat_reader);

    if (r)
        r->a = a;
    return r;
}

static void call(struct chat_reader *r, struct events *e, struct flow *f, int64_t choice,
                 const struct chat_part *p)
{
    struct flow_piece piece = {.key = r->calls,
                               .id = p->tool.id,
                               .name = p->tool.name,
                               .arguments = p->tool.arguments};

    r->calls++;
    flow_thought(e, f, choice, p->signature);
    flow_call(e, f, r->a, choice, &piece);
}

static void part(struct chat_reader *r, struct events *e, struct flow *f, int64_t choice,
                 const struct chat_part *p)
{
    switch (p->kind) {
    case CHAT_TEXT:
    case CHAT_THINKING:
        flow_text(e, f, choice, p->kind, p->text);
        break;
    case CHAT_TOOL_CALL:
        call(r, e, f, choice, p);
        break;
    case CHAT_REFUSAL:
    case CHAT_REDACTED:
    case CHAT_IMAGE:
    case CHAT_AUDIO:
    case CHAT_VIDEO:
    case CHAT_DOCUMENT:
    case CHAT_TOOL_RESULT:
    case CHAT_FOREIGN:
    case CHAT_PART_KINDS:
        break;
    }
}

static void finish(struct events *e, struct flow *f, int64_t choice, struct str word, bool called)
{
    struct chat_event *event;

    if (!word.n || f->finished)
        return;
    f->finished = true;
    flow_close(e, f, choice);
    event = events_add(e, CHAT_EVENT_FINISH, choice, 0);
    event->finish = gemini_finish_parse(word);
    if (event->finish == CHAT_FINISH_STOP && called)
        event->finish = CHAT_FINISH_TOOLS;
    event->word = word;
}

/* Does it have a finish reason? */
static bool candidate(struct chat_reader *r, struct tree *t, struct events *e, struct node at)
{
    int64_t index = MIN(tree_int(t, at, "index", 0, 0), (int64_t)EVENTS_CHOICES - 1);
    struct node parts = node_get(t, tree_object(t, at, "content"), "parts");
    struct str word, logprobs;

    if (!r->choice[index])
        r->choice[index] = arena_alloc(r->a, sizeof(**r->choice));
    if (!r->choice[index]) {
        e->r = err_origin(-ENOMEM);
        return false;
    }
    for (size_t i = 0; i < node_length(parts) && !tree_failed(t); i++) {
        struct chat_part p;

        gemini_read_part(t, node_at(t, parts, i), &p);
        r->choice[index]->called = r->choice[index]->called || p.kind == CHAT_TOOL_CALL;
        part(r, e, &r->choice[index]->flow, index, &p);
    }
    logprobs = gemini_read_logprobs(t, at);
    if (logprobs.p)
        events_add(e, CHAT_EVENT_LOGPROBS, index, 0)->text = logprobs;
    word = tree_text(t, at, "finishReason");
    finish(e, &r->choice[index]->flow, index, word, r->choice[index]->called);
    return word.n > 0;
}

static void end(struct chat_reader *r, struct events *e)
{
    if (r->ended)
        return;
    r->ended = true;
    for (int64_t i = 0; i < EVENTS_CHOICES; i++)
        if (r->choice[i])
            flow_close(e, &r->choice[i]->flow, i);
    events_add_told(e, CHAT_EVENT_END, &r->told);
}

static void failed(struct tree *t, struct events *e, struct node error)
{
    struct chat_event *event = events_add(e, CHAT_EVENT_ERROR, 0, 0);

    event->text = tree_text(t, error, "message");
    event->word = tree_text(t, error, "status");
}

static void frame(struct chat_reader *r, struct tree *t, struct events *e, struct str name,
                  struct node root)
{
    struct node list = tree_array(t, root, "candidates"), error = tree_object(t, root, "error");
    struct node feedback = tree_object(t, root, "promptFeedback");
    bool blocked = !node_length(list) && node_given(node_get(t, feedback, "blockReason"));
    bool final = blocked;

    if (node_given(error)) {
        failed(t, e, error);
        return;
    }
    if (!r->begun) {
        struct chat_event *event = events_add(e, CHAT_EVENT_BEGIN, 0, 0);

        r->begun = true;
        event->id = tree_text(t, root, "responseId");
        event->model = tree_text(t, root, "modelVersion");
    }
    for (size_t i = 0; i < node_length(list) && !tree_failed(t); i++)
        final = candidate(r, t, e, node_at(t, list, i)) || final;
    if (blocked)
        events_add(e, CHAT_EVENT_FINISH, 0, 0)->finish = CHAT_FINISH_FILTER;
    if (gemini_read_usage(t, node_get(t, root, "usageMetadata"), final, &r->told))
        events_add_told(e, CHAT_EVENT_USAGE, &r->told);
}

int gemini_read_event(struct chat_reader *r, struct arena *turn, const struct sse_event *event,
                      struct chat_events *ret)
{
    static const struct events_reading how = {.frame = frame, .end = end};

    return events_read(&how, r, turn, event, ret);
}
