/* Decimal amounts: what is read is printed as the same amount; imported prices agree with it. */
#include "fuzz.h"

#include "base/money.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(str_n((const char *)data, size));
    struct str in = {copy, size};
    struct money m, again;
    int64_t scaled;
    int r = money_parse(in, &m);

    if (r == MONEY_OK) {
        struct buf text;

        buf_init(&text, 64);
        money_put(&text, m, 0);
        HOLDS(buf_finish(&text) == 0);
        HOLDS(money_parse(buf_str(&text), &again) == MONEY_OK && again.nano == m.nano);
        HOLDS(money_parse_scaled(in, 9, &scaled) == MONEY_OK && scaled == m.nano);
        buf_reset(&text);
        money_put_fixed(&text, m, 2);
        HOLDS(buf_finish(&text) == 0);
        buf_done(&text);
    }
    r = money_parse_scaled(in, 15, &scaled);
    HOLDS(r >= MONEY_OK && r <= MONEY_E_DIGITS);
    free(copy);
    return 0;
}
