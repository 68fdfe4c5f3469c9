/* said.h: what a failed upstream has said, in whichever format it said it.
 *
 * Sources: the error objects of OpenAI, Anthropic, Google and AWS. Seen elsewhere: codes that are
 * numbers and no type (OpenRouter), all of it at the root (vLLM), an array around it (Google),
 * `detail` with a list of faults (FastAPI), the message as an object (Mistral), `{"error":"text"}`
 * (Ollama), an error within a response object (OpenAI's failed responses), plain text, and a
 * balancer's page. Pure; any thread. */
#pragma once

#include "json/scan.h"
#include "translation/dialect.h"

enum {
    SAID_ERROR, /* `error`, whatever it is */
    SAID_MESSAGE,
    SAID_TYPE,
    SAID_PARAM,
    SAID_CODE,
    SAID_STATUS,
    SAID_ROOT_MESSAGE,
    SAID_ROOT_TYPE,
    SAID_ROOT_PARAM,
    SAID_ROOT_CODE,
    SAID_AWS_MESSAGE, /* `Message`, of some of AWS's services */
    SAID_DETAIL,
    SAID_DETAIL_MESSAGE,
    SAID_RESPONSE_MESSAGE,
    SAID_RESPONSE_CODE,
    SAID_FIELDS
};

struct said {
    struct str text; /* the document, or the plain text */
    bool is_json;    /* an object, whose fields are in w; else they are absent */
    struct json_watch w[SAID_FIELDS];
};

enum { SAID_OK = 0, SAID_E_NOTHING = 1 };
/* SAID_E_NOTHING: there is nothing in it that a client can be told (a page, bytes that are no text,
 * JSON that is no object). */
int said_read(struct str body, struct said *ret) _must_use_;
/* Where its sentence stands; n 0: there is none. */
struct json_span said_sentence(const struct said *said);
static inline bool said_is_text(const struct said *said, size_t field)
{
    return said->w[field].span.n && said->w[field].span.kind == JSON_STRING;
}
/* Any value as a JSON string: a string as it is, the rest as the text that it is written in. */
void said_put(const struct said *said, struct json_span s, struct buf *out);
/* The sentence as a JSON string; otherwise where there is none. */
void said_put_sentence(const struct said *said, struct str otherwise, struct buf *out);
/* A body's sentence, decoded, for the record; plain text is cut to a few words. p NULL: none. */
struct str said_text(struct arena *a, struct str body);
/* The HTTP status that it says it stands for, as a number or in a provider's word; 0: none. */
int said_status(const struct said *said);

/* The same of a body: error_status of every dialect. */
int wire_error_status(struct str body);

/* Why a request was refused, as far as its answer lets one know.
 *
 * Seen: OpenAI's codes context_length_exceeded, content_policy_violation and (Azure) content_filter, and
 * what the others have only sentences for: Anthropic, Google, Bedrock, xAI, Groq, Mistral, vLLM,
 * llama.cpp. */
enum said_refusal { SAID_REFUSED_OTHERWISE, SAID_REFUSED_FOR_LENGTH, SAID_REFUSED_FOR_CONTENT };
enum said_refusal wire_error_refusal(struct str body);

/* The words that Anthropic and Google have for a status. */
const char *said_anthropic_type(int status);
const char *said_google_status(int status);
