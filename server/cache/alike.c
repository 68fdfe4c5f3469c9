/* alike.c: see alike.h. */
#include "cache/alike.h"

#include <math.h>

enum { LANES = 32, WHOLE_BP = 10000 }; /* several registers, as a sum has to wait for itself */

/* Sums of floats of length 1 are off by less than this; a vector is at 100 % like itself. */
#define ROUNDING_BP 0.05

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

static double product(const float *a, const float *b, size_t n)
{
    lanes sum = {0};
    double all = 0;
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        lanes x, y;

        memcpy(&x, a + i, sizeof(x));
        memcpy(&y, b + i, sizeof(y));
        sum += x * y;
    }
    for (; i < n; i++)
        all += (double)a[i] * (double)b[i];
    for (size_t k = 0; k < LANES; k++)
        all += (double)sum[k];
    return all;
}

bool alike_normalize(struct alike_vector *v)
{
    double square = 0;
    float by;

    for (uint32_t i = 0; i < v->n; i++)
        square += (double)v->v[i] * (double)v->v[i];
    if (!isfinite(square) || square <= 0)
        return false;
    by = (float)(1 / sqrt(square));
    if (!isfinite(by))
        return false;
    for (uint32_t i = 0; i < v->n; i++)
        v->v[i] *= by;
    return true;
}

int alike_bp(const struct alike_vector *a, const struct alike_vector *b)
{
    double bp;

    if (a->n != b->n || memcmp(a->space.b, b->space.b, sizeof(a->space.b)) != 0)
        return -1;
    bp = product(a->v, b->v, a->n) * WHOLE_BP + ROUNDING_BP;
    return bp < 0 ? 0 : MIN((int)bp, WHOLE_BP);
}
