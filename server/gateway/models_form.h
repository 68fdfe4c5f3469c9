/* models_form.h: models as the lists of each client format show them. Pure. */
#pragma once

#include "catalog/snapshot.h"
#include "json/write.h"

struct models_form {
    void (*put_one)(struct json_writer *w, const struct catalog_model *m);
    void (*put_list)(struct json_writer *w, const struct catalog_model *const *models, size_t n);
};
/* Sources: OpenAI's API reference, "Models"; Anthropic's, "List models" (2023-06-01); Google's
 * Gemini API reference, "models.list". */
extern const struct models_form models_as_openai, models_as_anthropic, models_as_gemini;
