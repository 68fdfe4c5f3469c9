/* dice.c: see dice.h. FNV-1a takes text in, SplitMix64 gives numbers out. */
#include "demo/dice.h"

void dice_stir(struct dice *d, struct str s)
{
    uint64_t h = d->state ^ UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    d->state = h;
}

void dice_stir_u64(struct dice *d, uint64_t v)
{
    dice_stir(d, str_n((const char *)&v, sizeof(v)));
}

uint64_t dice_roll(struct dice *d)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

size_t dice_below(struct dice *d, size_t bound)
{
    return bound ? (size_t)(dice_roll(d) % bound) : 0;
}
