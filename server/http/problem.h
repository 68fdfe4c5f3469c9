/* problem.h: every client-visible error, and its rendering in the caller's format.
 *
 * The list is problem.def. Formats: OpenAI, Anthropic and Gemini error objects (DESIGN 7), the
 * management API's (OpenAI shape), or a page (a callback set by app). Each JSON form carries a
 * `tollgate` object with what applies. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

enum problem_code {
    PROBLEM_NONE,
#define X(name, status, type, code, sentence) PROBLEM_##name,
#include "http/problem.def"
#undef X
    PROBLEM_COUNT
};

enum problem_format { PROBLEM_AS_OPENAI, PROBLEM_AS_ANTHROPIC, PROBLEM_AS_GEMINI, PROBLEM_AS_PAGE };

struct problem {
    enum problem_code code;
    struct str message; /* more exact sentence; p NULL: the default */
    struct str param;   /* JSON path or parameter; p NULL: null */
    /* The tollgate object; NULL or 0 fields are left out. */
    const char *quota_source; /* one of DESIGN 7's list */
    const char *scope;
    struct str id;
    struct str limit, used; /* decimal text in `unit` */
    const char *unit;
    int64_t resets_at_unix_s;
    int retry_after_s;        /* > 0: Retry-After header */
    struct str attempts_json; /* array of the attempts made, raw JSON */
    /* An upstream's own error body passed on: status and bytes replace ours when status > 0. */
    int upstream_status;
    struct str upstream_body;
};

struct problem problem_of(enum problem_code code);
int problem_status(const struct problem *p);
const char *problem_slug(enum problem_code code);     /* "insufficient_balance" */
const char *problem_sentence(enum problem_code code); /* the default */
struct buf;
/* JSON body in a format (not PAGE); an upstream's own error object (upstream_status > 0) passes
 * through with the `tollgate` member added, whatever the format. */
void problem_json(const struct problem *p, enum problem_format format, struct str request_id,
                  struct buf *out);
