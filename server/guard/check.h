/* check.h: one look through the texts of one request, answer or stream, by the rules of a set.
 *
 * A check is of one piece of bytes, whose texts it is shown by what they are (a JSON document, plain text, a
 * form, the events of a stream); then it knows which rules found something, whether one of them stops it,
 * and the bytes with all that is to be redacted replaced where it stands: the rest stays as it was, escapes
 * too. Findings are looked for in decoded text, so an escape hides nothing. A finding does not reach from
 * one text into another, but in the events of a stream the parts of one text are put together first.
 *
 * What a pattern leaves undecided (pattern.h), more findings than GUARD_FINDINGS_MAX, and patterns that
 * have taken GUARD_CPU_MS of processor time together: rules that block or redact stop the bytes then, as
 * if they had found something, and `undecided` says so; those that only log count it as a finding.
 *
 * Measured on the reference machine, a KB of prose: 6 us for all kinds of findings together (IP addresses and
 * secrets 2 us each, the others about 1 us or less), 0.2 to 2 us for each pattern, 2 to 4 us for a hundred
 * words; what there is without findings or patterns is 0.1 us. The worst that texts and patterns made for it
 * took of one loop: 95 ms, with 190,000 texts that each nearly meet a pattern's limit. One owner. */
#pragma once

#include "base/buf.h"
#include "guard/set.h"

#define GUARD_FINDINGS_MAX 100000
#define GUARD_CPU_MS 50

struct guard_change {
    size_t at, n; /* bytes that are replaced... */
    struct str text; /* ...by this */
};

struct guard_check {
    const struct guard_set *set;
    unsigned where;
    uint32_t hits[GUARD_RULES_MAX]; /* findings, by rule */
    const struct guard_rule *stop;  /* the first that stops it; NULL: none does */
    bool undecided;                 /* it stops what it could not decide */
    bool failed;                    /* out of memory: nothing is known */

    struct str bytes_;
    struct guard_change *changes_;
    size_t n_changes_, room_changes_;
    struct guard_piece *pieces_;
    size_t n_pieces_, room_pieces_;
    struct guard_found *found_;
    size_t n_found_, room_found_;
    uint64_t kind_;
    size_t total_;
    int64_t spent_ns_;
    struct buf text_;
    struct pattern_search *search_;
};

/* set outlives it; where: GUARD_REQUEST or GUARD_ANSWER. */
void guard_check_init(struct guard_check *c, const struct guard_set *set, unsigned where);
void guard_check_done(struct guard_check *c);

/* One of these, once. bytes outlive the check. What is no JSON is looked at as plain text, as are events
 * whose data is none. */
void guard_check_json(struct guard_check *c, struct str bytes);
void guard_check_text(struct guard_check *c, struct str bytes);
/* The fields of a form that are no files. content_type: names its boundary. */
void guard_check_form(struct guard_check *c, struct str content_type, struct str bytes);
/* Server-sent events. */
void guard_check_events(struct guard_check *c, struct str bytes);

static inline bool guard_check_changes(const struct guard_check *c)
{
    return c->n_changes_ > 0;
}
/* The bytes with what was found replaced; a failure is out's. *at (may be NULL): a place in the bytes, and
 * where it is afterwards. */
void guard_check_put(const struct guard_check *c, struct buf *out, size_t *at);
/* "name=2, other=1", as many as there is room for; nothing where no rule found anything. */
void guard_check_names(const struct guard_check *c, struct buf *out);
