/* asked.h: what makes two requests the same: one 256-bit number of all that an answer follows from.
 *
 * Into it go, each with its length before it, so that no two lists of parts read alike:
 *   whose answers they are      team; the key, where it keeps its answers to itself; since when the
 *                               team's kept answers count
 *   how it is answered          the endpoint, the model and the order of its targets that the
 *                               request's name stands for, how its route stands for this team (gateway/standing.h), what the client's
 *                               headers add to the request; the guardrails that an answer has come
 *                               through
 *   the request                 every byte of the body, but for the members that name its author and
 *                               never reach an answer (asked.c lists them, for each endpoint)
 *   where likeness is asked     the facts of its last text in the place of the text itself (question.h), and
 *                               which model compares it, as its route stands
 *
 * Nothing is put in order and no spaces are taken out: requests are the same where their bytes are.
 * Whatever a body says that is not known here makes it another, so what is not understood costs a
 * hit and never a wrong answer. Temperature and the like are not looked at: who turns kept answers on
 * wants the answer to the same question again, and asks with no-cache for another. */
#pragma once

#include "base/buf.h"
#include "base/digest.h"
#include "base/id.h"
#include "json/scan.h"

struct asked {
    struct team_id team;
    struct key_id key; /* v 0: the team's answers are shared by its keys */
    int64_t cleared_at_us;
    struct str endpoint; /* its name, "chat.completions" */
    struct model_id model;
    int sort; /* that a suffix of the model's name asks for; 0: none */
    struct digest standing;
    struct str rules;   /* that its texts are looked through by; may be empty */
    struct str headers; /* of the client's that reach the provider, as text; may be empty */
    struct str body;    /* JSON that has been scanned */
    struct json_span text; /* of the body: what is compared by likeness; n 0: nothing is */
    struct str likeness;   /* what stands for it; empty where text is */
};

/* pepper: 32 random bytes of this process. False: there is no memory, or the body cannot be told from
 * others. */
bool asked_digest(const uint8_t pepper[32], const struct asked *a, struct digest *ret) _must_use_;
