/* words.c: how an answer ends, and what was used, in Google's words. */
#include "translation/gemini/bytes.h"
#include "translation/gemini/gemini.h"
#include "translation/put.h"
#include "translation/tree.h"

struct node gemini_get(struct tree *t, struct node o, const char *camel, const char *snake)
{
    struct node n = node_get(t, o, camel);

    return node_given(n) ? n : node_get(t, o, snake);
}

/* The first of a value is the word that is written. */
static const struct {
    enum chat_finish finish;
    const char *word;
} finishes[] = {
    {CHAT_FINISH_STOP, "STOP"},
    {CHAT_FINISH_LENGTH, "MAX_TOKENS"},
    {CHAT_FINISH_FILTER, "SAFETY"},
    {CHAT_FINISH_FILTER, "RECITATION"},
    {CHAT_FINISH_FILTER, "BLOCKLIST"},
    {CHAT_FINISH_FILTER, "PROHIBITED_CONTENT"},
    {CHAT_FINISH_FILTER, "SPII"},
    {CHAT_FINISH_FILTER, "IMAGE_SAFETY"},
    {CHAT_FINISH_FILTER, "MODEL_ARMOR"},
    {CHAT_FINISH_TOOLS, "STOP"},
    {CHAT_FINISH_SEQUENCE, "STOP"},
    {CHAT_FINISH_REFUSAL, "SAFETY"},
    {CHAT_FINISH_CONTEXT, "MAX_TOKENS"},
    {CHAT_FINISH_PAUSE, "STOP"},
    {CHAT_FINISH_OTHER, "OTHER"},
};

enum chat_finish gemini_finish_parse(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(finishes); i++)
        if (str_eq_c(word, finishes[i].word))
            return finishes[i].finish;
    return word.n ? CHAT_FINISH_OTHER : CHAT_FINISH_NONE;
}

const char *gemini_finish_word(enum chat_finish finish)
{
    for (size_t i = 0; i < ARRAY_LEN(finishes); i++)
        if (finishes[i].finish == finish)
            return finishes[i].word;
    return NULL;
}

bool gemini_read_usage(struct tree *t, struct node usage, bool final, struct llm_report *told)
{
    struct llm_report now = *told;
    struct json_span cost;
    bool figures = node_is(usage, JSON_OBJECT) &&
                   gemini_usage_read(node_raw(t, usage), final, &now, &cost);

    told->has_service = now.has_service;
    told->service = now.service;
    if (figures)
        llm_take_usage(told, &now);
    return figures;
}

void gemini_put_usage(struct json_writer *w, const struct usage *u, const struct chat_frame *frame)
{
    int64_t prompt = usage_sum(u, USAGE_COVERS_PROMPT), answer = usage_sum(u, USAGE_COVERS_OUTPUT);

    json_key(w, "usageMetadata");
    json_open_object(w);
    put_int(w, "promptTokenCount", prompt);
    put_int(w, "candidatesTokenCount", answer - u->n[USAGE_REASONING]);
    put_int(w, "totalTokenCount", prompt + answer);
    put_int(w, "cachedContentTokenCount", u->n[USAGE_CACHED_INPUT]);
    put_int(w, "thoughtsTokenCount", u->n[USAGE_REASONING]);
    if (frame->has_cost) {
        json_key(w, "cost");
        json_money_number(w, frame->cost);
    }
    json_close_object(w);
}
