/* error.c: what a failed upstream has said, as OpenAI's error object.
 *
 * Source: OpenAI API reference, "Error codes"; its libraries take message, type, param and code for
 * strings or null. Seen elsewhere: codes that are numbers and no type (OpenRouter, Google), all of
 * it at the root (vLLM), an array around it (Google), `detail` with a list of faults (FastAPI), the
 * message as an object (Mistral), `{"error":"text"}` (Ollama), plain text, and a balancer's page. */
#include <errno.h>

#include "base/bounds.h"
#include "json/write.h"
#include "translation/edit.h"
#include "translation/openai_chat/chat.h"
#include "translation/openai_chat/usage.h"
#include "translation/wire.h"

enum { TEXT_BYTES = 1000, /* of a message that has to be made of something else */
       OBJECT_BYTES = KIB(64) };

enum {
    ERROR,
    MESSAGE,
    TYPE,
    PARAM,
    CODE,
    ROOT_MESSAGE,
    ROOT_TYPE,
    ROOT_PARAM,
    ROOT_CODE,
    DETAIL,
    DETAIL_MESSAGE,
    WATCHES
};

static const char *const paths[WATCHES] = {
    [ERROR] = "error",
    [MESSAGE] = "error.message",
    [TYPE] = "error.type",
    [PARAM] = "error.param",
    [CODE] = "error.code",
    [ROOT_MESSAGE] = "message",
    [ROOT_TYPE] = "type",
    [ROOT_PARAM] = "param",
    [ROOT_CODE] = "code",
    [DETAIL] = "detail",
    [DETAIL_MESSAGE] = "detail[].msg",
};

static const char *const names[] = {"message", "type", "param", "code"};

struct reading {
    struct str doc;
    struct json_watch w[WATCHES];
};

/* The first TEXT_BYTES, at a character's edge. */
static struct str clipped(struct str s)
{
    size_t n = MIN(s.n, (size_t)TEXT_BYTES);

    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return str_n(s.p, n);
}

/* Any value as a JSON string: text as it is, the rest as the text it is written in. */
static void put_as_text(struct str doc, struct json_span s, struct buf *out)
{
    if (s.kind == JSON_STRING)
        buf_put_str(out, json_span_str(doc, s));
    else
        wire_put_string(out, clipped(json_span_str(doc, s)));
}

static void put_member(size_t which, const struct reading *r, struct json_span s,
                       const struct wire_error *otherwise, struct buf *out)
{
    bool is_text = s.n && s.kind == JSON_STRING;

    if (which == MESSAGE && wire_given(s))
        put_as_text(r->doc, s, out);
    else if (which == MESSAGE)
        wire_put_string(out, otherwise->message);
    else if (which == TYPE && !is_text)
        wire_put_string(out, str_c(otherwise->type));
    else if (which == CODE && s.n && s.kind == JSON_INT)
        buf_printf(out, "\"%.*s\"", STR_FMT(json_span_str(r->doc, s)));
    else if (which == CODE && !s.n && otherwise->code)
        wire_put_string(out, str_c(otherwise->code));
    else if (is_text)
        buf_put_str(out, json_span_str(r->doc, s));
    else
        buf_puts(out, "null");
}

static bool is_right(size_t which, struct json_span s)
{
    return s.n && (s.kind == JSON_STRING || (s.kind == JSON_NULL && which >= PARAM));
}

/* Its own object, with only what lacks put in and what is of a wrong kind replaced. */
static void mend(const struct reading *r, const struct wire_error *otherwise, struct buf *out)
{
    struct json_span object = r->w[ERROR].span;
    struct str inside = str_n(r->doc.p + object.at + 1, object.n - 2);
    struct buf value[CODE + 1], more;
    bool comma = str_trim(inside).n > 0;
    struct edit e;

    edit_begin(&e, r->doc);
    buf_init(&more, OBJECT_BYTES);
    for (size_t i = MESSAGE; i <= CODE; i++) {
        struct json_span s = r->w[i].span;

        buf_init(&value[i], OBJECT_BYTES);
        if (is_right(i, s))
            continue;
        put_member(i, r, s, otherwise, &value[i]);
        if (buf_finish(&value[i]) < 0)
            out->err = -ENOMEM;
        if (s.n) {
            edit_replace(&e, s, buf_str(&value[i]));
            continue;
        }
        buf_printf(&more, "%s\"%s\":", comma ? "," : "", names[i - MESSAGE]);
        buf_put_str(&more, buf_str(&value[i]));
        comma = true;
    }
    if (more.n)
        edit_insert(&e, object.at + object.n - 1, buf_str(&more));
    if (buf_finish(&more) < 0)
        out->err = -ENOMEM;
    edit_apply(&e, out);
    for (size_t i = MESSAGE; i <= CODE; i++)
        buf_done(&value[i]);
    buf_done(&more);
}

/* An object made of what stands elsewhere in the document. */
static void make(const struct reading *r, const struct wire_error *otherwise, struct buf *out)
{
    static const size_t messages[] = {ERROR, ROOT_MESSAGE, DETAIL_MESSAGE, DETAIL};
    struct json_span message = {.n = 0};

    for (size_t i = 0; i < ARRAY_LEN(messages) && !wire_given(message); i++)
        message = r->w[messages[i]].span;
    buf_puts(out, "{\"error\":{\"message\":");
    put_member(MESSAGE, r, message, otherwise, out);
    for (size_t i = TYPE; i <= CODE; i++) {
        buf_printf(out, ",\"%s\":", names[i - MESSAGE]);
        put_member(i, r, r->w[i + ROOT_MESSAGE - MESSAGE].span, otherwise, out);
    }
    buf_puts(out, "}}");
}

static void make_of_text(struct str text, const struct wire_error *otherwise, struct buf *out)
{
    const struct reading nothing = {.doc = STR("")};
    struct wire_error e = *otherwise;

    if (text.n)
        e.message = clipped(text);
    make(&nothing, &e, out);
}

static bool scan(struct str doc, struct reading *r, struct json_scan_result *result)
{
    struct json_fault fault;

    *r = (struct reading){.doc = doc};
    for (size_t i = 0; i < WATCHES; i++)
        r->w[i].path = paths[i];
    return json_scan(doc, r->w, WATCHES, result, &fault) == JSON_OK;
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

bool openai_chat_edit_error(struct str body, const struct wire_error *otherwise, struct buf *out)
{
    struct str text = str_trim(body);
    struct json_scan_result result;
    struct reading r;

    if (!scan(text, &r, &result)) {
        if (!is_sentence(text))
            return false;
        make_of_text(text, otherwise, out);
        return true;
    }
    if (result.root_kind == JSON_ARRAY) { /* the first of its elements */
        text = openai_object_at(str_trim(str_n(text.p + 1, text.n - 1)));
        if (!text.n || !scan(text, &r, &result))
            return false;
    }
    if (result.root_kind != JSON_OBJECT)
        return false;
    if (r.w[ERROR].span.n && r.w[ERROR].span.kind == JSON_OBJECT)
        mend(&r, otherwise, out);
    else
        make(&r, otherwise, out);
    return true;
}

int openai_chat_error_status(struct str body)
{
    struct json_scan_result result;
    struct reading r;
    uint64_t v;

    if (!scan(body, &r, &result))
        return 0;
    for (size_t i = CODE; i <= ROOT_CODE; i += ROOT_CODE - CODE)
        if (r.w[i].span.n && json_span_u64(body, r.w[i].span, &v) && v >= 400 && v <= 599)
            return (int)v;
    return 0;
}
