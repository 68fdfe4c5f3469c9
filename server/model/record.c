/* record.c: names of outcomes, usage in its fields, and the cutting of fields to their bounds. */
#include "model/record.h"

const char *call_outcome_name(enum call_outcome o)
{
    static const char *const names[] = {
        [CALL_OUTCOME_OK] = "ok",
        [CALL_OUTCOME_BLOCKED] = "blocked",
        [CALL_OUTCOME_CLIENT_ERROR] = "client_error",
        [CALL_OUTCOME_UPSTREAM_ERROR] = "upstream_error",
        [CALL_OUTCOME_CLIENT_GONE] = "client_gone",
        [CALL_OUTCOME_CUT] = "cut",
        [CALL_OUTCOME_INTERNAL] = "internal",
    };

    assert((size_t)o < ARRAY_LEN(names));
    return names[o];
}

/* A field for each class of usage.def, and on its side. */
enum {
#define USAGE(ident, name, column, label, covers, fallback) SIDE_OF_##column = USAGE_COVERS_##covers,
#include "model/usage.def"
#undef USAGE
};
#define ONE(name, kind, bound, label) +1
#define PROMPT(name, kind, bound, label) &&(int)SIDE_OF_##name == (int)USAGE_COVERS_PROMPT
#define OUTPUT(name, kind, bound, label) &&(int)SIDE_OF_##name == (int)USAGE_COVERS_OUTPUT
#define OTHER(name, kind, bound, label) &&(int)SIDE_OF_##name == (int)USAGE_COVERS_OTHER
_Static_assert(0 RECORD_USAGE(ONE) == USAGE_UNITS, "as many fields as classes");
_Static_assert(true RECORD_PROMPT(PROMPT) RECORD_OUTPUT(OUTPUT) RECORD_THINGS(OTHER), "the sides");

void call_record_set_usage(struct call_record *r, const struct usage *u)
{
#define USAGE(ident, name, column, label, covers, fallback) r->column = u->n[USAGE_##ident];
#include "model/usage.def"
#undef USAGE
}

void call_record_usage(const struct call_record *r, struct usage *ret)
{
#define USAGE(ident, name, column, label, covers, fallback) ret->n[USAGE_##ident] = r->column;
#include "model/usage.def"
#undef USAGE
}

int64_t call_record_tokens(const struct call_record *r, enum usage_covers side)
{
    struct usage u;

    call_record_usage(r, &u);
    return usage_sum(&u, side);
}

bool call_record_is_shadow(const struct call_record *r)
{
    static const struct call_id none;

    return !call_id_eq(r->shadow_of, none);
}

static void clip_text(struct str *s, size_t bound)
{
    if (s->n <= bound)
        return;
    s->n = bound;
    while (s->n > 0 && ((unsigned char)s->p[s->n] & 0xC0) == 0x80)
        s->n--;
}

static void clip_json(struct str *s, size_t bound)
{
    if (s->n > bound)
        *s = STR("{\"cut\":true}");
}

/* One word per kind, so that the field list itself drives the cutting. */
#define CLIP_UUID(f, bound)
#define CLIP_ID(f, bound)
#define CLIP_TIME(f, bound)
#define CLIP_I64(f, bound)
#define CLIP_I32(f, bound)
#define CLIP_BOOL(f, bound)
#define CLIP_MONEY(f, bound)
#define CLIP_TEXT(f, bound) clip_text(&(f), bound);
#define CLIP_JSON(f, bound) clip_json(&(f), bound);

static void clip_attempt(struct attempt_record *a)
{
#define X(name, kind, bound, label) CLIP_##kind(a->name, bound)
    RECORD_ATTEMPT(X)
#undef X
}

void call_record_clip(struct call_record *r)
{
#define X(name, kind, bound, label) CLIP_##kind(r->name, bound)
    RECORD_CALL(X)
#undef X
    for (int32_t i = 0; i < r->attempts && i < BOUND_ATTEMPTS; i++)
        clip_attempt(&r->attempt[i]);
}

void video_record_clip(struct video_record *v)
{
#define X(name, kind, bound, label) CLIP_##kind(v->name, bound)
    RECORD_VIDEO(X)
#undef X
}
