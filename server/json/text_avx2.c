/* text_avx2.c: blocks as two vectors of 32 bytes; see text_block.h. */
#include "json/text_block.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define WITH_VECTORS __attribute__((target("avx2,bmi")))

struct block {
    __m256i half[2];
};

WITH_VECTORS static inline struct block block_at(const char *p)
{
    return (struct block){{_mm256_loadu_si256((const void *)p),
                           _mm256_loadu_si256((const void *)(p + sizeof(__m256i)))}};
}

WITH_VECTORS static inline struct block block_none(void)
{
    return (struct block){{_mm256_setzero_si256(), _mm256_setzero_si256()}};
}

WITH_VECTORS static inline uint64_t mask_of(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

WITH_VECTORS static inline uint64_t mask_of_zeros(__m256i low, __m256i high)
{
    __m256i zero = _mm256_setzero_si256();

    return mask_of(_mm256_cmpeq_epi8(low, zero), _mm256_cmpeq_epi8(high, zero));
}

WITH_VECTORS static inline uint64_t block_equals(struct block b, char c)
{
    __m256i wanted = _mm256_set1_epi8(c);

    return mask_of(_mm256_cmpeq_epi8(b.half[0], wanted), _mm256_cmpeq_epi8(b.half[1], wanted));
}

WITH_VECTORS static inline __m256i table_of(const text_table t)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)t));
}

WITH_VECTORS static inline __m256i lookup(const text_table t, __m256i v)
{
    return _mm256_shuffle_epi8(table_of(t), v);
}

WITH_VECTORS static inline __m256i upper_half(__m256i v)
{
    return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(0x0f));
}

/* Not zero where the letter may stand behind a backslash. A letter's code has no highest bit. */
WITH_VECTORS static inline __m256i letters_of(__m256i v)
{
    return _mm256_and_si256(lookup(text_letter_upper, upper_half(v)), lookup(text_letter_lower, v));
}

WITH_VECTORS static inline uint64_t block_escapable(struct block b)
{
    return ~mask_of_zeros(letters_of(b.half[0]), letters_of(b.half[1]));
}

/* Not zero where a byte cannot stand behind those before it. */
WITH_VECTORS static inline __m256i utf8_errors(__m256i v, __m256i before)
{
    __m256i across = _mm256_permute2x128_si256(before, v, 0x21);
    __m256i one = _mm256_alignr_epi8(v, across, 15);
    __m256i two = _mm256_alignr_epi8(v, across, 14), three = _mm256_alignr_epi8(v, across, 13);
    __m256i pairs = _mm256_and_si256(
        _mm256_and_si256(lookup(text_first_upper, upper_half(one)),
                         lookup(text_first_lower, _mm256_and_si256(one, _mm256_set1_epi8(0x0f)))),
        lookup(text_second_upper, upper_half(v)));
    /* The third byte behind E0 and above, the fourth behind F0 and above: 0x80 where one must stand. */
    __m256i must = _mm256_or_si256(_mm256_subs_epu8(two, _mm256_set1_epi8((char)(0xe0 - 0x80))),
                                   _mm256_subs_epu8(three, _mm256_set1_epi8((char)(0xf0 - 0x80))));

    return _mm256_xor_si256(_mm256_and_si256(must, _mm256_set1_epi8((char)0x80)), pairs);
}

/* Not zero where a byte is a control character. */
WITH_VECTORS static inline __m256i controls_of(__m256i v)
{
    return _mm256_subs_epu8(_mm256_set1_epi8(' '), v);
}

/* Where all is ASCII, UTF-8 takes more than the rest of the block, so it is asked for first. */
WITH_VECTORS static inline uint64_t block_wrong(struct block b, struct block before)
{
    __m256i low = controls_of(b.half[0]), high = controls_of(b.half[1]);
    __m256i any = _mm256_or_si256(_mm256_or_si256(b.half[0], b.half[1]), before.half[1]);

    if (_mm256_movemask_epi8(any)) {
        low = _mm256_or_si256(low, utf8_errors(b.half[0], before.half[1]));
        high = _mm256_or_si256(high, utf8_errors(b.half[1], b.half[0]));
    }
    any = _mm256_or_si256(low, high);
    return _mm256_testz_si256(any, any) ? 0 : ~mask_of_zeros(low, high);
}

#include "json/text_loop.h"

const char *text_by_avx2(const char *p, const char *end)
{
    return __builtin_cpu_supports("avx2") ? read_blocks(p, end) : NULL;
}

#else

const char *text_by_avx2(const char *p, const char *end)
{
    (void)p;
    (void)end;
    return NULL;
}

#endif
