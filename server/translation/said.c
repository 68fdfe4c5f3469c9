/* said.c: see said.h. */
#include "translation/said.h"

#include "translation/wire.h"

enum {
    TEXT_BYTES = 1000,  /* of a message that has to be made of something else */
    RECORD_BYTES = 300, /* of plain text that goes on a record */
};

static const char *const paths[SAID_FIELDS] = {
    [SAID_ERROR] = "error",
    [SAID_MESSAGE] = "error.message",
    [SAID_TYPE] = "error.type",
    [SAID_PARAM] = "error.param",
    [SAID_CODE] = "error.code",
    [SAID_STATUS] = "error.status",
    [SAID_ROOT_MESSAGE] = "message",
    [SAID_ROOT_TYPE] = "type",
    [SAID_ROOT_PARAM] = "param",
    [SAID_ROOT_CODE] = "code",
    [SAID_AWS_MESSAGE] = "Message",
    [SAID_DETAIL] = "detail",
    [SAID_DETAIL_MESSAGE] = "detail[].msg",
    [SAID_RESPONSE_MESSAGE] = "response.error.message",
    [SAID_RESPONSE_CODE] = "response.error.code",
};

/* --- reading --- */

static bool scan(struct str doc, struct said *said, struct json_scan_result *result)
{
    struct json_fault fault;

    *said = (struct said){.text = doc};
    for (size_t i = 0; i < SAID_FIELDS; i++)
        said->w[i].path = paths[i];
    return json_scan(doc, said->w, SAID_FIELDS, result, &fault) == JSON_OK;
}

/* A page or bytes that are no text have nothing to say to a client. */
static bool is_sentence(struct str s)
{
    if (!str_utf8(s) || (s.n && s.p[0] == '<'))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

int said_read(struct str body, struct said *ret)
{
    struct str text = str_trim(body);
    struct json_scan_result result;

    if (!scan(text, ret, &result)) {
        *ret = (struct said){.text = text};
        return is_sentence(text) ? SAID_OK : SAID_E_NOTHING;
    }
    if (result.root_kind == JSON_ARRAY) { /* the first of its elements */
        text = wire_object_at(str_trim(str_n(text.p + 1, text.n - 1)));
        if (!text.n || !scan(text, ret, &result))
            return SAID_E_NOTHING;
    }
    ret->is_json = result.root_kind == JSON_OBJECT;
    return ret->is_json ? SAID_OK : SAID_E_NOTHING;
}

struct json_span said_sentence(const struct said *said)
{
    static const size_t fields[] = {SAID_MESSAGE,     SAID_RESPONSE_MESSAGE, SAID_ERROR,
                                    SAID_ROOT_MESSAGE, SAID_AWS_MESSAGE,     SAID_DETAIL_MESSAGE,
                                    SAID_DETAIL};

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        struct json_span at = said->w[fields[i]].span;

        if (wire_given(at) && !(fields[i] == SAID_ERROR && at.kind == JSON_OBJECT))
            return at;
    }
    return (struct json_span){.n = 0};
}

/* --- writing --- */

/* The first TEXT_BYTES, at a character's edge. */
static struct str clipped(struct str s)
{
    size_t n = MIN(s.n, (size_t)TEXT_BYTES);

    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return str_n(s.p, n);
}

void said_put(const struct said *said, struct json_span s, struct buf *out)
{
    if (s.kind == JSON_STRING)
        buf_put_str(out, json_span_str(said->text, s));
    else
        wire_put_string(out, clipped(json_span_str(said->text, s)));
}

void said_put_sentence(const struct said *said, struct str otherwise, struct buf *out)
{
    struct json_span at = said_sentence(said);

    if (wire_given(at))
        said_put(said, at, out);
    else if (!said->is_json && said->text.n)
        wire_put_string(out, clipped(said->text));
    else
        wire_put_string(out, otherwise);
}

struct str said_text(struct arena *a, struct str body)
{
    struct json_span at;
    struct str text = STR_NONE;
    struct said said;
    struct buf out;

    if (said_read(body, &said) != SAID_OK)
        return STR_NONE;
    if (!said.is_json)
        return str_trim(str_n(said.text.p, MIN(said.text.n, (size_t)RECORD_BYTES)));
    at = said_sentence(&said);
    if (!at.n || at.kind != JSON_STRING)
        return STR_NONE;
    buf_init(&out, at.n);
    if (json_span_text(said.text, at, &out) == JSON_OK)
        text = arena_str(a, buf_str(&out));
    buf_done(&out);
    return text;
}

/* --- what an error stands for --- */

/* Anthropic: Claude API reference, "Errors". Google: google.rpc.Code's mapping to HTTP. The first
 * of a word, and of a status, is the one that is taken. http/problem.c has the same words of a status. */
static const struct {
    int status;
    const char *anthropic, *google;
} words[] = {
    {400, "invalid_request_error", "INVALID_ARGUMENT"},
    {400, "invalid_request_error", "FAILED_PRECONDITION"},
    {401, "authentication_error", "UNAUTHENTICATED"},
    {402, "billing_error", "FAILED_PRECONDITION"},
    {403, "permission_error", "PERMISSION_DENIED"},
    {404, "not_found_error", "NOT_FOUND"},
    {409, "invalid_request_error", "ABORTED"},
    {413, "request_too_large", "INVALID_ARGUMENT"},
    {429, "rate_limit_error", "RESOURCE_EXHAUSTED"},
    {500, "api_error", "INTERNAL"},
    {500, "api_error", "UNKNOWN"},
    {504, "timeout_error", "DEADLINE_EXCEEDED"},
    {529, "overloaded_error", "UNAVAILABLE"},
    {503, "overloaded_error", "UNAVAILABLE"},
};

/* OpenAI's codes where the type does not tell. */
static const struct {
    int status;
    const char *code;
} codes[] = {
    {429, "rate_limit_exceeded"}, {429, "insufficient_quota"}, {500, "server_error"},
    {400, "invalid_prompt"},      {503, "server_is_overloaded"},
};

const char *said_anthropic_type(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words[i].status == status)
            return words[i].anthropic;
    return status >= 400 && status < 500 ? "invalid_request_error" : "api_error";
}

const char *said_google_status(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words[i].status == status)
            return words[i].google;
    return status >= 400 && status < 500 ? "INVALID_ARGUMENT" : "INTERNAL";
}

static int status_of_word(struct str doc, struct json_span s)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (json_span_is(doc, s, words[i].anthropic) || json_span_is(doc, s, words[i].google))
            return words[i].status;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (json_span_is(doc, s, codes[i].code))
            return codes[i].status;
    return 0;
}

int said_status(const struct said *said)
{
    static const size_t numbers[] = {SAID_CODE, SAID_ROOT_CODE, SAID_STATUS};
    static const size_t texts[] = {SAID_STATUS, SAID_CODE, SAID_TYPE, SAID_RESPONSE_CODE,
                                   SAID_ROOT_CODE};
    uint64_t v;
    int status = 0;

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (said->w[numbers[i]].span.n &&
            json_span_u64(said->text, said->w[numbers[i]].span, &v) && v >= 400 && v <= 599)
            return (int)v;
    for (size_t i = 0; !status && i < ARRAY_LEN(texts); i++)
        if (said_is_text(said, texts[i]))
            status = status_of_word(said->text, said->w[texts[i]].span);
    return status;
}

int wire_error_status(struct str body)
{
    struct said said;

    return said_read(body, &said) == SAID_OK ? said_status(&said) : 0;
}

/* --- why --- */

static const struct {
    const char *words;
    enum said_refusal why;
} signs[] = {
    {"context_length_exceeded", SAID_REFUSED_FOR_LENGTH},
    {"exceed_context_size", SAID_REFUSED_FOR_LENGTH},
    {"content_policy_violation", SAID_REFUSED_FOR_CONTENT},
    {"content_filter", SAID_REFUSED_FOR_CONTENT},
    {"maximum context length", SAID_REFUSED_FOR_LENGTH},
    {"maximum prompt length", SAID_REFUSED_FOR_LENGTH},
    {"exceeds the context window", SAID_REFUSED_FOR_LENGTH},
    {"exceeds the available context size", SAID_REFUSED_FOR_LENGTH},
    {"exceed context limit", SAID_REFUSED_FOR_LENGTH},
    {"exceeds the maximum number of tokens", SAID_REFUSED_FOR_LENGTH},
    {"prompt is too long", SAID_REFUSED_FOR_LENGTH},
    {"input is too long", SAID_REFUSED_FOR_LENGTH},
    {"reduce the length of the messages", SAID_REFUSED_FOR_LENGTH},
    {"too large for model with", SAID_REFUSED_FOR_LENGTH},
};

static enum said_refusal sign_in(struct str text)
{
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (str_ihas(text, str_c(signs[i].words)))
            return signs[i].why;
    return SAID_REFUSED_OTHERWISE;
}

enum said_refusal wire_error_refusal(struct str body)
{
    static const size_t fields[] = {SAID_CODE, SAID_TYPE, SAID_ROOT_CODE, SAID_ROOT_TYPE,
                                   SAID_RESPONSE_CODE};
    enum said_refusal why = SAID_REFUSED_OTHERWISE;
    struct json_span at;
    struct said said;

    if (said_read(body, &said) != SAID_OK)
        return why;
    for (size_t i = 0; !why && i < ARRAY_LEN(fields); i++)
        if (said_is_text(&said, fields[i]))
            why = sign_in(str_n(said.text.p + said.w[fields[i]].span.at, said.w[fields[i]].span.n));
    at = said_sentence(&said);
    if (!why && at.n && at.kind == JSON_STRING)
        why = sign_in(str_n(said.text.p + at.at, at.n));
    else if (!why && !said.is_json)
        why = sign_in(said.text);
    return why;
}
