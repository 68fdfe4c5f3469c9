/* text_block.c: the inside of long strings, 64 bytes at a time; declared in text.h.
 *
 * Each block becomes masks with one bit per byte, and no branch depends on where in it an escape or a
 * character of several bytes stands, only on whether there is one: the others are what a reader that goes
 * from one to the next spends its time on. Anything that is not right ends the reading in front of it; text.c's functions then
 * say what it is. UTF-8 is judged by pairs of neighbouring bytes: three tables, of the first one's halves
 * and the second one's upper half, each say which errors they allow, and an error that all three allow
 * is one (Keiser and Lemire, "Validating UTF-8 in less than one instruction per byte", 2020). */
#include "json/text.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define WITH_AVX2 __attribute__((target("avx2,bmi")))

enum {
    BLOCK_BYTES = 64,
    LOOK_AHEAD_BYTES = 8, /* the digits of an escape at a block's end stand behind it */
};

/* The errors of two neighbouring bytes. */
enum {
    TOO_SHORT = 1 << 0,  /* a leading byte without a continuation */
    TOO_LONG = 1 << 1,   /* a continuation of ASCII */
    OVERLONG_3 = 1 << 2,
    TOO_LARGE = 1 << 3,  /* above U+10FFFF */
    SURROGATE = 1 << 4,
    OVERLONG_2 = 1 << 5,
    TOO_LARGE_MORE = 1 << 6, /* F5 and above; with OVERLONG_4, as they exclude each other */
    OVERLONG_4 = 1 << 6,
    TWO_CONTINUATIONS = 1 << 7,
    CARRY = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS,
};

struct block {
    __m256i half[2];
};

/* From one block to the next. */
struct text_state {
    uint64_t escaped; /* 1: the first byte belongs to a backslash before it */
    __m256i before;   /* the 32 bytes in front of it */
};

WITH_AVX2 static inline uint64_t mask_of(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

WITH_AVX2 static inline uint64_t equals(const struct block *b, char c)
{
    __m256i wanted = _mm256_set1_epi8(c);

    return mask_of(_mm256_cmpeq_epi8(b->half[0], wanted), _mm256_cmpeq_epi8(b->half[1], wanted));
}

WITH_AVX2 static inline __m256i lookup(__m256i table, __m256i v)
{
    return _mm256_shuffle_epi8(table, v);
}

WITH_AVX2 static inline __m256i upper_half(__m256i v)
{
    return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(0x0f));
}

#define TABLE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

/* Not zero where a byte cannot stand behind those before it. */
WITH_AVX2 static inline __m256i utf8_errors(__m256i v, __m256i before)
{
    const __m256i first_upper = TABLE(
        TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
        (char)TWO_CONTINUATIONS, (char)TWO_CONTINUATIONS, (char)TWO_CONTINUATIONS,
        (char)TWO_CONTINUATIONS, TOO_SHORT | OVERLONG_2, TOO_SHORT,
        TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | TOO_LARGE_MORE);
    const __m256i first_lower = TABLE(
        (char)(CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4), (char)(CARRY | OVERLONG_2),
        (char)CARRY, (char)CARRY, (char)(CARRY | TOO_LARGE), (char)(CARRY | TOO_LARGE | TOO_LARGE_MORE),
        (char)(CARRY | TOO_LARGE | TOO_LARGE_MORE), (char)(CARRY | TOO_LARGE | TOO_LARGE_MORE),
        (char)(CARRY | TOO_LARGE | TOO_LARGE_MORE), (char)(CARRY | TOO_LARGE | TOO_LARGE_MORE),
        (char)(CARRY | TOO_LARGE | TOO_LARGE_MORE), (char)(CARRY | TOO_LARGE | TOO_LARGE_MORE),
        (char)(CARRY | TOO_LARGE | TOO_LARGE_MORE),
        (char)(CARRY | TOO_LARGE | TOO_LARGE_MORE | SURROGATE),
        (char)(CARRY | TOO_LARGE | TOO_LARGE_MORE), (char)(CARRY | TOO_LARGE | TOO_LARGE_MORE));
    const __m256i second_upper = TABLE(
        TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
        (char)(TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE_MORE | OVERLONG_4),
        (char)(TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE),
        (char)(TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE),
        (char)(TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE), TOO_SHORT,
        TOO_SHORT, TOO_SHORT, TOO_SHORT);
    __m256i across = _mm256_permute2x128_si256(before, v, 0x21);
    __m256i one = _mm256_alignr_epi8(v, across, 15);
    __m256i two = _mm256_alignr_epi8(v, across, 14), three = _mm256_alignr_epi8(v, across, 13);
    __m256i pairs = _mm256_and_si256(
        _mm256_and_si256(lookup(first_upper, upper_half(one)),
                         lookup(first_lower, _mm256_and_si256(one, _mm256_set1_epi8(0x0f)))),
        lookup(second_upper, upper_half(v)));
    /* The third byte behind E0 and above, the fourth behind F0 and above: 0x80 where one must stand. */
    __m256i must = _mm256_or_si256(_mm256_subs_epu8(two, _mm256_set1_epi8((char)(0xe0 - 0x80))),
                                   _mm256_subs_epu8(three, _mm256_set1_epi8((char)(0xf0 - 0x80))));

    return _mm256_xor_si256(_mm256_and_si256(must, _mm256_set1_epi8((char)0x80)), pairs);
}

/* Bytes that belong to the backslash in front of them: every second one of a run of backslashes, and
 * what follows a run that is odd. Runs are told apart by the parity of where they begin. */
WITH_AVX2 static inline uint64_t escaped_bytes(uint64_t slashes, uint64_t *carry)
{
    const uint64_t even = 0x5555555555555555;
    uint64_t follows, odd_begins, sum, carried = *carry;

    slashes &= ~carried;
    follows = slashes << 1 | carried;
    odd_begins = slashes & ~even & ~follows;
    *carry = __builtin_add_overflow(odd_begins, slashes, &sum);
    return (even ^ sum << 1) & follows;
}

/* Letters that may stand behind a backslash: in each half of their code one bit for each group. */
WITH_AVX2 static inline __m256i letters_of(__m256i v)
{
    enum { TWO = 1, FIVE = 2, SIX = 4, SEVEN = 8 };
    const __m256i upper = TABLE(0, 0, TWO, 0, 0, FIVE, SIX, SEVEN, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i lower = TABLE(0, 0, TWO | SIX | SEVEN, 0, SEVEN, SEVEN, SIX, 0, 0, 0, 0, 0, FIVE,
                                0, SIX, TWO); /* " b r, t, u, f, \, n, / */

    return _mm256_and_si256(lookup(upper, upper_half(v)), lookup(lower, v));
}

WITH_AVX2 static inline uint64_t escapable(const struct block *b)
{
    __m256i none = _mm256_setzero_si256();

    return ~mask_of(_mm256_cmpeq_epi8(letters_of(b->half[0]), none),
                    _mm256_cmpeq_epi8(letters_of(b->half[1]), none));
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Four digits behind each of these letters u. */
static bool digits_follow(const char *p, uint64_t letters)
{
    for (; letters; letters &= letters - 1) {
        const char *digit = p + __builtin_ctzll(letters) + 1;

        if (!is_hex(digit[0]) || !is_hex(digit[1]) || !is_hex(digit[2]) || !is_hex(digit[3]))
            return false;
    }
    return true;
}

/* Not zero where a byte is a control character. */
WITH_AVX2 static inline __m256i controls_of(__m256i v)
{
    return _mm256_subs_epu8(_mm256_set1_epi8(' '), v);
}

/* Control characters and bytes that are no UTF-8, for which there is nothing to look where all is ASCII. */
WITH_AVX2 static inline uint64_t bad_bytes(const struct block *b, __m256i before)
{
    __m256i either = _mm256_or_si256(b->half[0], b->half[1]), none = _mm256_setzero_si256();
    __m256i first = controls_of(b->half[0]), second = controls_of(b->half[1]);

    if (_mm256_movemask_epi8(_mm256_or_si256(either, before))) {
        first = _mm256_or_si256(first, utf8_errors(b->half[0], before));
        second = _mm256_or_si256(second, utf8_errors(b->half[1], b->half[0]));
    }
    either = _mm256_or_si256(first, second);
    if (_mm256_testz_si256(either, either))
        return 0;
    return ~mask_of(_mm256_cmpeq_epi8(first, none), _mm256_cmpeq_epi8(second, none));
}

/* Where the characters end that are whole in front of p: a block may end within one. */
static const char *whole_before(const char *start, const char *p, const struct text_state *state)
{
    if (state->escaped)
        return p - 1;
    for (int back = 1; back <= 3 && p - back >= start; back++) {
        unsigned char c = (unsigned char)p[-back];

        if (c < 0x80)
            break;
        if (c >= 0xc0) /* wants 2, 3 or 4 bytes */
            return back < 2 + (c >= 0xe0) + (c >= 0xf0) ? p - back : p;
    }
    return p;
}

/* May each of these bytes stand behind a backslash, with what it needs behind it? */
WITH_AVX2 static inline bool escapes_hold(const struct block *b, const char *p, uint64_t escaped)
{
    uint64_t digits = escaped & equals(b, 'u');

    return !(escaped & ~escapable(b)) && (!digits || digits_follow(p, digits));
}

WITH_AVX2 static const char *read_blocks(const char *start, const char *end)
{
    struct text_state state = {.before = _mm256_setzero_si256()};
    const char *p = start;

    for (; end - p >= BLOCK_BYTES + LOOK_AHEAD_BYTES; p += BLOCK_BYTES) {
        struct block b = {{_mm256_loadu_si256((const void *)p),
                           _mm256_loadu_si256((const void *)(p + sizeof(__m256i)))}};
        struct text_state next = {.escaped = state.escaped, .before = b.half[1]};
        uint64_t slashes = equals(&b, '\\'), quotes = equals(&b, '"'), escaped = 0, inside, wrong;

        if (slashes | state.escaped) {
            escaped = escaped_bytes(slashes, &next.escaped);
            quotes &= ~escaped;
        }
        inside = quotes ^ (quotes - 1); /* up to the first quote, with it; or all */
        wrong = bad_bytes(&b, state.before);
        if ((wrong & inside) || (escaped && !escapes_hold(&b, p, escaped & inside)))
            break;
        if (quotes)
            return p + __builtin_ctzll(quotes);
        state = next;
    }
    return whole_before(start, p, &state);
}

const char *text_long_end(const char *p, const char *end)
{
    return __builtin_cpu_supports("avx2") ? read_blocks(p, end) : p;
}

#else

const char *text_long_end(const char *p, const char *end)
{
    (void)end;
    return p;
}

#endif
