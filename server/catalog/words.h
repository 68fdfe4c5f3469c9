/* words.h: the closed vocabularies of the catalogue, as stored, sent and shown. Any thread. */
#pragma once

#include "base/str.h"

enum ability {
#define ABILITY(ident, name, label, litellm) ABILITY_##ident,
#include "catalog/ability.def"
#undef ABILITY
    ABILITIES
};
#define ABILITY_BIT(a) (UINT32_C(1) << (a))
/* Those that a request can ask for: a target without them is passed over. */
#define ABILITIES_ASKED                                                                            \
    (ABILITY_BIT(ABILITY_TOOLS) | ABILITY_BIT(ABILITY_VISION) | ABILITY_BIT(ABILITY_AUDIO) |       \
     ABILITY_BIT(ABILITY_FILES) | ABILITY_BIT(ABILITY_JSON_SCHEMA) |                               \
     ABILITY_BIT(ABILITY_REASONING) | ABILITY_BIT(ABILITY_STREAMING))
const char *ability_name(enum ability a);  /* "json_schema" */
const char *ability_label(enum ability a); /* "structured output" */

/* What a model is for; each endpoint serves models of one kind. */
enum model_kind {
    MODEL_CHAT,
    MODEL_EMBEDDING,
    MODEL_COMPLETION,
    MODEL_IMAGE,
    MODEL_SPEECH,
    MODEL_TRANSCRIPTION,
    MODEL_MODERATION,
    MODEL_RERANK,
    MODEL_OCR,
    MODEL_VIDEO,
    MODEL_KINDS
};
const char *model_kind_name(enum model_kind k);   /* "chat" */
const char *model_kind_label(enum model_kind k);  /* for people: "Chat" */
const char *model_kind_family(enum model_kind k); /* "openai-chat", "openai-embeddings" */
/* Does it write text, as long as the client allows? */
static inline bool model_kind_writes(enum model_kind k)
{
    return k == MODEL_CHAT || k == MODEL_COMPLETION;
}

/* What lets the next target have its turn: bits of a model's triggers, words of model.triggers. */
enum route_trigger {
    TRIGGER_CONNECT,
    TRIGGER_TIMEOUT,
    TRIGGER_RATE_LIMITED,
    TRIGGER_SERVER_ERROR,
    TRIGGER_BAD_REPLY,
    TRIGGER_CREDENTIAL,
    TRIGGER_CONTEXT_LENGTH,
    TRIGGER_CONTENT_POLICY, /* usually not: what one provider refuses may be another's trouble */
    ROUTE_TRIGGERS
};
#define TRIGGER_BIT(t) (UINT32_C(1) << (t))
#define TRIGGERS_USUAL (TRIGGER_BIT(ROUTE_TRIGGERS) - 1 - TRIGGER_BIT(TRIGGER_CONTENT_POLICY))
const char *route_trigger_name(enum route_trigger t); /* "rate_limited" */

/* In which order a model's targets are asked: words of model.strategy. Whatever it is, a request may
 * say otherwise, and what cools down comes last. */
enum route_strategy {
    STRATEGY_PRIORITY, /* ascending, weights among equals */
    STRATEGY_WEIGHTED, /* weights alone */
    STRATEGY_CHEAPEST, /* by what the operator pays, then as by priority */
    STRATEGY_FASTEST,  /* by the time to the first byte, then as by priority */
    ROUTE_STRATEGIES
};
const char *route_strategy_name(enum route_strategy s);  /* "priority" */
const char *route_strategy_label(enum route_strategy s); /* for people */

/* What an operator says that an account's provider does with what it is sent: words of
 * provider_account.data_policy, the stricter the higher. */
enum data_policy {
    DATA_UNKNOWN,      /* nothing is said: it may keep it and learn from it */
    DATA_NO_TRAINING,  /* it does not learn from it */
    DATA_NO_RETENTION, /* nor keeps it */
    DATA_POLICIES
};
const char *data_policy_name(enum data_policy p);  /* "no_training" */
const char *data_policy_label(enum data_policy p); /* for people */

enum { WORD_OK = 0, WORD_E_UNKNOWN = 1 };
int ability_parse(struct str name, enum ability *ret) _must_use_;
int model_kind_parse(struct str name, enum model_kind *ret) _must_use_;
int route_trigger_parse(struct str name, enum route_trigger *ret) _must_use_;
int route_strategy_parse(struct str name, enum route_strategy *ret) _must_use_;
int data_policy_parse(struct str name, enum data_policy *ret) _must_use_;

/* Sets of words: as bits, as the words themselves, and from "tools,vision" (unknown ones, of a
 * newer version, are left out). */
size_t ability_words(uint32_t bits, struct str ret[ABILITIES]);
size_t trigger_words(uint32_t bits, struct str ret[ROUTE_TRIGGERS]);
uint32_t ability_bits(struct str words);
uint32_t trigger_bits(struct str words);
/* The same of a list of them. */
uint32_t ability_bits_of(const struct str *words, size_t n);
