/* price.h: one immutable version of a model's or target's price, as the catalogue keeps it.
 *
 * Nano-dollars per million units, both what the customer is charged and what the operator pays.
 * There are figures for each service tier that is sold, and within it steps of input length: a
 * step's figures hold for the whole call when its prompt is longer than above_input_tokens (the way
 * of the providers' long-context prices). Images may have figures of their own by quality and size,
 * or the seconds of a video by its size, at whatever tier and step. The arithmetic is in ledger/price.h. */
#pragma once

#include "base/bounds.h"
#include "base/id.h"
#include "model/service.h"
#include "model/usage.h"

/* A price row that does not name a unit. */
#define PRICE_NONE ((int64_t)-1)

struct price_step {
    int64_t above_input_tokens;  /* v[0]: 0; ascending */
    int64_t charge[USAGE_UNITS]; /* 0 .. BOUND_PRICE_ABSURD_NANO, or PRICE_NONE */
    int64_t cost[USAGE_UNITS];
};

struct price_steps {
    unsigned n; /* 0: the service tier is not sold; standard has at least 1 */
    struct price_step v[BOUND_PRICE_STEPS];
};

/* A figure for images of one kind: "high/1024x1024", or one half of it: "high", "1024x1024"; or for seconds
 * of a video of one size. */
#define PRICE_VISUAL_KIND 24 /* bytes, with the NUL */
struct price_visual {
    char kind[PRICE_VISUAL_KIND];
    int64_t charge, cost;
};

struct price {
    struct price_id id;
    int64_t effective_from_us;
    struct price_steps of[SERVICE_TIERS];
    unsigned n_visuals;
    struct price_visual visual[BOUND_PRICE_VISUALS]; /* by kind; visual_unit's own is for all others */
    enum usage_unit visual_unit; /* whose kinds they are: USAGE_IMAGE or USAGE_SECOND, never both */
};

/* One step at 0 of the standard tier, in which no unit is named. */
void price_init(struct price *p, struct price_id id);

struct price_figure {
    enum usage_unit unit;
    int64_t above_input_tokens; /* 0: always */
    int64_t charge, cost;       /* nano-dollars per million units */
    enum service_tier service;
    /* Of USAGE_IMAGE, or a size of USAGE_SECOND, standard, at 0; empty: all others. The log, the database and
     * the API call it image_kind. */
    char visual_kind[PRICE_VISUAL_KIND];
};
/* The most figures that a version can have. */
#define PRICE_FIGURES ((size_t)SERVICE_TIERS * BOUND_PRICE_STEPS * USAGE_UNITS + BOUND_PRICE_VISUALS)
/* Is it empty, a quality, a size as WxH, or both as QUALITY/WxH? Writes it into ret. */
bool price_visual_kind_parse(struct str text, char ret[PRICE_VISUAL_KIND]);
/* May a figure of that unit be for this kind alone? */
bool price_kind_fits(enum usage_unit unit, const char *kind);
/* A unit's name, "input", or that of one kind's figure, "image:high/1024x1024", "second:1024x1792". */
bool price_unit_parse(struct str name, enum usage_unit *ret_unit, char ret_kind[PRICE_VISUAL_KIND]);
/* Sets one unit of the step that begins above that many input tokens, making the step if need be.
 * PRICE_SET_E_STEPS: more steps than BOUND_PRICE_STEPS, or more kinds than BOUND_PRICE_VISUALS;
 * PRICE_SET_E_RANGE: a figure out of bounds, a visual_kind where none can be, or one of another unit
 * than those that are there. */
enum { PRICE_SET_OK = 0, PRICE_SET_E_STEPS = 1, PRICE_SET_E_RANGE = 2 };
int price_set(struct price *p, const struct price_figure *f) _must_use_;
/* Call once when all figures are set: what a step does not name it takes from the step below, else
 * from the unit's fallback (usage.def), else, where there is none, from the standard tier; REQUEST
 * becomes 0. Anything else unnamed stays PRICE_NONE: a call that would use it is refused before it
 * is sent. */
void price_complete(struct price *p);
/* Has the model a price at all: is any unit named? */
bool price_usable(const struct price *p);
/* Is it sold at this service tier? */
bool price_sells(const struct price *p, enum service_tier s);
/* The step that holds for a prompt of this many tokens; of standard where the tier is not sold. */
const struct price_step *price_step_at(const struct price *p, enum service_tier s,
                                       int64_t prompt_tokens);

/* The figure of that kind; NULL: there is none. */
const struct price_visual *price_visual_at(const struct price *p, const char *kind);
/* Which figure an image, or a second of a video, is charged at, the most exact that fits: quality and
 * size, size, quality, "" for the one of all others. Where that is not named either: the dearest that is not ruled out
 * by what is said; "" where there is none, so that it has no price. */
const char *price_visual_of(const struct price *p, const struct visual_kind *made);
/* The most that an image, or a second, of which no more is said can be charged; PRICE_NONE: it has no
 * price. plain: what all others cost. */
int64_t price_visual_most(const struct price *p, const struct visual_kind *said, int64_t plain);
