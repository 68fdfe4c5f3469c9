/* gate.c: see gate.h. Each rule is a small function that names what it found. */
#include "http/gate.h"

#include "base/bounds.h"

/* Headers that must not come twice: those that frame the message or say who is asking. */
static const struct str once[] = {
    STR("host"),         STR("content-length"), STR("transfer-encoding"), STR("authorization"),
    STR("content-type"), STR("expect"),         STR("x-api-key"),         STR("x-goog-api-key"),
    STR("x-csrf-token"), STR("origin"),         STR("idempotency-key"),
};

struct found {
    struct str values[ARRAY_LEN(once)];
};

enum { HOST, CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT = 5 };

static bool is_host(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!alnum && (!c || !strchr("-._:[]", c)))
            return false;
    }
    return s.n > 0;
}

static bool find_method(struct str name, enum http_method *ret)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET",        [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT",        [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
        [HTTP_OPTIONS] = "OPTIONS"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq_c(name, names[i])) {
            *ret = (enum http_method)i;
            return true;
        }
    }
    return false;
}

static const char *bad_target(struct str target)
{
    if (!target.n || target.p[0] != '/')
        return "the target is no path";
    for (size_t i = 0; i < target.n; i++) {
        unsigned char c = (unsigned char)target.p[i];

        if (c <= ' ' || c >= 0x7f || c == '#' || c == '\\')
            return "the target holds a byte that no URL has";
    }
    return NULL;
}

static const char *collect(const struct gate_head *head, struct found *found)
{
    for (size_t i = 0; i < head->header_count; i++) {
        const struct gate_header *h = &head->headers[i];

        if (!str_is_token(h->name))
            return "a header's name is no token";
        if (!h->value.p || !str_is_field(h->value))
            return "a header's value holds a control byte";
        for (size_t k = 0; k < ARRAY_LEN(once); k++) {
            if (h->name.n != once[k].n || !str_ieq(h->name, once[k]))
                continue;
            if (found->values[k].p)
                return "a header that may stand once stands twice";
            found->values[k] = h->value;
        }
        /* A folded line is glued to its name by 0.9.75, with nothing left as the value. */
        if (h->name.n > 17 && str_ieq(str_n(h->name.p, 17), STR("transfer-encoding")))
            return "a header looks like Transfer-Encoding";
        if (h->name.n > 14 && str_ieq(str_n(h->name.p, 14), STR("content-length")))
            return "a header looks like Content-Length";
    }
    return NULL;
}

static bool is_length(struct str s, uint64_t *ret)
{
    return s.n && s.p[0] != '-' && str_u64(s, ret) == STR_OK;
}

static const char *frame(const struct gate_head *head, const struct found *found,
                         struct gate_body *ret)
{
    struct str length = found->values[CONTENT_LENGTH];
    struct str encoding = found->values[TRANSFER_ENCODING];
    struct str expect = found->values[EXPECT];

    if (length.p && encoding.p)
        return "Content-Length and Transfer-Encoding stand together";
    if (encoding.p && !str_ieq(encoding, STR("chunked")))
        return "Transfer-Encoding is not chunked";
    if (encoding.p && str_eq_c(head->version, "HTTP/1.0"))
        return "Transfer-Encoding in HTTP/1.0";
    if (length.p && !is_length(length, &ret->length))
        return "Content-Length is no number";
    if (expect.p && !str_ieq(expect, STR("100-continue")))
        return "Expect is not 100-continue";
    ret->expects_continue = expect.p != NULL;
    if (encoding.p)
        ret->kind = GATE_CHUNKED;
    else if (length.p && ret->length > 0)
        ret->kind = GATE_SIZED;
    return NULL;
}

static const char *bad_version(struct str version)
{
    if (str_eq_c(version, "HTTP/1.1") || str_eq_c(version, "HTTP/1.0"))
        return NULL;
    return "the version is neither HTTP/1.1 nor HTTP/1.0";
}

static const char *bad_host(const struct gate_head *head, const struct found *found)
{
    struct str host = found->values[HOST];

    if (host.p ? is_host(host) : str_eq_c(head->version, "HTTP/1.0"))
        return NULL;
    return "Host is missing or malformed";
}

enum problem_code gate_check(const struct gate_head *head, enum http_method *ret_method,
                             struct gate_body *ret_body, const char **ret_reason)
{
    struct found found = {0};
    struct gate_body body = {.kind = GATE_NO_BODY};
    enum http_method method = HTTP_GET;
    const char *reason = bad_version(head->version);
    bool known = find_method(head->method, &method);

    *ret_reason = "the URL is too long";
    if (head->target.n > BOUND_URL_BYTES)
        return PROBLEM_URL_TOO_LONG;
    *ret_reason = "there are too many headers";
    if (head->header_count > BOUND_HEADER_COUNT)
        return PROBLEM_HEADERS_TOO_LARGE;
    *ret_reason = "the method is not known";
    if (!known)
        return PROBLEM_BAD_METHOD;
    if (!reason)
        reason = bad_target(head->target);
    if (!reason)
        reason = collect(head, &found);
    if (!reason)
        reason = bad_host(head, &found);
    if (!reason)
        reason = frame(head, &found, &body);
    if (!reason && body.kind != GATE_NO_BODY && (method == HTTP_GET || method == HTTP_HEAD))
        reason = "GET with a body";
    *ret_reason = reason;
    if (reason)
        return PROBLEM_BAD_REQUEST;
    *ret_method = method;
    *ret_body = body;
    return PROBLEM_NONE;
}
