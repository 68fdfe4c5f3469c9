/* usage.h: what a call used, in disjoint classes (see usage.def). Data only. Any thread. */
#pragma once

#include "base/str.h"

enum usage_unit {
#define USAGE(ident, name, column, label, covers, fallback) USAGE_##ident,
#include "model/usage.def"
#undef USAGE
    USAGE_UNITS
};

enum usage_covers { USAGE_COVERS_PROMPT, USAGE_COVERS_OUTPUT, USAGE_COVERS_OTHER };

struct usage {
    int64_t n[USAGE_UNITS]; /* each 0 .. BOUND_USAGE_QUANTITY */
};

/* A visual is an image or a video. What is said of one that is asked for or was made; p NULL: not said. */
struct visual_kind {
    struct str quality, size; /* "high", "1024x1536" */
};

/* Where the quantities come from; stands on the call's row. */
enum usage_basis {
    USAGE_BASIS_ZERO,     /* nothing was used, nothing is charged */
    USAGE_BASIS_PROVIDER, /* the upstream's own figures, also an explicit 0 */
    USAGE_BASIS_COUNTED,  /* counted here, wholly or in part: the upstream gave none, or absurd ones */
    USAGE_BASIS_CUT,      /* the node died: the last journal record's figures */
    USAGE_BASES
};

struct usage_unit_info {
    const char *name, *column, *label;
    enum usage_covers covers;
    enum usage_unit fallback;
};
const struct usage_unit_info *usage_unit_info(enum usage_unit unit);
const char *usage_basis_name(enum usage_basis basis); /* "zero", "provider", "counted", "cut" */

enum { USAGE_OK = 0, USAGE_E_UNKNOWN = 1 };
int usage_unit_parse(struct str name, enum usage_unit *ret) _must_use_;

/* Is it sold by the piece, and not by the million: requests, images, seconds, pages, searches? */
bool usage_unit_is_piece(enum usage_unit unit);
/* Tokens of the whole prompt, or of the whole answer. */
int64_t usage_sum(const struct usage *u, enum usage_covers covers);
/* Makes one side of *into what it is in *from. */
void usage_take(struct usage *into, const struct usage *from, enum usage_covers side);
/* Brings every quantity into 0 .. BOUND_USAGE_QUANTITY. */
void usage_clamp(struct usage *u);
