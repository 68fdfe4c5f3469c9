/* leg.h: the way between one try's upstream and the client: what the upstream is sent, and what its
 * words become.
 *
 * A leg is of one of four kinds. `leg_same`: both speak the same format, the bytes pass with what
 * has to change spliced in (dialect.h). `leg_translated`: they do not, and the chat goes through its
 * neutral form (chat_dialect.h). `leg_embed`: the same of embeddings (embed_dialect.h). `leg_video`: a
 * request for a video is written anew (video_dialect.h). The call asks the kind and knows no format
 * itself. Everything is on the call's loop; slices live as long as the bytes that were read, or in the
 * call's arena. */
#pragma once

#include "catalog/snapshot.h"
#include "translation/call_ids.h"
#include "translation/format.h"
#include "translation/repeat.h"

struct call;
struct leg_kind;

struct leg {
    const struct leg_kind *kind;
    const struct catalog_way *way; /* NULL: no target was chosen yet */
    bool open;                     /* a stream is being read */
    struct framing in; /* by the way's format */
    struct repeat repeat; /* of a stream that passes as it is */

    /* Of a translated leg. */
    struct str dropped;         /* what the target's format could not say: "a, b"; p NULL: nothing */
    struct str id;              /* of the answer, where the provider's is not used; p NULL: not made */
    struct chat_answer answer;  /* a plain one, read */
    struct chat_reader *reader; /* of a stream, in the call's arena; as is */
    struct chat_writer *writer;
    struct arena *turn;         /* of the events of one batch of bytes */
    struct chat_events events;  /* of the frame that was read last */
    struct call_ids ids;        /* of the answer's calls of tools */
    struct embed_answer vectors; /* of an embed leg, read */
};

enum {
    LEG_OK = 0,
    LEG_E_BAD = 1,     /* it is none of the upstream's format */
    LEG_E_REFUSED = 2, /* the request cannot be said in the target's format: *fault names what */
    /* of a stream's bytes */
    LEG_E_MORE = 3,
    LEG_E_END = 4,
    LEG_E_TOO_LARGE = 5,
};

struct leg_kind {
    /* The request as the target gets it. */
    int (*put_request)(struct call *c, const struct catalog_target *target,
                       const struct wire_request_edit *edit, struct buf *out,
                       struct json_fault *fault);
    /* A plain answer, and as the client gets it. */
    int (*read_whole)(struct call *c, struct str body, struct wire_report *ret);
    void (*put_whole)(struct call *c, const struct wire_report *report,
                      const struct wire_report_edit *edit, struct buf *out);
    /* What a stream needs; NULL: nothing. */
    int (*open)(struct call *c);
    /* An event of a stream; NULL: its end, where something may be left to say. */
    int (*read_event)(struct call *c, const struct sse_event *event, struct wire_report *ret);
    /* Did it only keep the client waiting? */
    bool (*is_idle)(const struct call *c, const struct sse_event *event);
    /* As the client gets it: as it is, changed, translated, or not at all. */
    void (*put_event)(struct call *c, const struct sse_event *event,
                      const struct wire_report *report, struct buf *out);
    /* What ends the client's stream, once the call is priced. event NULL: the upstream has ended
     * without a mark of its own. */
    void (*put_end)(struct call *c, const struct sse_event *event,
                    const struct wire_report *report, struct buf *out);
    /* How the client hears of the end of a stream that is cut here. */
    void (*put_stop)(struct call *c, const struct wire_stop *stop, struct buf *out);
};
extern const struct leg_kind leg_same, leg_translated, leg_embed, leg_video;

/* What a target's format cannot say: noted for the header and the record where the route's policy
 * lets it be dropped, else LEG_E_REFUSED with the first of it as *fault. */
int leg_judge_losses(struct call *c, const struct catalog_target *target,
                     const struct chat_losses *losses, struct json_fault *fault) _must_use_;

/* Chooses how the target is asked; false: the account cannot serve this client's format. */
bool leg_choose(struct call *c, const struct catalog_target *target);
/* Where: the way's address with the model in it. NULL: out of memory. */
const char *leg_url(const struct call *c, const struct catalog_target *target);
/* A way's address with the model in it. p NULL: out of memory. */
struct str leg_model_url(struct arena *a, struct str url, struct str model);
static inline const struct wire_format *leg_format(const struct leg *l)
{
    return l->way->way->format;
}

/* Where the way wants it, the written body without its model and with a version. 0 or < 0. */
int leg_version_body(const struct leg *l, struct arena *a, struct buf *body) _must_use_;

/* A stream's bytes, cut into events. open: 0 or < 0; push: LEG_OK or LEG_E_TOO_LARGE; next: also
 * _MORE, _END and _BAD. Slices of an event live until the next push. */
int leg_open(struct call *c) _must_use_;
void leg_close(struct leg *l); /* safe when it is not open */
int leg_push(struct leg *l, struct str bytes) _must_use_;
void leg_end(struct leg *l);
int leg_next(struct leg *l, struct sse_event *ret) _must_use_;
