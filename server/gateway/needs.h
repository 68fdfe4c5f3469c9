/* needs.h: what a request asks of the model that serves it, and in which field of the client's. Pure;
 * any thread. */
#pragma once

#include "catalog/snapshot.h"
#include "gateway/endpoint.h"
#include "model/llm.h"

/* Bits of the abilities without which a target cannot serve it. */
uint32_t needs_abilities(const struct endpoint *e, const struct llm_request *llm);
/* The first of those that the model's targets do not have; ABILITIES: each lacks another one. */
enum ability needs_missing(const struct catalog_model *m, uint32_t abilities);

/* The client's name of what asks for the ability; of the input; and of the answer's limit. */
const char *needs_field(const struct endpoint *e, enum ability a);
const char *needs_input_field(const struct endpoint *e);
const char *needs_limit_field(const struct endpoint *e);
