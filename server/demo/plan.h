/* plan.h: a chat request read, and everything its answer will say, before the first byte of it.
 *
 * Lives in the request's arena. */
#pragma once

#include "demo/switches.h"
#include "demo/dice.h"
#include "http/request.h"
#include "json/value.h"

enum { PLAN_CHOICES_MAX = 8 };

struct choice {
    struct str text;      /* the content, or the arguments of the tool call */
    struct str tool_name; /* p NULL: no tool call */
    struct str call_id;
    const char *finish_reason;
    size_t tokens;
};

struct plan {
    struct str model; /* without the switches */
    struct switches switches;
    bool stream, include_usage, logprobs;
    int64_t top_logprobs;
    int pace_ms; /* between chunks; 0: as fast as the client takes them */
    struct choice choices[PLAN_CHOICES_MAX];
    size_t n_choices;
    size_t prompt_tokens, completion_tokens;
    char id[48];
    int64_t created_s;
};

/* What is wrong with a request, for demo_fail(). */
struct plan_fault {
    int status;
    const char *code;
    struct str message, param; /* param.p NULL: null */
};

enum { PLAN_OK = 0, PLAN_E_FAULT = 1 };
/* The body as a tree; owned by the request's arena. */
int plan_parse(struct request *r, struct json_object **ret, struct plan_fault *fault) _must_use_;
/* Model name and switches of any kind of request; embedding says which models may be named. */
int plan_model(struct request *r, const struct json_object *body, bool embedding,
               struct str *ret_model, struct switches *ret_switches,
               struct plan_fault *fault) _must_use_;
int plan_chat(struct request *r, struct plan *ret, struct plan_fault *fault) _must_use_;

/* Answers with an error in OpenAI's shape. */
void demo_fail(struct request *r, const struct plan_fault *fault);
/* The fault that the switch `status` orders. */
struct plan_fault demo_ordered_fault(int status);
