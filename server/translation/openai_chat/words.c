/* words.c: the words of OpenAI's formats for efforts and ends. */
#include "translation/openai_chat/neutral.h"

static const char *const efforts[] = {
    [CHAT_EFFORT_NONE] = "none",     [CHAT_EFFORT_MINIMAL] = "minimal", [CHAT_EFFORT_LOW] = "low",
    [CHAT_EFFORT_MEDIUM] = "medium", [CHAT_EFFORT_HIGH] = "high",       [CHAT_EFFORT_XHIGH] = "xhigh",   [CHAT_EFFORT_MAX] = "xhigh", /* the most it has */
};

bool openai_effort_parse(struct str word, enum chat_effort *ret)
{
    for (size_t i = CHAT_EFFORT_NONE; i < ARRAY_LEN(efforts); i++)
        if (str_eq_c(word, efforts[i])) {
            *ret = (enum chat_effort)i;
            return true;
        }
    return false;
}

const char *openai_effort_word(enum chat_effort effort)
{
    return efforts[effort];
}

/* The first of a value is the word that is written. */
static const struct {
    enum chat_finish finish;
    const char *word;
} finishes[] = {
    {CHAT_FINISH_STOP, "stop"},
    {CHAT_FINISH_LENGTH, "length"},
    {CHAT_FINISH_TOOLS, "tool_calls"},
    {CHAT_FINISH_TOOLS, "function_call"},
    {CHAT_FINISH_FILTER, "content_filter"},
    {CHAT_FINISH_SEQUENCE, "stop"},
    {CHAT_FINISH_REFUSAL, "content_filter"},
    {CHAT_FINISH_CONTEXT, "length"},
    {CHAT_FINISH_PAUSE, "stop"},
    {CHAT_FINISH_OTHER, "stop"},
};

enum chat_finish openai_finish_parse(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(finishes); i++)
        if (str_eq_c(word, finishes[i].word))
            return finishes[i].finish;
    return word.n ? CHAT_FINISH_OTHER : CHAT_FINISH_NONE;
}

const char *openai_finish_word(enum chat_finish finish)
{
    for (size_t i = 0; i < ARRAY_LEN(finishes); i++)
        if (finishes[i].finish == finish)
            return finishes[i].word;
    return NULL;
}
