/* count.h: how many tokens a prompt has, asked for without an answer (translation/count_tokens.h).
 *
 * Not a call: nothing is held, charged or on the record. The first candidate of the model's route
 * whose provider counts in the client's format is asked; where there is none, or it gives no count,
 * the prompt is estimated as calls without usage are. Rules of the model are not asked, as no call is at
 * hand; of one that has no target the first that they choose counts. On the request's loop. */
#pragma once

#include "gateway/endpoint.h"
#include "http/problem.h"
#include "translation/count_tokens.h"

struct count_endpoint {
    const struct count_dialect *dialect;
    const struct endpoint *chat;      /* whose requests are counted */
    const struct wire_format *asked; /* of providers that count */
};
extern const struct count_endpoint count_anthropic, count_gemini;

struct gateway;
/* The node ends: whoever still waits is told so. */
void count_cut(struct gateway *g, const struct problem *p);
