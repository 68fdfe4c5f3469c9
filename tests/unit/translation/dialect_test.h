/* dialect_test.h: how the tests of a wire format ask its table: each sets `subject` first. */
#pragma once

#include "unit.h"

#include "base/bounds.h"
#include "translation/dialect.h"

static const struct dialect *subject;
static struct arena *arena;

static int set_up(void **state)
{
    arena = arena_new(MIB(64));
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    arena_free(arena);
    return 0;
}

static _unused_ struct wire_request request_of(const char *body)
{
    struct wire_request r = {0};
    struct json_fault fault = {0};

    if (subject->read_request(arena, str_c(body), &r, &fault) != DIALECT_OK)
        fail_msg("%s: %s: %s", body, fault.path, fault.reason);
    return r;
}

static _unused_ void faults(const char *body, int outcome, const char *path)
{
    struct wire_request r;
    struct json_fault fault = {0};

    assert_int_equal(subject->read_request(arena, str_c(body), &r, &fault), outcome);
    assert_string_equal(fault.path, path);
    assert_true(fault.reason[0]);
}

static _unused_ void edits(const char *body, struct wire_request_edit edit, const char *expected)
{
    struct wire_request r = request_of(body);
    struct buf out;

    buf_init(&out, MIB(1));
    subject->edit_request(&r, &edit, &out);
    assert_int_equal(buf_finish(&out), 0);
    assert_str(buf_str(&out), expected);
    buf_done(&out);
}

static _unused_ struct wire_report reply_of(const char *body)
{
    struct wire_report r = {0};

    assert_int_equal(subject->read_reply(str_c(body), &r), DIALECT_OK);
    return r;
}

static _unused_ void replies(const char *body, struct wire_report_edit e, const char *expected)
{
    struct wire_report r = reply_of(body);
    struct buf out;

    buf_init(&out, MIB(1));
    subject->edit_reply(&r, &e, &out);
    assert_int_equal(buf_finish(&out), 0);
    assert_str(buf_str(&out), expected);
    buf_done(&out);
}

static _unused_ struct wire_report event_of(const char *bytes)
{
    struct wire_report r = {0};
    struct sse_event e;
    struct sse s;

    sse_init(&s);
    assert_int_equal(sse_push(&s, str_c(bytes)), SSE_OK);
    assert_int_equal(sse_next(&s, &e), SSE_OK);
    e.data = e.data.p ? arena_str(arena, e.data) : STR_NONE;
    assert_int_equal(subject->read_event(&e, &r), DIALECT_OK);
    sse_done(&s);
    return r;
}

/* The bytes of an event after an edit. */
static _unused_ void events_become(const char *bytes, struct wire_report_edit edit,
                                   const char *expected)
{
    struct wire_report r = {0};
    struct sse_event e;
    struct sse s;
    struct buf out;

    sse_init(&s);
    buf_init(&out, MIB(1));
    assert_int_equal(sse_push(&s, str_c(bytes)), SSE_OK);
    while (sse_next(&s, &e) == SSE_OK) {
        assert_int_equal(subject->read_event(&e, &r), DIALECT_OK);
        subject->edit_event(&e, &r, &edit, &out);
    }
    assert_str(buf_str(&out), expected);
    buf_done(&out);
    sse_done(&s);
}

/* expected NULL: there is nothing in it for a client. */
static _unused_ void errors_become(const char *body, int status, const char *expected)
{
    const struct wire_error otherwise = {
        .message = STR("It failed."), .type = "upstream_error", .status = status};
    struct buf out;

    buf_init(&out, MIB(1));
    assert_int_equal(subject->edit_error(str_c(body), &otherwise, &out), expected != NULL);
    if (expected)
        assert_str(buf_str(&out), expected);
    else
        assert_int_equal(out.n, 0);
    buf_done(&out);
}

static _unused_ int64_t unit_of(const struct wire_report *r, enum usage_unit unit)
{
    return r->llm.usage.n[unit];
}
