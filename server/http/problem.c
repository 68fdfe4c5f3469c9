/* problem.c: see problem.h. The words of Anthropic's and Gemini's formats follow from the status;
 * only OpenAI's come from the list. */
#include "http/problem.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "json/scan.h"
#include "json/write.h"

struct row {
    int status;
    const char *type, *code, *sentence;
};

static const struct row rows[PROBLEM_COUNT] = {
#define X(name, status_, type_, code_, sentence_) \
    [PROBLEM_##name] = {.status = status_, .type = type_, .code = code_, .sentence = sentence_},
#include "http/problem.def"
#undef X
};

struct words {
    int status;
    const char *anthropic, *gemini;
};

/* Anthropic: docs.anthropic.com/en/api/errors. Gemini: google.rpc.Code's mapping to HTTP. Translation,
 * which this room does not know, has the same words for errors of providers (said.c), beside others that
 * are only read; test_problem.c holds the two together. */
static const struct words words[] = {
    {400, "invalid_request_error", "INVALID_ARGUMENT"},
    {401, "authentication_error", "UNAUTHENTICATED"},
    {402, "billing_error", "FAILED_PRECONDITION"},
    {403, "permission_error", "PERMISSION_DENIED"},
    {404, "not_found_error", "NOT_FOUND"},
    {409, "invalid_request_error", "ABORTED"},
    {413, "request_too_large", "INVALID_ARGUMENT"},
    {429, "rate_limit_error", "RESOURCE_EXHAUSTED"},
    {503, "overloaded_error", "UNAVAILABLE"},
    {504, "timeout_error", "DEADLINE_EXCEEDED"},
    {529, "overloaded_error", "UNAVAILABLE"},
};

static const struct row *row_of(enum problem_code code)
{
    assert(code > PROBLEM_NONE);
    assert(code < PROBLEM_COUNT);
    return &rows[code];
}

static struct words words_of(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words[i].status == status)
            return words[i];
    if (status < 500)
        return (struct words){status, "invalid_request_error", "INVALID_ARGUMENT"};
    return (struct words){status, "api_error", "INTERNAL"};
}

struct problem problem_of(enum problem_code code)
{
    (void)row_of(code);
    return (struct problem){.code = code};
}

int problem_status(const struct problem *p)
{
    return p->upstream_status > 0 ? p->upstream_status : row_of(p->code)->status;
}

const char *problem_slug(enum problem_code code)
{
    return row_of(code)->code;
}

const char *problem_sentence(enum problem_code code)
{
    return row_of(code)->sentence;
}

static void put_optional(struct json_writer *w, const char *key, struct str value)
{
    if (!value.p)
        return;
    json_key(w, key);
    json_str(w, value);
}

static void put_time(struct json_writer *w, const char *key, int64_t unix_s)
{
    char text[CLOCK_RFC3339_SIZE];

    if (!unix_s)
        return;
    clock_rfc3339(unix_s * 1000000, text);
    json_key(w, key);
    json_cstr(w, text);
}

static void put_tollgate(struct json_writer *w, const struct problem *p, struct str request_id)
{
    json_open_object(w);
    put_optional(w, "quota_source", str_c(p->quota_source));
    put_optional(w, "scope", str_c(p->scope));
    put_optional(w, "id", p->id);
    put_optional(w, "limit", p->limit);
    put_optional(w, "used", p->used);
    put_optional(w, "unit", str_c(p->unit));
    put_time(w, "resets_at", p->resets_at_unix_s);
    put_optional(w, "request_id", request_id);
    if (p->attempts_json.p) {
        json_key(w, "attempts");
        json_raw(w, p->attempts_json);
    }
    json_close_object(w);
}

static void put_openai(struct json_writer *w, const struct problem *p, struct str message)
{
    json_key(w, "error");
    json_open_object(w);
    json_key(w, "message");
    json_str(w, message);
    json_key(w, "type");
    json_cstr(w, row_of(p->code)->type);
    json_key(w, "param");
    if (p->param.p)
        json_str(w, p->param);
    else
        json_null(w);
    json_key(w, "code");
    json_cstr(w, row_of(p->code)->code);
    json_close_object(w);
}

static void put_anthropic(struct json_writer *w, const struct problem *p, struct str message,
                          struct str request_id)
{
    json_key(w, "type");
    json_cstr(w, "error");
    json_key(w, "error");
    json_open_object(w);
    json_key(w, "type");
    json_cstr(w, words_of(problem_status(p)).anthropic);
    json_key(w, "message");
    json_str(w, message);
    json_close_object(w);
    put_optional(w, "request_id", request_id);
}

static void put_gemini(struct json_writer *w, const struct problem *p, struct str message)
{
    json_key(w, "error");
    json_open_object(w);
    json_key(w, "code");
    json_int(w, problem_status(p));
    json_key(w, "message");
    json_str(w, message);
    json_key(w, "status");
    json_cstr(w, words_of(problem_status(p)).gemini);
    json_close_object(w);
}

/* The upstream's own error object with our member put before its last brace, or in the place of one
 * it has (it may be a gateway like us). False when its body is no JSON object. */
static bool put_upstream(const struct problem *p, struct str request_id, struct buf *out)
{
    struct json_watch theirs = {.path = "tollgate"};
    struct json_scan_result scan;
    struct json_fault fault;
    struct json_writer w;
    struct str body = p->upstream_body;
    size_t from, to;

    if (p->upstream_status <= 0 || !body.n || body.n > BOUND_WHOLE_REPLY_BYTES ||
        json_scan(body, &theirs, 1, &scan, &fault) != JSON_OK || scan.root_kind != JSON_OBJECT)
        return false;
    from = theirs.span.n ? theirs.span.at : scan.root_close;
    to = from + theirs.span.n;
    buf_put(out, body.p, from);
    if (!theirs.span.n)
        buf_puts(out, scan.root_empty ? "\"tollgate\":" : ",\"tollgate\":");
    json_begin(&w, out);
    put_tollgate(&w, p, request_id);
    buf_put(out, body.p + to, body.n - to);
    return true;
}

void problem_json(const struct problem *p, enum problem_format format, struct str request_id,
                  struct buf *out)
{
    struct str message = p->message.p ? p->message : str_c(problem_sentence(p->code));
    struct json_writer w;

    assert(format != PROBLEM_AS_PAGE);
    if (put_upstream(p, request_id, out))
        return;
    json_begin(&w, out);
    json_open_object(&w);
    if (format == PROBLEM_AS_ANTHROPIC)
        put_anthropic(&w, p, message, request_id);
    else if (format == PROBLEM_AS_GEMINI)
        put_gemini(&w, p, message);
    else
        put_openai(&w, p, message);
    json_key(&w, "tollgate");
    put_tollgate(&w, p, request_id);
    json_close_object(&w);
}
