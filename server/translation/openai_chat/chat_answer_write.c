/* chat_answer_write.c: a whole answer in OpenAI's chat format.
 *
 * Thoughts go out as `reasoning_content` (DeepSeek's name, which most clients read) and, where they
 * are signed or hidden, once more as OpenRouter's `reasoning_details`, so that a client that sends
 * its messages back sends the signature too. */
#include "translation/openai_chat/neutral.h"

#include "translation/put.h"

static bool has(const struct chat_choice *c, enum chat_part_kind kind)
{
    for (size_t i = 0; i < c->n_parts; i++)
        if (c->parts[i].kind == kind)
            return true;
    return false;
}

/* All parts of a kind as one string; null when there is none and it has to be there. */
static void joined(struct json_writer *w, struct buf *out, const struct chat_choice *c,
                   enum chat_part_kind kind, const char *key, bool always)
{
    bool any = has(c, kind);

    if (!any && !always)
        return;
    json_key(w, key);
    if (!any) {
        json_null(w);
        return;
    }
    json_raw(w, STR("\""));
    for (size_t i = 0; i < c->n_parts; i++)
        if (c->parts[i].kind == kind)
            json_escape(out, c->parts[i].text);
    buf_putc(out, '"');
}

static void details(struct json_writer *w, const struct chat_choice *c)
{
    bool any = false;

    for (size_t i = 0; i < c->n_parts; i++) {
        const struct chat_part *p = &c->parts[i];
        bool hidden = p->kind == CHAT_REDACTED;

        if (!hidden && !(p->kind == CHAT_THINKING && p->signature.p))
            continue;
        if (!any) {
            json_key(w, "reasoning_details");
            json_open_array(w);
        }
        any = true;
        json_open_object(w);
        put_word(w, "type", hidden ? "reasoning.encrypted" : "reasoning.text");
        put_text(w, hidden ? "data" : "text", p->text);
        put_text(w, "signature", p->signature);
        json_close_object(w);
    }
    if (any)
        json_close_array(w);
}

void openai_put_calls(struct json_writer *w, const struct chat_part *parts, size_t n)
{
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        const struct chat_part *p = &parts[i];
        bool custom = p->tool.custom;

        if (p->kind != CHAT_TOOL_CALL)
            continue;
        if (!any) {
            json_key(w, "tool_calls");
            json_open_array(w);
        }
        any = true;
        json_open_object(w);
        put_text(w, "id", p->tool.id);
        put_word(w, "type", custom ? "custom" : "function");
        json_key(w, custom ? "custom" : "function");
        json_open_object(w);
        put_text(w, "name", p->tool.name);
        put_text(w, custom ? "input" : "arguments",
                 p->tool.arguments.p ? p->tool.arguments : STR("{}"));
        json_close_object(w);
        json_close_object(w);
    }
    if (any)
        json_close_array(w);
}

static void choice(struct json_writer *w, struct buf *out, const struct chat_choice *c)
{
    json_open_object(w);
    put_int(w, "index", c->index);
    json_key(w, "message");
    json_open_object(w);
    put_word(w, "role", "assistant");
    joined(w, out, c, CHAT_TEXT, "content", true);
    joined(w, out, c, CHAT_REFUSAL, "refusal", true);
    joined(w, out, c, CHAT_THINKING, "reasoning_content", false);
    details(w, c);
    openai_put_calls(w, c->parts, c->n_parts);
    json_close_object(w);
    json_key(w, "logprobs");
    if (c->logprobs.p)
        json_raw(w, c->logprobs);
    else
        json_null(w);
    json_key(w, "finish_reason");
    /* A refusal in words is OpenAI's own way, and ends like any other answer. */
    json_cstr(w, c->finish == CHAT_FINISH_REFUSAL && has(c, CHAT_REFUSAL)
                     ? "stop"
                     : openai_finish_word(c->finish));
    json_close_object(w);
}

/* Classes that the format has no name for are in its sums. */
void openai_put_usage(struct json_writer *w, const struct usage *u, const struct chat_frame *frame)
{
    int64_t prompt = usage_sum(u, USAGE_COVERS_PROMPT), answer = usage_sum(u, USAGE_COVERS_OUTPUT);

    json_key(w, "usage");
    json_open_object(w);
    put_int(w, "prompt_tokens", prompt);
    put_int(w, "completion_tokens", answer);
    put_int(w, "total_tokens", prompt + answer);
    json_key(w, "prompt_tokens_details");
    json_open_object(w);
    put_int(w, "cached_tokens", u->n[USAGE_CACHED_INPUT]);
    put_int(w, "cache_write_tokens", u->n[USAGE_CACHE_WRITE_5M] + u->n[USAGE_CACHE_WRITE_1H]);
    put_int(w, "audio_tokens", u->n[USAGE_AUDIO_INPUT]);
    json_close_object(w);
    json_key(w, "completion_tokens_details");
    json_open_object(w);
    put_int(w, "reasoning_tokens", u->n[USAGE_REASONING]);
    put_int(w, "audio_tokens", u->n[USAGE_AUDIO_OUTPUT]);
    json_close_object(w);
    if (frame->has_cost) {
        json_key(w, "cost");
        json_money_number(w, frame->cost);
    }
    json_close_object(w);
}

void openai_put_head(struct json_writer *w, const char *object, const struct chat_frame *frame,
                     struct str id, struct str model, int64_t created_s)
{
    put_text(w, "id", id.n ? id : frame->id);
    put_word(w, "object", object);
    put_int(w, "created", created_s ? created_s : frame->created_s);
    put_text(w, "model", model.n ? model : frame->model);
}

void openai_chat_write_answer(const struct chat_answer *answer, const struct chat_frame *frame,
                              struct buf *out)
{
    struct json_writer w;

    json_begin(&w, out);
    json_open_object(&w);
    openai_put_head(&w, "chat.completion", frame, answer->id, answer->model, answer->created_s);
    json_key(&w, "choices");
    json_open_array(&w);
    for (size_t i = 0; i < answer->n_choices; i++)
        choice(&w, out, &answer->choices[i]);
    json_close_array(&w);
    if (answer->has_usage)
        openai_put_usage(&w, &answer->usage, frame);
    put_text(&w, "service_tier", answer->service_tier);
    if (frame->members.p)
        json_raw(&w, frame->members);
    json_close_object(&w);
}
