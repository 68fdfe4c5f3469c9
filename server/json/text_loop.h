/* text_loop.h: what reads blocks, whatever the vectors. Included where they are known, behind
 *
 *   WITH_VECTORS                   the attribute of functions that use them
 *   struct block                   64 bytes
 *   block_at(p), block_none()      those at p; what stands in front of the first ones, of which none wants more
 *   block_equals(b, c)             a bit for each byte that is c
 *   block_escapable(b)             a bit for each that may stand behind a backslash
 *   block_wrong(b, before)         a bit for each that is a control character, or cannot stand where it does
 */

/* Bytes that belong to the backslash in front of them: every second one of a run of backslashes, and
 * what follows a run that is odd. Runs are told apart by the parity of where they begin. *carry: whether
 * the first byte belongs to one in the block before; then whether the next one's does. */
WITH_VECTORS static inline uint64_t escaped_bytes(uint64_t slashes, uint64_t *carry)
{
    const uint64_t even = 0x5555555555555555;
    uint64_t follows, odd_begins, sum, carried = *carry;

    slashes &= ~carried;
    follows = slashes << 1 | carried;
    odd_begins = slashes & ~even & ~follows;
    *carry = __builtin_add_overflow(odd_begins, slashes, &sum);
    return (even ^ sum << 1) & follows;
}

static inline bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Do four digits stand behind each of these letters u of the block at p? Inline, as vectors do not outlive a
 * call. */
static inline bool digits_follow(const char *p, uint64_t letters)
{
    for (; letters; letters &= letters - 1) {
        const char *digit = p + __builtin_ctzll(letters) + 1;

        if (!is_hex(digit[0]) || !is_hex(digit[1]) || !is_hex(digit[2]) || !is_hex(digit[3]))
            return false;
    }
    return true;
}

WITH_VECTORS static const char *read_blocks(const char *start, const char *end)
{
    uint64_t carry = 0, next;
    struct block before = block_none();
    const char *p = start;

    for (; end - p >= BLOCK_BYTES + LOOK_AHEAD_BYTES; p += BLOCK_BYTES, carry = next) {
        struct block b = block_at(p);
        uint64_t slashes = block_equals(b, '\\'), quotes = block_equals(b, '"');
        uint64_t escaped, inside, digits;

        __builtin_prefetch(p + FETCHED_AHEAD_BYTES);
        next = carry;
        escaped = escaped_bytes(slashes, &next);
        quotes &= ~escaped;
        inside = quotes ^ (quotes - 1); /* up to the first quote, with it; or all */
        escaped &= inside;
        if ((block_wrong(b, before) & inside) | (escaped & ~block_escapable(b)))
            break;
        digits = escaped & block_equals(b, 'u');
        if (digits && !digits_follow(p, digits))
            break;
        if (quotes)
            return p + __builtin_ctzll(quotes);
        before = b;
    }
    return text_whole_before(start, p, carry);
}
