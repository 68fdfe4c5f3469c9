/* alike.h: texts as vectors, and how near two of them are: the cosine of the angle between them.
 *
 * A vector is kept at length 1, so that a cosine is a sum of products; floats of 32 bits, as an error of a
 * shorter form would decide at the threshold. In hundredths of a percent, as thresholds are set. Pure. */
#pragma once

#include "base/digest.h"

/* Vectors of different models, or of another number of dimensions, cannot be compared. */
struct alike_vector {
    float *v;
    uint32_t n;
    struct digest space; /* of the name that its provider has for the model that made it */
};

#define ALIKE_DIMENSIONS 4096 /* of the largest models */

/* Brings it to the length 1. False: it has none, or is not of numbers. */
bool alike_normalize(struct alike_vector *v) _must_use_;
/* 10000 for the same direction; -1: they cannot be compared. Both of length 1. */
int alike_bp(const struct alike_vector *a, const struct alike_vector *b);
