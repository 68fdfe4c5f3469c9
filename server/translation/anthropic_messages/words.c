/* words.c: efforts, how a turn ends, and what was used, in Anthropic's words. */
#include "translation/anthropic_messages/bytes.h"
#include "translation/anthropic_messages/messages.h"
#include "translation/put.h"
#include "translation/tree.h"

/* The first of a value is the word that is written. */
static const struct {
    enum chat_finish finish;
    const char *word;
} finishes[] = {
    {CHAT_FINISH_STOP, "end_turn"},
    {CHAT_FINISH_LENGTH, "max_tokens"},
    {CHAT_FINISH_SEQUENCE, "stop_sequence"},
    {CHAT_FINISH_TOOLS, "tool_use"},
    {CHAT_FINISH_PAUSE, "pause_turn"},
    {CHAT_FINISH_REFUSAL, "refusal"},
    {CHAT_FINISH_CONTEXT, "model_context_window_exceeded"},
    {CHAT_FINISH_FILTER, "refusal"},
    {CHAT_FINISH_OTHER, "end_turn"},
};

enum chat_finish anthropic_finish_parse(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(finishes); i++)
        if (str_eq_c(word, finishes[i].word))
            return finishes[i].finish;
    return word.n ? CHAT_FINISH_OTHER : CHAT_FINISH_NONE;
}

const char *anthropic_finish_word(enum chat_finish finish)
{
    for (size_t i = 0; i < ARRAY_LEN(finishes); i++)
        if (finishes[i].finish == finish)
            return finishes[i].word;
    return NULL;
}

const char *anthropic_effort_word(enum chat_effort effort)
{
    static const char *const words[] = {[CHAT_EFFORT_MINIMAL] = "low",   [CHAT_EFFORT_LOW] = "low",
                                        [CHAT_EFFORT_MEDIUM] = "medium", [CHAT_EFFORT_HIGH] = "high",
                                        [CHAT_EFFORT_XHIGH] = "xhigh",   [CHAT_EFFORT_MAX] = "max"};

    return words[effort];
}

bool anthropic_read_usage(struct tree *t, struct node usage, struct llm_report *told)
{
    struct llm_report now = *told;
    struct json_span cost;

    if (!node_is(usage, JSON_OBJECT) || !anthropic_usage_read(node_raw(t, usage), &now, &cost))
        return false;
    told->has_service = now.has_service;
    told->service = now.service;
    llm_take_usage(told, &now);
    return true;
}

void anthropic_put_usage(struct json_writer *w, const struct usage *u,
                         const struct chat_frame *frame)
{
    json_key(w, "usage");
    json_open_object(w);
    put_int(w, "input_tokens",
            u->n[USAGE_INPUT] + u->n[USAGE_AUDIO_INPUT] + u->n[USAGE_IMAGE_INPUT]);
    put_int(w, "cache_creation_input_tokens",
            u->n[USAGE_CACHE_WRITE_5M] + u->n[USAGE_CACHE_WRITE_1H]);
    put_int(w, "cache_read_input_tokens", u->n[USAGE_CACHED_INPUT]);
    json_key(w, "cache_creation");
    json_open_object(w);
    put_int(w, "ephemeral_5m_input_tokens", u->n[USAGE_CACHE_WRITE_5M]);
    put_int(w, "ephemeral_1h_input_tokens", u->n[USAGE_CACHE_WRITE_1H]);
    json_close_object(w);
    put_int(w, "output_tokens", usage_sum(u, USAGE_COVERS_OUTPUT));
    json_key(w, "output_tokens_details");
    json_open_object(w);
    put_int(w, "thinking_tokens", u->n[USAGE_REASONING]);
    json_close_object(w);
    if (frame->has_cost) {
        json_key(w, "cost");
        json_money_number(w, frame->cost);
    }
    json_close_object(w);
}
