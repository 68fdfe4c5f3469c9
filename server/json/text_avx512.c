/* text_avx512.c: blocks as one vector of 64 bytes; see text_block.h. */
#include "json/text_block.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define WITH_VECTORS __attribute__((target("avx512bw,bmi")))

struct block {
    __m512i v;
};

WITH_VECTORS static inline struct block block_at(const char *p)
{
    return (struct block){_mm512_loadu_si512(p)};
}

WITH_VECTORS static inline struct block block_none(void)
{
    return (struct block){_mm512_setzero_si512()};
}

/* The compiler would reckon with masks where they come from, which takes three times as long to go from one
 * block to the next. */
WITH_VECTORS static inline uint64_t number_of(__mmask64 mask)
{
    uint64_t number = mask;

    __asm__("" : "+r"(number));
    return number;
}

WITH_VECTORS static inline uint64_t block_equals(struct block b, char c)
{
    return number_of(_mm512_cmpeq_epi8_mask(b.v, _mm512_set1_epi8(c)));
}

WITH_VECTORS static inline __m512i lookup(const text_table t, __m512i v)
{
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const void *)t)), v);
}

WITH_VECTORS static inline __m512i upper_half(__m512i v)
{
    return _mm512_and_si512(_mm512_srli_epi16(v, 4), _mm512_set1_epi8(0x0f));
}

WITH_VECTORS static inline uint64_t block_escapable(struct block b)
{
    return number_of(_mm512_test_epi8_mask(lookup(text_letter_upper, upper_half(b.v)),
                                           lookup(text_letter_lower, b.v)));
}

enum { ALL_THREE = 0x80, EITHER_AND_THIRD = 0xa8 }; /* of _mm512_ternarylogic */

/* Not zero where a byte cannot stand behind those before it. */
WITH_VECTORS static inline __m512i utf8_errors(__m512i v, __m512i before)
{
    __m512i across = _mm512_alignr_epi64(v, before, 6);
    __m512i one = _mm512_alignr_epi8(v, across, 15);
    __m512i two = _mm512_alignr_epi8(v, across, 14), three = _mm512_alignr_epi8(v, across, 13);
    __m512i pairs = _mm512_ternarylogic_epi64(
        lookup(text_first_upper, upper_half(one)),
        lookup(text_first_lower, _mm512_and_si512(one, _mm512_set1_epi8(0x0f))),
        lookup(text_second_upper, upper_half(v)), ALL_THREE);
    /* The third byte behind E0 and above, the fourth behind F0 and above: 0x80 where one must stand. */
    __m512i must = _mm512_ternarylogic_epi64(
        _mm512_subs_epu8(two, _mm512_set1_epi8((char)(0xe0 - 0x80))),
        _mm512_subs_epu8(three, _mm512_set1_epi8((char)(0xf0 - 0x80))),
        _mm512_set1_epi8((char)0x80), EITHER_AND_THIRD);

    return _mm512_xor_si512(must, pairs);
}

WITH_VECTORS static inline uint64_t block_wrong(struct block b, struct block before)
{
    __m512i misplaced = utf8_errors(b.v, before.v);

    return _mm512_test_epi8_mask(misplaced, misplaced) |
           _mm512_cmplt_epu8_mask(b.v, _mm512_set1_epi8(' '));
}

#include "json/text_loop.h"

/* VBMI is not needed, but what has it does not run slower for wide vectors, as those before it do. */
static bool has_vectors(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi");
}

const char *text_by_avx512(const char *p, const char *end)
{
    return has_vectors() ? read_blocks(p, end) : NULL;
}

#else

const char *text_by_avx512(const char *p, const char *end)
{
    (void)p;
    (void)end;
    return NULL;
}

#endif
