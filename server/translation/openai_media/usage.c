/* usage.c: usage objects of images, speech and transcriptions, see media.h.
 *
 * Mistral's transcriptions use chat's names and tell the seconds beside them. */
#include "translation/figures.h"
#include "translation/openai_media/media.h"
#include "translation/report.h"

enum {
    INPUT,
    INPUT_CHAT,
    OUTPUT,
    OUTPUT_CHAT,
    TOTAL,
    CACHED,
    IMAGE_IN,
    AUDIO_IN,
    AUDIO_IN_ONE,
    TEXT_IN,
    TEXT_IN_ONE,
    TEXT_OUT,
    COUNTS,
    SECONDS = COUNTS,
    SECONDS_MISTRAL,
    WATCHES
};

static const char *const paths[WATCHES] = {
    [INPUT] = "input_tokens",
    [INPUT_CHAT] = "prompt_tokens",
    [OUTPUT] = "output_tokens",
    [OUTPUT_CHAT] = "completion_tokens",
    [TOTAL] = "total_tokens",
    [CACHED] = "input_tokens_details.cached_tokens",
    [IMAGE_IN] = "input_tokens_details.image_tokens",
    [AUDIO_IN] = "input_tokens_details.audio_tokens",
    [AUDIO_IN_ONE] = "input_token_details.audio_tokens",
    [TEXT_IN] = "input_tokens_details.text_tokens",
    [TEXT_IN_ONE] = "input_token_details.text_tokens",
    [TEXT_OUT] = "output_tokens_details.text_tokens",
    [SECONDS] = "seconds",
    [SECONDS_MISTRAL] = "prompt_audio_seconds",
};

static void split_input(const int64_t v[COUNTS], const struct media_classes *classes,
                        struct usage *u)
{
    int64_t left = MAX(v[INPUT], v[INPUT_CHAT]);

    u->n[USAGE_CACHED_INPUT] = figure_part(&left, v[CACHED]);
    u->n[USAGE_IMAGE_INPUT] = figure_part(&left, v[IMAGE_IN]);
    u->n[USAGE_AUDIO_INPUT] = figure_part(&left, MAX(v[AUDIO_IN], v[AUDIO_IN_ONE]));
    u->n[USAGE_INPUT] = figure_part(&left, MAX(v[TEXT_IN], v[TEXT_IN_ONE]));
    u->n[classes->input] += left;
}

static void split_output(const int64_t v[COUNTS], const struct media_classes *classes,
                         struct usage *u)
{
    int64_t left = MAX(v[OUTPUT], v[OUTPUT_CHAT]);

    u->n[USAGE_OUTPUT] = figure_part(&left, v[TEXT_OUT]);
    u->n[classes->output] += left;
}

bool media_usage_read(struct str object, const struct media_classes *classes,
                      struct llm_report *ret)
{
    struct json_watch w[WATCHES] = {0};
    enum figure is[COUNTS];
    int64_t v[COUNTS] = {0}, seconds = 0;
    bool input, output, timed = false;

    if (!report_scan_figures(object, paths, w, WATCHES))
        return false;
    for (size_t i = 0; i < COUNTS; i++)
        is[i] = figure_read(object, &w[i], &v[i]);
    for (size_t i = SECONDS; i < WATCHES && !timed; i++)
        timed = w[i].span.n && figure_round_up(json_span_str(object, w[i].span), &seconds);
    input = is[INPUT] == FIGURE_GOOD || is[INPUT_CHAT] == FIGURE_GOOD;
    output = is[OUTPUT] == FIGURE_GOOD || is[OUTPUT_CHAT] == FIGURE_GOOD;
    if (!input && !output && !timed)
        return false;
    ret->has_usage = true;
    ret->usage = (struct usage){.n = {0}};
    ret->lacks_prompt = !input;
    ret->lacks_output = !output;
    split_input(v, classes, &ret->usage);
    split_output(v, classes, &ret->usage);
    ret->usage.n[USAGE_SECOND] = seconds;
    return true;
}
