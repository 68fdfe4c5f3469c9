/* words.c: how an answer ends, and what was used, in Google's words. */
#include "base/bounds.h"
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

static int64_t figure(struct tree *t, struct node o, const char *camel, const char *snake)
{
    struct node at = gemini_get(t, o, camel, snake);

    if (!node_is(at, JSON_INT) || json_i64(at.v) < 0)
        return 0;
    return MIN(json_i64(at.v), (int64_t)BOUND_USAGE_QUANTITY);
}

/* Of a list of {modality, tokenCount}. */
static int64_t of_modality(struct tree *t, struct node list, const char *modality)
{
    int64_t sum = 0;

    for (size_t i = 0; i < node_length(list); i++) {
        struct node at = node_at(t, list, i), name = node_get(t, at, "modality");

        if (node_is(name, JSON_STRING) && str_eq_c(json_text(name.v), modality))
            sum += figure(t, at, "tokenCount", "token_count");
    }
    return sum;
}

static int64_t part_of(int64_t *whole, int64_t wanted)
{
    int64_t taken = MIN(*whole, wanted);

    *whole -= taken;
    return taken;
}

/* Cached and audio tokens are parts of the prompt, thoughts stand beside the candidates; what tools
 * put into the prompt is counted apart. */
bool gemini_read_usage(struct tree *t, struct node usage, struct usage *u)
{
    struct node prompts = gemini_get(t, usage, "promptTokensDetails", "prompt_tokens_details");
    struct node answers = gemini_get(t, usage, "candidatesTokensDetails", "candidates_tokens_details");
    int64_t prompt = figure(t, usage, "promptTokenCount", "prompt_token_count") +
                     figure(t, usage, "toolUsePromptTokenCount", "tool_use_prompt_token_count");
    int64_t answer = figure(t, usage, "candidatesTokenCount", "candidates_token_count");

    if (!node_is(usage, JSON_OBJECT))
        return false;
    u->n[USAGE_CACHED_INPUT] = part_of(
        &prompt, figure(t, usage, "cachedContentTokenCount", "cached_content_token_count"));
    u->n[USAGE_AUDIO_INPUT] = part_of(&prompt, of_modality(t, prompts, "AUDIO"));
    u->n[USAGE_IMAGE_INPUT] = part_of(&prompt, of_modality(t, prompts, "IMAGE"));
    u->n[USAGE_INPUT] = prompt;
    u->n[USAGE_AUDIO_OUTPUT] = part_of(&answer, of_modality(t, answers, "AUDIO"));
    u->n[USAGE_IMAGE_OUTPUT] = part_of(&answer, of_modality(t, answers, "IMAGE"));
    u->n[USAGE_OUTPUT] = answer;
    u->n[USAGE_REASONING] = figure(t, usage, "thoughtsTokenCount", "thoughts_token_count");
    return true;
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
