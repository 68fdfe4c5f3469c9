/* events.h: the events that a reader makes of one frame, and the parts that it has open.
 *
 * A format that has no marks for the begin and end of parts (OpenAI's, Gemini's) goes through
 * events_flow, which makes them. One owner. */
#pragma once

#include "translation/chat_dialect.h"
#include "translation/tree.h"

/* Choices and parts beyond these are not told apart: a hostile upstream costs no more memory. */
#define EVENTS_CHOICES 128
#define EVENTS_CALLS 256

struct events {
    struct arena *a; /* of the turn */
    struct chat_event *v;
    size_t n, room;
    int r; /* 0, or < 0: out of memory */
};

static inline void events_begin(struct events *e, struct arena *turn)
{
    *e = (struct events){.a = turn};
}
/* A zeroed event; never NULL (after a failure a scratch one that nobody reads). */
struct chat_event *events_add(struct events *e, enum chat_event_kind kind, int64_t choice,
                              size_t number);
/* USAGE or END, with what the provider has told so far. */
void events_add_told(struct events *e, enum chat_event_kind kind, const struct llm_report *told);
/* CHAT_OK or < 0. */
int events_end(const struct events *e, struct chat_events *ret) _must_use_;

/* How a format reads a stream of JSON frames: one frame, whose name is empty where it has none, and
 * the end, which is told once or several times. */
struct events_reading {
    void (*frame)(struct chat_reader *r, struct tree *t, struct events *e, struct str name,
                  struct node root);
    void (*end)(struct chat_reader *r, struct events *e);
    bool has_mark; /* "[DONE]" stands for the end */
};
/* read_event of chat_dialect.h, by it. */
int events_read(const struct events_reading *how, struct chat_reader *r, struct arena *turn,
                const struct sse_event *event, struct chat_events *ret) _must_use_;

/* What is open of one choice. */
struct flow {
    size_t next;   /* number of the next part */
    bool open;     /* a part of text is */
    bool finished; /* its finish has been told */
    enum chat_part_kind kind;
    size_t number;
    struct flow_call {
        int64_t key; /* the provider's number of the call */
        struct str id;
        size_t number;
        bool ended;
        bool empty; /* no arguments came yet */
    } * calls;
    size_t n_calls;
};
/* Text of a kind: goes on with the open part, or ends it and begins another. Empty text is
 * nothing. */
void flow_text(struct events *e, struct flow *f, int64_t choice, enum chat_part_kind kind,
               struct str text);
/* A call of a tool under the provider's key: begins it where the key is new, which ends what is
 * open; then a piece of its arguments. keep: the arena that outlives the turn.
 *
 * Several servers give all calls of an answer the same key: Ollama's tell 0 (ollama/ollama issue
 * 15457) or none (7881). So a piece with another id begins another call, if it names its tool too:
 * vLLM's older versions made an id for every piece (DeltaToolCall in their protocol.py). */
struct flow_piece {
    int64_t key;
    struct str id, name, arguments;
    bool custom;
};
void flow_call(struct events *e, struct flow *f, struct arena *keep, int64_t choice,
               const struct flow_piece *piece);
/* A wordless thought that carries a signature; p NULL: none. */
void flow_thought(struct events *e, struct flow *f, int64_t choice, struct str signature);
/* A thought that nobody may read, whole. */
void flow_redacted(struct events *e, struct flow *f, int64_t choice, struct str data);
void flow_delta(struct events *e, int64_t choice, size_t number, enum chat_part_kind kind,
                struct str text);
/* Ends everything that is open. */
void flow_close(struct events *e, struct flow *f, int64_t choice);

/* Of streams with one choice: its finish, in the provider's word, behind what is open; and the end with
 * what was told, once. */
void flow_finish(struct events *e, struct flow *f, enum chat_finish finish, struct str word);
void flow_end(struct events *e, struct flow *f, bool *ended, const struct llm_report *told);
