/* models_form.c: see models_form.h. */
#include "gateway/models_form.h"

#include <stdio.h>

#include "base/clock.h"

static void put_text(struct json_writer *w, const char *key, struct str text)
{
    json_key(w, key);
    json_str(w, text);
}

/* Figures that nobody has entered are left out. */
static void put_known(struct json_writer *w, const char *key, int64_t n)
{
    if (!n)
        return;
    json_key(w, key);
    json_int(w, n);
}

static void openai_one(struct json_writer *w, const struct catalog_model *m)
{
    json_open_object(w);
    put_text(w, "id", m->name);
    put_text(w, "object", STR("model"));
    json_key(w, "created");
    json_int(w, m->created_s);
    put_text(w, "owned_by", m->vendor);
    put_text(w, "kind", str_c(model_kind_name(m->kind)));
    put_known(w, "context_length", m->context_tokens);
    put_known(w, "max_output_tokens", m->max_output_tokens);
    json_close_object(w);
}

static void openai_list(struct json_writer *w, const struct catalog_model *const *models, size_t n)
{
    json_open_object(w);
    put_text(w, "object", STR("list"));
    json_key(w, "data");
    json_open_array(w);
    for (size_t i = 0; i < n; i++)
        openai_one(w, models[i]);
    json_close_array(w);
    json_close_object(w);
}

static void anthropic_one(struct json_writer *w, const struct catalog_model *m)
{
    char created[CLOCK_RFC3339_SIZE];

    clock_rfc3339(m->created_s * 1000000, created);
    json_open_object(w);
    put_text(w, "type", STR("model"));
    put_text(w, "id", m->name);
    put_text(w, "display_name", m->name);
    put_text(w, "created_at", str_c(created));
    put_known(w, "max_input_tokens", m->context_tokens);
    put_known(w, "max_tokens", m->max_output_tokens);
    json_close_object(w);
}

static void put_end_of_page(struct json_writer *w, const char *key,
                            const struct catalog_model *model)
{
    json_key(w, key);
    if (model)
        json_str(w, model->name);
    else
        json_null(w);
}

/* The whole list is one page. */
static void anthropic_list(struct json_writer *w, const struct catalog_model *const *models,
                           size_t n)
{
    json_open_object(w);
    json_key(w, "data");
    json_open_array(w);
    for (size_t i = 0; i < n; i++)
        anthropic_one(w, models[i]);
    json_close_array(w);
    put_end_of_page(w, "first_id", n ? models[0] : NULL);
    put_end_of_page(w, "last_id", n ? models[n - 1] : NULL);
    json_key(w, "has_more");
    json_bool(w, false);
    json_close_object(w);
}

static void gemini_name(struct json_writer *w, const struct catalog_model *m)
{
    char name[160];
    int n = snprintf(name, sizeof(name), "models/%.*s", STR_FMT(m->name));

    put_text(w, "name", str_n(name, (size_t)n));
}

static void gemini_one(struct json_writer *w, const struct catalog_model *m)
{
    json_open_object(w);
    gemini_name(w, m);
    put_text(w, "displayName", m->name);
    put_text(w, "description", m->description);
    put_known(w, "inputTokenLimit", m->context_tokens);
    put_known(w, "outputTokenLimit", m->max_output_tokens);
    json_key(w, "supportedGenerationMethods");
    json_open_array(w);
    if (m->kind == MODEL_EMBEDDING) {
        json_cstr(w, "embedContent");
        json_cstr(w, "batchEmbedContents");
    } else if (m->kind == MODEL_CHAT) {
        json_cstr(w, "generateContent");
        json_cstr(w, "streamGenerateContent");
        json_cstr(w, "countTokens");
    }
    json_close_array(w);
    json_close_object(w);
}

static void gemini_list(struct json_writer *w, const struct catalog_model *const *models, size_t n)
{
    json_open_object(w);
    json_key(w, "models");
    json_open_array(w);
    for (size_t i = 0; i < n; i++)
        gemini_one(w, models[i]);
    json_close_array(w);
    json_close_object(w);
}

const struct models_form models_as_openai = {openai_one, openai_list};
const struct models_form models_as_anthropic = {anthropic_one, anthropic_list};
const struct models_form models_as_gemini = {gemini_one, gemini_list};
