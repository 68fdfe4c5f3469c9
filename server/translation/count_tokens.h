/* count_tokens.h: how many tokens a prompt would have, asked for without an answer: Anthropic's
 * count_tokens and Google's countTokens (Claude API reference, "Count tokens in a Message"; Gemini
 * API reference, "Counting tokens").
 *
 * A provider of the same format is asked, where that is free of charge: its answer is passed on.
 * Any other target's prompt is estimated here from what read_request says of it, and the estimate
 * goes out in the format's own answer. Nothing is held or charged. Errors of the provider are those
 * of the chat format (dialect.h). Pure; any thread. */
#pragma once

#include "translation/dialect.h"

struct count_dialect {
    const char *name;           /* "anthropic_count_tokens" */
    const struct dialect *chat; /* whose requests are counted */
    /* As of struct dialect; no limit of output is asked for. Gemini's path has the model. */
    int (*read_request)(struct arena *a, struct str body, struct wire_request *ret,
                        struct json_fault *fault);
    /* The model's name for the target; of edit only that is looked at. */
    void (*edit_request)(const struct wire_request *request, const struct wire_request_edit *edit,
                         struct buf *out);
    /* The count in a provider's answer; false: there is none, it is not passed on. */
    bool (*read_reply)(struct str body, uint64_t *ret);
    /* An answer of ours. */
    void (*put_reply)(uint64_t tokens, struct buf *out);
};

extern const struct count_dialect anthropic_count_tokens, gemini_count_tokens;

/* A count that stands at the root of an answer: read_reply of both. */
bool count_read(struct str body, const char *name, uint64_t *ret);
