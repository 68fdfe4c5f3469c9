/* dialect.h: one wire format of one endpoint, as a table of functions.
 *
 * Pure: bytes and an arena in, values out; no clock, no network. Where client and upstream speak
 * the same format the client's own bytes are forwarded with only the changed fields put in
 * (`edit_*`), so unknown fields pass in both directions. Any thread. */
#pragma once

#include "base/arena.h"
#include "base/money.h"
#include "json/scan.h"
#include "model/llm.h"
#include "translation/sse.h"

/* A client's body, read once. */
struct wire_request {
    struct str body;
    struct llm_request llm;
    const void *marks; /* the dialect's own: where the changed fields stand */
    struct str content_type; /* of the body, which is a form; p NULL: it is JSON */
    bool wants_text;         /* a plain answer is text and no JSON */
};

/* What is different in the bytes that one target gets. */
struct wire_request_edit {
    struct str model;       /* the upstream's name of it */
    uint64_t output_limit;  /* tokens; 0: leave as it is; only used where the client gave none */
    const char *limit_name; /* the target's parameter: "max_tokens", ...; NULL: as the client's */
    const char *dimensions_name; /* of an embedding, where it is not "dimensions"; NULL: it is */
    bool ask_usage;         /* ask a streaming upstream for its usage figures */
};

/* A reply or an event, read once. */
struct wire_report {
    struct str bytes; /* the JSON document */
    struct llm_report llm;
    bool done;       /* the end of a stream: nothing comes behind it. It may carry the figures */
    bool error;      /* an error object, also within a 200 */
    bool usage_only; /* an event that carries nothing but usage */
    bool has_choices, has_data; /* there is what an answer is made of: texts, or embeddings */
    struct json_span text; /* the one string that the model wrote, where it is one; see repeat.h */
    struct json_span usage_at, cost_at; /* the object that the cost goes into; n 0: none */
    uint32_t close_at; /* the root object's closing brace */
    bool root_empty;
};

/* What is put into a reply or event before the client gets it. */
struct wire_report_edit {
    bool has_cost;
    struct money cost;  /* usage.cost, where there is an object for it */
    struct str members; /* `"name":value` pairs for the end of the root object; p NULL: none */
};

/* The words for an error that lacks its own. */
struct wire_error {
    struct str message;
    const char *type, *code; /* OpenAI's words; code NULL: null */
    int status;              /* of HTTP, that the error stands for: other formats' words follow it */
};

/* The end of a stream that is cut here, as its choices hear of it. */
struct wire_stop {
    struct str id, model; /* as the stream's own chunks have them; p NULL: not known */
    int64_t created_s;    /* Unix time */
    uint32_t choices;
    const char *reason; /* OpenAI's word, "length"; other formats have one word for it */
    struct usage usage; /* so far, for formats that tell it with the end */
};

enum {
    DIALECT_OK = 0,
    DIALECT_E_SYNTAX = 1, /* not JSON, or not the format's frame; *fault says where */
    DIALECT_E_FIELD = 2,  /* a field that is read here has a wrong value; *fault names it */
};

struct dialect {
    const char *name; /* "openai_chat" */
    /* NULL: the endpoint takes forms only. */
    int (*read_request)(struct arena *a, struct str body, struct wire_request *ret,
                        struct json_fault *fault);
    /* A body of multipart/form-data; NULL: JSON only. */
    int (*read_form)(struct arena *a, struct str content_type, struct str body,
                     struct wire_request *ret, struct json_fault *fault);
    void (*edit_request)(const struct wire_request *request, const struct wire_request_edit *edit,
                         struct buf *out);
    int (*read_reply)(struct str body, struct wire_report *ret);
    void (*edit_reply)(const struct wire_report *report, const struct wire_report_edit *edit,
                       struct buf *out);
    /* An answer is no document: its bytes go through as they come, unless they are JSON. */
    bool passes;
    /* The last usage object in a part of a reply that is too large to be read whole; NULL: none. */
    bool (*find_usage)(struct str part, struct llm_report *ret);

    /* An upstream's error body as this format's error document: its own, with only what lacks or is
     * of a wrong kind put right, or one made of its sentence. False: there is nothing in it that a
     * client can be told (a page, bytes that are no text); out is as it was. */
    bool (*edit_error)(struct str body, const struct wire_error *otherwise, struct buf *out);
    /* The HTTP status that an error within a 200 says it stands for; 0: none. */
    int (*error_status)(struct str body);

    /* Streams; NULL where the endpoint has none. The raw bytes of an event that is not understood
     * (DIALECT_E_SYNTAX) go to the client. */
    int (*read_event)(const struct sse_event *event, struct wire_report *ret);
    void (*edit_event)(const struct sse_event *event, const struct wire_report *report,
                       const struct wire_report_edit *edit, struct buf *out);
    /* Bytes that a client's parser ignores but a curious one can read: the cost and the members. */
    void (*put_note)(const struct wire_report_edit *edit, struct buf *out);
    /* An error document as this format's event; the stream ends behind it, without end_mark. */
    void (*put_error)(struct str document, struct buf *out);
    void (*put_stop)(const struct wire_stop *stop, struct buf *out);
    /* What ends a whole stream, for an upstream that has left it out; NULL: no bytes that are always
     * the same, as the last event carries the answer, or there is none. */
    const char *end_mark;
    /* Its events may carry whole images (BOUND_SSE_IMAGE_BYTES). */
    bool image_events;
    /* Figures come with the first events too, so that only a finish reason shows that a stream whose
     * end mark is missing is whole. */
    bool early_usage;
};

extern const struct dialect openai_chat, openai_embeddings, anthropic_messages, gemini,
    openai_responses, gemini_embed, gemini_embed_batch;
/* Of what is no chat. */
extern const struct dialect openai_completions, openai_images, openai_image_edits, openai_speech,
    openai_transcriptions, openai_moderations, rerank, cohere_chat, cohere_embed, ocr,
    openai_videos;
