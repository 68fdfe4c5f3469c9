/* error.c: what a failed upstream has said, as OpenAI's error object.
 *
 * Source: OpenAI API reference, "Error codes"; its libraries take message, type, param and code for
 * strings or null. */
#include <errno.h>

#include "base/bounds.h"
#include "translation/edit.h"
#include "translation/openai_chat/chat.h"
#include "translation/said.h"
#include "translation/wire.h"

enum { OBJECT_BYTES = KIB(64) };

/* The members of the object: where they stand in it, and where at the root of other formats. */
static const struct {
    const char *name;
    size_t own, root;
} members[] = {
    {"message", SAID_MESSAGE, SAID_ROOT_MESSAGE},
    {"type", SAID_TYPE, SAID_ROOT_TYPE},
    {"param", SAID_PARAM, SAID_ROOT_PARAM},
    {"code", SAID_CODE, SAID_ROOT_CODE},
};

static void put_member(const struct said *said, size_t own, struct json_span s,
                       const struct wire_error *otherwise, struct buf *out)
{
    bool is_text = s.n && s.kind == JSON_STRING;

    if (own == SAID_MESSAGE && wire_given(s))
        said_put(said, s, out);
    else if (own == SAID_MESSAGE)
        said_put_sentence(said, otherwise->message, out);
    else if (own == SAID_TYPE && !is_text)
        wire_put_string(out, str_c(otherwise->type));
    else if (own == SAID_CODE && s.n && s.kind == JSON_INT)
        buf_printf(out, "\"%.*s\"", STR_FMT(json_span_str(said->text, s)));
    else if (own == SAID_CODE && !s.n && otherwise->code)
        wire_put_string(out, str_c(otherwise->code));
    else if (is_text)
        buf_put_str(out, json_span_str(said->text, s));
    else
        buf_puts(out, "null");
}

static bool is_right(size_t own, struct json_span s)
{
    bool may_be_null = own == SAID_PARAM || own == SAID_CODE;

    return s.n && (s.kind == JSON_STRING || (s.kind == JSON_NULL && may_be_null));
}

/* Its own object, with only what lacks put in and what is of a wrong kind replaced. */
static void mend(const struct said *said, const struct wire_error *otherwise, struct buf *out)
{
    struct json_span object = said->w[SAID_ERROR].span;
    struct str inside = str_n(said->text.p + object.at + 1, object.n - 2);
    struct buf value[ARRAY_LEN(members)], more;
    bool comma = str_trim(inside).n > 0;
    struct edit e;

    edit_begin(&e, said->text);
    buf_init(&more, OBJECT_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        struct json_span s = said->w[members[i].own].span;

        buf_init(&value[i], OBJECT_BYTES);
        if (is_right(members[i].own, s))
            continue;
        put_member(said, members[i].own, s, otherwise, &value[i]);
        if (buf_finish(&value[i]) < 0)
            out->err = -ENOMEM;
        if (s.n) {
            edit_replace(&e, s, buf_str(&value[i]));
            continue;
        }
        buf_printf(&more, "%s\"%s\":", comma ? "," : "", members[i].name);
        buf_put_str(&more, buf_str(&value[i]));
        comma = true;
    }
    if (more.n)
        edit_insert(&e, object.at + object.n - 1, buf_str(&more));
    if (buf_finish(&more) < 0)
        out->err = -ENOMEM;
    edit_apply(&e, out);
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        buf_done(&value[i]);
    buf_done(&more);
}

/* The type at the root of an event in a stream is the event's. */
static bool is_event(const struct said *said)
{
    struct json_span type = said->w[SAID_ROOT_TYPE].span;

    return said_is_text(said, SAID_ROOT_TYPE) &&
           (json_span_is(said->text, type, "error") ||
            str_starts(json_span_str(said->text, type), STR("\"response.")));
}

/* Where a member of an error that is no object of its own stands. */
static struct json_span elsewhere(const struct said *said, size_t own, size_t root)
{
    if (own == SAID_MESSAGE)
        return said_sentence(said);
    if (said->w[own].span.n)
        return said->w[own].span;
    if (own == SAID_TYPE && is_event(said))
        return (struct json_span){.n = 0};
    if (own == SAID_CODE && said->w[SAID_RESPONSE_CODE].span.n)
        return said->w[SAID_RESPONSE_CODE].span;
    return said->w[root].span;
}

/* Anthropic's: an object of its own, whose document says beside it that it is one. */
static bool is_anthropic(const struct said *said)
{
    return said_is_text(said, SAID_ROOT_TYPE) &&
           json_span_is(said->text, said->w[SAID_ROOT_TYPE].span, "error") &&
           !said->w[SAID_PARAM].span.n && !said->w[SAID_CODE].span.n;
}

/* An object made of what stands elsewhere in the document. */
static void make(const struct said *said, const struct wire_error *otherwise, struct buf *out)
{
    const char *before = "{\"error\":{";

    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        buf_printf(out, "%s\"%s\":", before, members[i].name);
        put_member(said, members[i].own, elsewhere(said, members[i].own, members[i].root),
                   otherwise, out);
        before = ",";
    }
    buf_puts(out, "}}");
}

bool openai_chat_edit_error(struct str body, const struct wire_error *otherwise, struct buf *out)
{
    struct said said;

    if (said_read(body, &said) != SAID_OK)
        return false;
    if (said.w[SAID_ERROR].span.kind == JSON_OBJECT && said.w[SAID_ERROR].span.n &&
        !is_anthropic(&said))
        mend(&said, otherwise, out);
    else
        make(&said, otherwise, out);
    return true;
}
