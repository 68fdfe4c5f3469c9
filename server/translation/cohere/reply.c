/* reply.c: a whole answer of Cohere's chat, and the events of a streamed one, read; and what the
 * gateway itself says in such a stream. A stream's last event tells the reason of its end and the
 * figures. */
#include "base/bounds.h"
#include "translation/cohere/cohere.h"
#include "translation/figures.h"
#include "translation/put.h"
#include "translation/report.h"
#include "translation/said.h"

enum {
    TYPE,
    ID,
    FINISH,
    USAGE,
    BILLED_IN,
    BILLED_OUT,
    TOKENS_IN,
    TOKENS_OUT,
    COST,
    CONTENT,
    CALLS,
    FAILED,
    FIRST_TEXT,
    WATCHES = FIRST_TEXT + 4
};

static const char *const whole_paths[WATCHES] = {
    [TYPE] = "type",
    [ID] = "id",
    [FINISH] = "finish_reason",
    [USAGE] = "usage",
    [BILLED_IN] = "usage.billed_units.input_tokens",
    [BILLED_OUT] = "usage.billed_units.output_tokens",
    [TOKENS_IN] = "usage.tokens.input_tokens",
    [TOKENS_OUT] = "usage.tokens.output_tokens",
    [COST] = "usage.cost",
    [CONTENT] = "message.content",
    [CALLS] = "message.tool_calls",
    [FAILED] = "error",
    [FIRST_TEXT] = "message.content[].text",
    "message.content[].thinking",
    "message.tool_plan",
    "message.tool_calls[].function.arguments",
};

static const char *const event_paths[WATCHES] = {
    [TYPE] = "type",
    [ID] = "id",
    [FINISH] = "delta.finish_reason",
    [USAGE] = "delta.usage",
    [BILLED_IN] = "delta.usage.billed_units.input_tokens",
    [BILLED_OUT] = "delta.usage.billed_units.output_tokens",
    [TOKENS_IN] = "delta.usage.tokens.input_tokens",
    [TOKENS_OUT] = "delta.usage.tokens.output_tokens",
    [COST] = "delta.usage.cost",
    [CONTENT] = "delta.message.content",
    [CALLS] = "delta.message.tool_calls",
    [FAILED] = "delta.error",
    [FIRST_TEXT] = "delta.message.content.text",
    "delta.message.content.thinking",
    "delta.message.tool_plan",
    "delta.message.tool_calls.function.arguments",
};

/* Some counts are written as 13.0. */
static bool figure(struct str doc, const struct json_watch *billed, const struct json_watch *all,
                   int64_t *ret)
{
    const struct json_watch *w = billed->span.n ? billed : all;

    return w->span.n && figure_round_up(json_span_str(doc, w->span), ret);
}

static void read_usage(struct str doc, const struct json_watch w[WATCHES],
                       struct wire_report *report)
{
    int64_t in = 0, out = 0;
    bool has_in = figure(doc, &w[BILLED_IN], &w[TOKENS_IN], &in);
    bool has_out = figure(doc, &w[BILLED_OUT], &w[TOKENS_OUT], &out);
    struct json_span cost = w[COST].span;

    if (!has_in && !has_out)
        return;
    report->llm.has_usage = true;
    report->llm.lacks_prompt = !has_in;
    report->llm.lacks_output = !has_out;
    report->llm.usage.n[USAGE_INPUT] = in;
    report->llm.usage.n[USAGE_OUTPUT] = out;
    cost.at -= cost.n ? w[USAGE].span.at : 0;
    report_place_usage(report, w[USAGE].span, cost);
}

static int read(struct str doc, const char *const paths[WATCHES], struct json_watch w[WATCHES],
                struct wire_report *ret)
{
    struct wire_report report;

    for (size_t i = 0; i < WATCHES; i++)
        w[i] = (struct json_watch){.path = paths[i]};
    if (report_begin(doc, w, WATCHES, &report) != DIALECT_OK)
        return DIALECT_E_SYNTAX;
    report.llm.id = report_inside(doc, w[ID].span);
    report.llm.finish_reason = report_inside(doc, w[FINISH].span);
    report.error = wire_given(w[FAILED].span);
    report.has_choices = report_has_list(&w[CONTENT]) || report_has_list(&w[CALLS]);
    for (size_t i = FIRST_TEXT; i < WATCHES; i++)
        report.llm.output_bytes += report_text_bytes(&w[i]);
    read_usage(doc, w, &report);
    *ret = report;
    return DIALECT_OK;
}

int cohere_chat_read_reply(struct str body, struct wire_report *ret)
{
    struct json_watch w[WATCHES];

    return read(body, whole_paths, w, ret);
}

int cohere_chat_read_event(const struct sse_event *event, struct wire_report *ret)
{
    struct json_watch w[WATCHES];
    int r;

    if (!event->data.p || str_eq(str_trim(event->data), STR("[DONE]"))) {
        *ret = (struct wire_report){.bytes = event->data, .done = event->data.p != NULL};
        return DIALECT_OK;
    }
    r = read(event->data, event_paths, w, ret);
    if (r == DIALECT_OK)
        ret->done = json_span_is(event->data, w[TYPE].span, "message-end");
    return r;
}

/* --- said here --- */

/* message-end, whose delta a reason and what else is written by `more` make. */
static void put_end(const char *reason, struct str more, struct buf *out)
{
    struct buf doc;

    buf_init(&doc, KIB(64));
    buf_printf(&doc, "{\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"%s\",%.*s}}", reason,
               STR_FMT(more));
    wire_put_event("message-end", buf_str(&doc), out);
    buf_done(&doc);
}

/* The format tells an error within a stream in its last event. */
void cohere_chat_put_error(struct str document, struct buf *out)
{
    struct said said;
    struct buf more;

    buf_init(&more, KIB(32));
    buf_puts(&more, "\"error\":");
    if (said_read(document, &said) == SAID_OK)
        said_put_sentence(&said, STR("The provider failed."), &more);
    else
        buf_puts(&more, "\"The provider failed.\"");
    put_end("ERROR", buf_finish(&more) == 0 ? buf_str(&more) : STR("\"error\":\"\""), out);
    buf_done(&more);
}

void cohere_chat_put_stop(const struct wire_stop *stop, struct buf *out)
{
    struct json_writer w;
    struct buf more;

    buf_init(&more, 512);
    buf_puts(&more, "\"usage\":");
    json_begin(&w, &more);
    json_open_object(&w);
    json_key(&w, "billed_units");
    json_open_object(&w);
    put_int(&w, "input_tokens", usage_sum(&stop->usage, USAGE_COVERS_PROMPT));
    put_int(&w, "output_tokens", usage_sum(&stop->usage, USAGE_COVERS_OUTPUT));
    json_close_object(&w);
    json_close_object(&w);
    put_end("MAX_TOKENS", buf_str(&more), out);
    buf_done(&more);
}
