/* estimate.h: the most that a call can use, before it is sent (reliability 1.4, DESIGN 3). Pure.
 *
 * Input: half a token per byte of text, which real text stays far under, and the media: an image, a
 * sound or a file counts as its model's bound, or as many tokens as its bytes can make where that is
 * more; a file that is not in the request can fill the context. Searches of the web: as many as the
 * request allows its provider. Output: what the client allows,
 * clipped to the model's maximum, times n. Where the client gives no limit: the model's maximum, if
 * that costs at most a tenth of what is available; else what the tenth buys, but at least 1,024
 * tokens, and that is sent upstream so that the bound is true. What counts against tokens a minute
 * is no bound but the likely figure: four bytes a token, and the output that was allowed. */
#pragma once

#include "catalog/snapshot.h"
#include "ledger/price.h"
#include "model/llm.h"

struct estimate {
    struct price_estimate most;
    int64_t likely_tokens;
    uint64_t output_each; /* tokens per choice */
    bool send_limit;      /* output_each has to be sent upstream */
};

#define ESTIMATE_BYTES_PER_TOKEN 4
/* Tokens of what was read or written, by the rule that calls without usage are counted by. */
int64_t estimate_tokens(uint64_t bytes);
/* What the prompt has likely used, by the same rule, each of its media at the model's bound. */
void estimate_prompt(const struct llm_request *llm, const struct catalog_model *m,
                     struct usage *ret);

/* available: of wallet and budget, as this node last heard; < 0: not known. */
void estimate_make(const struct llm_request *llm, const struct catalog_target *target,
                   struct money available, struct estimate *ret);
/* The most that another target can use of a call that was estimated for its first: its own bounds of
 * media and output, and no more output than is sent to it. */
void estimate_other(const struct llm_request *llm, const struct catalog_target *target,
                    const struct estimate *first, struct price_estimate *ret);
