/* things.c: see things.h. */
#include "gateway/things.h"

#include "base/bounds.h"
#include "gateway/estimate.h"
#include "translation/openai_media/sound.h"

enum {
    BYTES_PER_TOKEN_LEAST = 2,
    /* OpenAI's dearest image has 6,240 tokens, and one hundred for each preview. */
    IMAGE_TOKENS_MOST = 16384,
    SPEECH_TOKENS_PER_BYTE_MOST = 2,
    SOUND_BYTES_PER_S_USUAL = 4000, /* 32 kbit/s */
    SOUND_TOKENS_PER_S_MOST = 32,
    SOUND_TOKENS_PER_S_USUAL = 10,
    WORDS_TOKENS_PER_S_MOST = 16, /* nobody speaks faster */
    WORDS_TOKENS_LEAST = 256,
    DOCUMENTS_PER_SEARCH = 100,
    CHUNK_TOKENS = 500,       /* of a document with the query, Cohere's prices */
    CHUNK_TOKENS_LEAST = 125, /* however long the query is */
    PAGES_MOST = 1000,        /* of a document, Mistral's limit */
};

bool things_are_counted(enum model_kind kind)
{
    return !model_kind_writes(kind) && kind != MODEL_EMBEDDING;
}

static int64_t clip(uint64_t v)
{
    return (int64_t)MIN(v, (uint64_t)BOUND_USAGE_QUANTITY);
}

static bool names(const struct price *p, enum usage_unit unit)
{
    return p->of[SERVICE_STANDARD].v[0].charge[unit] != PRICE_NONE ||
           (unit == p->visual_unit && p->n_visuals);
}

static uint64_t text_most(uint64_t bytes)
{
    return bytes / BYTES_PER_TOKEN_LEAST + 1;
}

static uint64_t whole_seconds(int64_t ms)
{
    return ((uint64_t)ms + 999) / 1000;
}

static uint64_t seconds_most(const struct llm_request *llm)
{
    uint64_t of_bytes = llm->sound_bytes / SOUND_BYTES_PER_S_LEAST + 1;
    uint64_t most = llm->sound_most_ms >= 0 ? whole_seconds(llm->sound_most_ms) : of_bytes;

    return llm->sound_ms >= 0 ? MAX(most, whole_seconds(llm->sound_ms)) : most;
}

static uint64_t seconds_usual(const struct llm_request *llm)
{
    if (llm->sound_ms >= 0)
        return whole_seconds(llm->sound_ms);
    return MIN(llm->sound_bytes / SOUND_BYTES_PER_S_USUAL + 1, seconds_most(llm));
}

static uint64_t searches_most(const struct llm_request *llm)
{
    uint64_t query = text_most(llm->query_bytes);
    uint64_t chunk = CHUNK_TOKENS - MIN(query, (uint64_t)(CHUNK_TOKENS - CHUNK_TOKENS_LEAST));
    uint64_t chunks = llm->documents + text_most(llm->text_bytes) / chunk;

    return chunks / DOCUMENTS_PER_SEARCH + 1;
}

static uint64_t image_tokens_most(const struct catalog_model *m)
{
    return m->max_output_tokens ? (uint64_t)m->max_output_tokens : IMAGE_TOKENS_MOST;
}

/* In tokens, of either side. */
static void estimate_tokens_most(const struct llm_request *llm, const struct catalog_model *m,
                                 struct price_estimate *e)
{
    uint64_t media = llm->pictures * (uint64_t)m->media_tokens;
    uint64_t seconds = seconds_most(llm);

    e->input_tokens = clip(text_most(llm->text_bytes) + media);
    if (m->kind == MODEL_IMAGE)
        e->output_tokens = clip(llm->choices * image_tokens_most(m));
    if (m->kind == MODEL_SPEECH)
        e->output_tokens = clip(llm->prompt_bytes * SPEECH_TOKENS_PER_BYTE_MOST);
    if (m->kind == MODEL_RERANK)
        e->input_tokens = clip(text_most(llm->text_bytes) +
                               llm->documents * text_most(llm->query_bytes));
    if (m->kind == MODEL_TRANSCRIPTION) {
        e->audio_input_tokens = clip(seconds * SOUND_TOKENS_PER_S_MOST);
        e->output_tokens = clip(seconds * WORDS_TOKENS_PER_S_MOST + WORDS_TOKENS_LEAST);
    }
    e->audio_output = llm->wants_audio;
}

void things_estimate(const struct llm_request *llm, const struct catalog_target *target,
                     struct price_estimate *ret)
{
    const struct catalog_model *m = target->model;
    struct price_estimate e = {.service = llm->service, .visual = llm->visual};
    int64_t *n = e.things.n;

    n[USAGE_REQUEST] = 1;
    if (m->kind == MODEL_IMAGE)
        n[USAGE_IMAGE] = llm->choices;
    else if (m->kind == MODEL_SPEECH)
        n[USAGE_CHARACTER] = clip(llm->characters);
    else if (m->kind == MODEL_TRANSCRIPTION)
        n[USAGE_SECOND] = clip(seconds_most(llm));
    else if (m->kind == MODEL_RERANK)
        n[USAGE_SEARCH] = clip(searches_most(llm));
    else if (m->kind == MODEL_OCR)
        n[USAGE_PAGE] = clip(llm->pages ? llm->pages : (uint64_t)PAGES_MOST);
    else if (m->kind == MODEL_VIDEO)
        n[USAGE_SECOND] = clip(llm->seconds);
    if (names(target->price, USAGE_INPUT))
        estimate_tokens_most(llm, m, &e);
    *ret = e;
}

void things_count(const struct llm_request *llm, const struct catalog_target *target,
                  const struct things_seen *seen, struct usage *ret)
{
    const struct catalog_model *m = target->model;
    uint64_t seconds = seconds_usual(llm);
    struct usage u = {.n = {[USAGE_REQUEST] = 1}};

    u.n[USAGE_INPUT] = estimate_tokens(llm->prompt_bytes);
    if (m->kind == MODEL_IMAGE) {
        u.n[USAGE_IMAGE] = seen->images;
        u.n[USAGE_IMAGE_INPUT] = clip(llm->pictures * (uint64_t)m->media_tokens);
        u.n[USAGE_IMAGE_OUTPUT] = clip(seen->images * (uint64_t)m->media_tokens);
    } else if (m->kind == MODEL_SPEECH) {
        u.n[USAGE_CHARACTER] = clip(llm->characters);
        u.n[USAGE_AUDIO_OUTPUT] = clip((llm->prompt_bytes * 3 + 1) / 2);
    } else if (m->kind == MODEL_TRANSCRIPTION) {
        u.n[USAGE_SECOND] = clip(seconds);
        u.n[USAGE_AUDIO_INPUT] = clip(seconds * SOUND_TOKENS_PER_S_USUAL);
        u.n[USAGE_OUTPUT] = estimate_tokens(seen->output_bytes);
    } else if (m->kind == MODEL_MODERATION) {
        u.n[USAGE_IMAGE_INPUT] = clip(llm->pictures * (uint64_t)m->media_tokens);
    } else if (m->kind == MODEL_RERANK) {
        u.n[USAGE_INPUT] += clip(llm->documents * (uint64_t)estimate_tokens(llm->query_bytes));
        u.n[USAGE_SEARCH] = clip(MAX((llm->documents + DOCUMENTS_PER_SEARCH - 1) /
                                         DOCUMENTS_PER_SEARCH, UINT64_C(1)));
    } else if (m->kind == MODEL_OCR) {
        u.n[USAGE_PAGE] = seen->pages;
    } else if (m->kind == MODEL_VIDEO) {
        u.n[USAGE_SECOND] = clip(llm->seconds);
    }
    usage_clamp(&u);
    *ret = u;
}

/* Did the provider tell this unit? Figures of nothing at all are not believed. */
static bool is_told(const struct llm_report *told, enum usage_unit unit)
{
    int64_t tokens = usage_sum(&told->usage, USAGE_COVERS_PROMPT) +
                     usage_sum(&told->usage, USAGE_COVERS_OUTPUT);

    switch (usage_unit_info(unit)->covers) {
    case USAGE_COVERS_PROMPT:
        return told->has_usage && !told->lacks_prompt && tokens;
    case USAGE_COVERS_OUTPUT:
        return told->has_usage && !told->lacks_output && tokens;
    case USAGE_COVERS_OTHER:
        break;
    }
    return told->has_usage && told->usage.n[unit];
}

bool things_settle(const struct llm_report *told, const struct price *price, struct usage *u)
{
    bool all = true;

    for (enum usage_unit i = 0; i < USAGE_UNITS; i++) {
        bool is_seen = i == USAGE_IMAGE || i == USAGE_PAGE || i == USAGE_REQUEST;

        if (!names(price, i) && i != USAGE_REQUEST)
            u->n[i] = 0;
        else if (is_told(told, i))
            u->n[i] = told->usage.n[i];
        else
            all = all && (is_seen || !u->n[i]);
    }
    return all;
}
