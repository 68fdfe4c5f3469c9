/* needs.c: see needs.h. */
#include "gateway/needs.h"

/* The names of each format. Where the path says that the answer is streamed, its model does. */
static const struct names {
    const struct wire_format *format;
    const char *input, *schema, *reasoning, *stream, *limit;
} formats[] = {
    {&format_openai_chat, "messages", "response_format", "reasoning_effort", "stream", "max_tokens"},
    {&format_openai_responses, "input", "text.format", "reasoning.effort", "stream",
     "max_output_tokens"},
    {&format_anthropic_messages, "messages", "output_config.format", "thinking", "stream",
     "max_tokens"},
    {&format_gemini, "contents", "generationConfig.responseSchema", "generationConfig.thinkingConfig",
     "model", "generationConfig.maxOutputTokens"},
    {&format_cohere_chat, "messages", "response_format", "thinking", "stream", "max_tokens"},
    {&format_openai_completions, "prompt", NULL, NULL, "stream", "max_tokens"},
};

uint32_t needs_abilities(const struct endpoint *e, const struct llm_request *llm)
{
    const struct {
        bool asked;
        enum ability ability;
    } asks[] = {
        {llm->has_tools, ABILITY_TOOLS},
        {llm->image_parts > 0, ABILITY_VISION},
        {llm->audio_parts > 0, ABILITY_AUDIO},
        {llm->file_parts || llm->files_elsewhere, ABILITY_FILES},
        {llm->wants_schema, ABILITY_JSON_SCHEMA},
        {llm->wants_reasoning, ABILITY_REASONING},
        {llm->stream && model_kind_writes(e->kind), ABILITY_STREAMING},
    };
    uint32_t bits = 0;

    for (size_t i = 0; i < ARRAY_LEN(asks); i++)
        if (asks[i].asked)
            bits |= ABILITY_BIT(asks[i].ability);
    return bits;
}

enum ability needs_missing(const struct catalog_model *m, uint32_t abilities)
{
    uint32_t had = 0;

    for (size_t i = 0; i < m->n_targets; i++)
        if (m->targets[i].enabled)
            had |= target_abilities(&m->targets[i]);
    for (enum ability a = 0; a < ABILITIES; a++)
        if (abilities & ~had & ABILITY_BIT(a))
            return a;
    return ABILITIES;
}

static const struct names *names_of(const struct endpoint *e)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (formats[i].format == e->format)
            return &formats[i];
    return &formats[0];
}

const char *needs_field(const struct endpoint *e, enum ability a)
{
    const struct names *n = names_of(e);

    switch (a) {
    case ABILITY_TOOLS:
        return "tools";
    case ABILITY_VISION:
    case ABILITY_AUDIO:
    case ABILITY_FILES:
        return n->input;
    case ABILITY_JSON_SCHEMA:
        return n->schema;
    case ABILITY_REASONING:
        return n->reasoning;
    case ABILITY_STREAMING:
        return n->stream;
    case ABILITY_PARALLEL_TOOLS:
    case ABILITY_CACHING:
    case ABILITY_WEB_SEARCH:
    case ABILITY_ADAPTIVE:
    case ABILITY_NO_SAMPLING:
    case ABILITIES:
        break;
    }
    return "model";
}

const char *needs_input_field(const struct endpoint *e)
{
    return names_of(e)->input;
}

const char *needs_limit_field(const struct endpoint *e)
{
    return names_of(e)->limit;
}
