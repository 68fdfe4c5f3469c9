/* estimate.h: the most that a call can use, before it is sent (reliability 1.4, DESIGN 3). Pure.
 *
 * Input: half a token per byte of text, which real text stays far under; each inline image or sound
 * at its model's bound. Output: what the client allows, clipped to the model's maximum, times n.
 * Where the client gives no limit: the model's maximum, if that costs at most a tenth of what is
 * available; else what the tenth buys, but at least 1,024 tokens, and that is sent upstream so that
 * the bound is true. What
 * counts against tokens a minute is no bound but the likely figure: four bytes a token, and the
 * output that was allowed. */
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

/* available: of wallet and budget, as this node last heard; < 0: not known. */
void estimate_make(const struct llm_request *llm, const struct catalog_target *target,
                   struct money available, struct estimate *ret);
