/* reference.c: see reference.h. Endpoints are the route table's, errors those of http/problem.def, and
 * the management API is its document: only sentences about them stand here. */
#include "web/pages/reference.h"

#include <errno.h>

#include "base/err.h"
#include "web/links.h"
#include "web/reference.h"
#include "web/snippet.h"

/* --- endpoints for models --- */

static const struct {
    enum http_method method;
    const char *path, *what;
} known[] = {
    {HTTP_POST, "/v1/chat/completions", "Chats, plain or streamed"},
    {HTTP_POST, "/v1/responses", "OpenAI’s Responses, plain or streamed"},
    {HTTP_POST, "/v1/embeddings", "Embeddings"},
    {HTTP_GET, "/v1/responses/{id}", "An answer that is kept"},
    {HTTP_DELETE, "/v1/responses/{id}", "Deletes an answer that is kept"},
    {HTTP_GET, "/v1/responses/{id}/input_items", "What a kept answer was the answer to"},
    {HTTP_POST, "/v1/responses/{id}/cancel", "For clients that cancel; nothing runs in the background here"},
    {HTTP_POST, "/v1/completions", "Completions of a text, by models that have them"},
    {HTTP_POST, "/v1/images/generations", "Images from a text"},
    {HTTP_POST, "/v1/images/edits", "Images from images and a text"},
    {HTTP_POST, "/v1/audio/speech", "Speech from a text"},
    {HTTP_POST, "/v1/audio/transcriptions", "A recording as text"},
    {HTTP_POST, "/v1/audio/translations", "A recording as English text"},
    {HTTP_POST, "/v1/moderations", "Whether a text may harm"},
    {HTTP_POST, "/v1/rerank", "Documents in the order of their relevance, as Jina and others have it"},
    {HTTP_POST, "/v2/rerank", "The same, as Cohere has it"},
    {HTTP_POST, "/v2/chat", "Cohere’s chats, by accounts of Cohere"},
    {HTTP_POST, "/v2/embed", "Cohere’s embeddings"},
    {HTTP_POST, "/v1/ocr", "Documents read, page by page, as Mistral has it"},
    {HTTP_POST, "/v1/videos", "A job that makes a video; a failed one gives its charge back"},
    {HTTP_GET, "/v1/videos", "The team’s videos"},
    {HTTP_GET, "/v1/videos/{id}", "How far one of them is"},
    {HTTP_DELETE, "/v1/videos/{id}", "Deletes one that has ended"},
    {HTTP_GET, "/v1/videos/{id}/content", "Its bytes, once it is completed"},
    {HTTP_GET, "/v1/models", "The models that the key may use"},
    {HTTP_GET, "/v1/models/{id}", "One of them"},
    {HTTP_POST, "/v1/messages", "Anthropic’s messages, plain or streamed"},
    {HTTP_POST, "/v1/messages/count_tokens", "Tokens of a prompt; asks for no answer and costs nothing"},
    {HTTP_POST, "/v1beta/models/{model}:generateContent", "Google’s chats"},
    {HTTP_POST, "/v1beta/models/{model}:streamGenerateContent", "The same, streamed"},
    {HTTP_POST, "/v1beta/models/{model}:countTokens", "Tokens of a prompt; asks for no answer and costs nothing"},
    {HTTP_POST, "/v1beta/models/{model}:embedContent", "An embedding"},
    {HTTP_POST, "/v1beta/models/{model}:batchEmbedContents", "Embeddings"},
    {HTTP_GET, "/v1beta/models", "The models that the key may use"},
    {HTTP_GET, "/v1beta/models/{model}", "One of them"},
};

static const struct {
    enum problem_format format;
    const char *name;
} formats[] = {
    {PROBLEM_AS_OPENAI, "OpenAI’s format, and those that are like it"},
    {PROBLEM_AS_ANTHROPIC, "Anthropic’s format"},
    {PROBLEM_AS_GEMINI, "Google’s format"},
};

/* The same under another base URL, or with the model's vendor apart: told once, in a sentence. */
static bool is_other_name(struct str path)
{
    return str_starts(path, STR("/api/")) || str_starts(path, STR("/v1/v1/")) ||
           str_ihas(path, STR("{vendor}"));
}

static const char *what_of(const struct route *route)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].method == route->method && strcmp(known[i].path, route->path) == 0)
            return known[i].what;
    return NULL;
}

static struct json_object *endpoints_view(const struct services *s, enum problem_format format)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < s->routes_count; i++) {
        const struct route *route = &s->routes[i];
        struct json_object *o;

        if (route->auth != AUTH_KEY || route->problems != format ||
            is_other_name(str_c(route->path)))
            continue;
        o = json_new_object();
        json_set_cstr(o, "method", http_method_name(route->method));
        json_set_cstr(o, "path", route->path);
        json_set_cstr(o, "what", what_of(route));
        json_push(list, o);
    }
    return list;
}

static struct json_object *formats_view(const struct services *s)
{
    struct json_object *list = json_new_array();

    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct json_object *o = json_new_object();

        json_set_cstr(o, "name", formats[i].name);
        json_set(o, "endpoints", endpoints_view(s, formats[i].format));
        json_push(list, o);
    }
    return list;
}

/* --- errors --- */

static struct json_object *error_view(enum problem_code code)
{
    struct problem p = problem_of(code);
    struct json_object *o = json_new_object();

    json_set_i64(o, "status", problem_status(&p));
    json_set_cstr(o, "code", problem_slug(code));
    json_set_cstr(o, "sentence", problem_sentence(code));
    return o;
}

/* Forms are refused with these; no client of an API meets them. */
static bool is_of_pages(enum problem_code code)
{
    return code == PROBLEM_BAD_ORIGIN || code == PROBLEM_LOGIN_LIMIT;
}

/* By status; within one as in the list. */
static struct json_object *errors_view(void)
{
    struct json_object *list = json_new_array();

    for (int status = 400; status < 600; status++)
        for (int code = PROBLEM_NONE + 1; code < PROBLEM_COUNT; code++) {
            struct problem p = problem_of((enum problem_code)code);

            if (problem_status(&p) == status && !is_of_pages((enum problem_code)code))
                json_push(list, error_view((enum problem_code)code));
        }
    return list;
}

/* --- the page --- */

int page_reference(struct web *w)
{
    _cleanup_json_ struct json_object *document = NULL;
    struct json_object *view;
    struct json_fault fault;
    int r = json_parse(w->services->api_document, &document, &fault);

    if (r)
        return r < 0 ? err_trace(r) : err_origin(-EINVAL);
    view = json_new_object();
    json_set(view, "formats", formats_view(w->services));
    json_set(view, "errors", errors_view());
    json_set_str(view, "about", json_text(json_get(json_get(document, "info"), "description")));
    reference_view(w->arena, document, web_url(w, STR("")), view);
    snippet_view(w, STR(""), STR(""), view);
    return web_render(w, "reference", "API reference", view);
}
