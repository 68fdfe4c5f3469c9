/* chat_dialect.h: a chat format in both directions, through model/chat.h.
 *
 * For calls whose client and upstream speak different formats; where they speak the same, dialect.h
 * passes the bytes on. Pure: bytes and an arena in, values out. Readers refuse what they do not
 * understand and name its path; a member that the format has and no other is kept as an extra.
 * Writers leave out what their format cannot say and name it in the losses: the caller refuses the
 * request, or goes on where the route's policy says so. Any thread; a stream's state has one owner. */
#pragma once

#include "base/arena.h"
#include "base/money.h"
#include "json/value.h"
#include "json/write.h"
#include "model/chat_answer.h"
#include "translation/sse.h"

#define CHAT_LOSSES_MAX 32

/* What a target's format cannot say, in the client's words. Thoughts of earlier turns that another
 * provider had are only noted: the answer does not need them, and nobody is refused for them. */
struct chat_losses {
    struct str path[CHAT_LOSSES_MAX];
    bool noted[CHAT_LOSSES_MAX];
    size_t n, refusable; /* n: at most the maximum; refusable: those not only noted, all of them */
};
void chat_lose(struct chat_losses *losses, struct str path);
void chat_note(struct chat_losses *losses, struct str path);
void chat_lose_extras(struct chat_losses *losses, const struct chat_extras *extras);
/* Unless it is what every provider does anyway (n 1, no logprobs, a penalty of 0, ...). */
void chat_lose_setting(struct chat_losses *losses, const struct chat_request *request,
                       enum chat_setting which);

/* The tier that a setting's raw text stands for; false: none that is known (model/service.h). */
bool chat_tier(struct str raw, enum service_tier *ret);

/* A message of which nothing can be said, by the format's own judgement of its parts, is left out:
 * true, and its parts are among the losses. Empty text is nothing. */
typedef bool chat_can_say(const struct chat_part *part);
bool chat_says_nothing(const struct chat_message *m, chat_can_say *can, struct chat_losses *losses);
/* The call that a result in the message m answers: the nearest one before it with its id. NULL: there
 * is none. */
const struct chat_part *chat_call_of(const struct chat_request *r, const struct chat_message *m,
                                     const struct chat_part *result);
/* Of the tools, those that are no provider's own; and the loss of those that are. */
size_t chat_plain_tools(const struct chat_request *r);
void chat_lose_own_tools(struct chat_losses *losses, const struct chat_request *r);
/* Arguments are the text that a model wrote; most formats want an object. */
bool chat_is_object(struct str arguments);

/* For records: "stop", "length", "tool_calls", ... */
const char *chat_finish_name(enum chat_finish finish);

/* Signatures of thoughts and calls bear the mark of who made them ("gemini:", "openai:"), so that no
 * other provider gets them; Anthropic's bear none. In the documents of a format its own stand
 * without their mark, and Anthropic's with "anthropic:". */
struct str chat_seal_read(struct arena *a, const char *mark, struct str sealed);
/* The member of a client's document; nothing for p NULL. */
void chat_seal_put(struct json_writer *w, const char *key, const char *mark, struct str seal);
/* As the provider that made it wants it back; p NULL: it is somebody else's. mark "": Anthropic's. */
struct str chat_seal_own(const char *mark, struct str seal);

/* What the target is told beside the chat. */
struct chat_target {
    struct str model;     /* its own name of it */
    int64_t output_limit; /* tokens, used where the client gave none; 0: none */
    const char *limit_name; /* the member that carries it, for formats with several; may be NULL */
    bool ask_usage;       /* a stream shall end with its figures */
    bool plain_openai;    /* refuses what hosts have added to OpenAI's format: top_k, min_p, ... */
    bool adaptive;        /* thinks as long as it finds right, by effort, not by a budget */
    bool no_sampling;     /* refuses temperature, top_p, top_k (Anthropic from 2026-10-21 on) */
    enum { CHAT_REASONS_UNKNOWN, CHAT_REASONS_NOT, CHAT_REASONS } reasons; /* as far as one knows */
};

/* Puts what a reader of figures (figures.h) has found into the answer. */
void chat_answer_told(struct chat_answer *answer, const struct llm_report *told);

/* What stands around an answer as the client gets it. */
struct chat_frame {
    struct str id;    /* of the call; used where the provider gave none */
    struct str model; /* the provider's word, else the requested one */
    int64_t created_s;
    bool wants_usage; /* a streaming client asked for the figures */
    bool has_cost;
    struct money cost;  /* usage.cost */
    struct str members; /* `"name":value` pairs for the end of the root object; p NULL: none */
};

enum {
    CHAT_OK = 0,
    CHAT_E_SYNTAX = 1, /* no JSON, or no frame of this format */
    CHAT_E_FIELD = 2   /* *fault names what is wrong */
};

/* The events that one frame of a stream stands for. */
struct chat_events {
    struct chat_event *v; /* in the turn's arena */
    size_t n;
};

struct chat_reader; /* a stream being read: the format's own, in the call's arena */
struct chat_writer; /* a stream being written */

struct chat_dialect {
    const char *name; /* as dialect.h's */
    int (*read_request)(struct arena *a, struct str body, struct chat_request *ret,
                        struct json_fault *fault);
    void (*write_request)(const struct chat_request *request, const struct chat_target *target,
                          struct buf *out, struct chat_losses *losses);
    /* write_answer, writer_new and write_event are NULL for formats that no client speaks. A call of
     * a tool that is read may have no id: call_ids.h makes one before it is written. */
    int (*read_answer)(struct arena *a, struct str body, struct chat_answer *ret,
                       struct json_fault *fault);
    void (*write_answer)(const struct chat_answer *answer, const struct chat_frame *frame,
                         struct buf *out);
    /* NULL: out of memory. */
    struct chat_reader *(*reader_new)(struct arena *a);
    /* CHAT_E_SYNTAX: the frame is none of this format. Also called once with event NULL at the end
     * of the stream, to close what is open. Text lives in the turn's arena or in the event. */
    int (*read_event)(struct chat_reader *r, struct arena *turn, const struct sse_event *event,
                      struct chat_events *ret);
    struct chat_writer *(*writer_new)(struct arena *a, const struct chat_frame *frame);
    /* frame as of now: the cost is known at CHAT_EVENT_END, which writes whatever ends a stream.
     * CHAT_EVENT_CUT writes the same but for the mark of a whole one: an error follows. */
    void (*write_event)(struct chat_writer *w, const struct chat_frame *frame,
                        const struct chat_event *event, struct buf *out);
};

extern const struct chat_dialect openai_chat_neutral, anthropic_messages_neutral, gemini_neutral,
    openai_responses_neutral, bedrock_converse_neutral, ollama_chat_neutral;
