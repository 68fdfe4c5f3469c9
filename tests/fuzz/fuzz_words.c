/* What small texts say: moments, lengths of time, addresses and blocks of them, places in the log, ids,
 * units of prices. Whatever is read is in its bounds, and what is written of it reads as the same. */
#include "fuzz.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/secret.h"
#include "http/request.h"
#include "identity/key.h"
#include "logs/search.h"
#include "model/price.h"
#include "routing/fallback.h"
#include "translation/figures.h"

#define YEAR_MS (INT64_C(366) * 24 * 3600 * 1000)

static void moments(struct str in)
{
    static const int64_t now_us[] = {0, INT64_C(1760000000000000), INT64_C(253402300799000000)};
    char text[CLOCK_RFC3339_SIZE];
    int64_t us, again, ms;

    if (clock_parse_rfc3339(in, &us)) {
        clock_rfc3339(us, text);
        HOLDS(clock_parse_rfc3339(str_c(text), &again));
        HOLDS(again == us || text[0] == '0' || text[0] == '9'); /* a zone may leave the four digits */
    }
    for (size_t i = 0; i < ARRAY_LEN(now_us); i++) {
        ms = retry_after_ms(in, now_us[i]);
        HOLDS(ms >= -1 && ms <= YEAR_MS);
    }
}

/* Any moment can be written. */
static void instants(struct str in)
{
    struct str bytes = fuzz_take(&in, sizeof(int64_t));
    char text[CLOCK_RFC3339_SIZE];
    int64_t us = 0, again;

    memcpy(&us, bytes.p, bytes.n);
    clock_rfc3339(us, text);
    HOLDS(strlen(text) == CLOCK_RFC3339_SIZE - 1);
    HOLDS(clock_parse_rfc3339(str_c(text), &again));
    HOLDS(again == us || text[0] == '0' || text[0] == '9');
}

static void addresses(struct str in)
{
    struct net_address address, again;
    char text[NET_ADDRESS_TEXT];
    struct key_block key_block;
    struct net_block block;

    if (net_address_parse(in, &address)) {
        net_address_text(&address, text);
        HOLDS(net_address_parse(str_c(text), &again));
        HOLDS(memcmp(again.ip, address.ip, sizeof(again.ip)) == 0);
    }
    if (net_block_parse(in, &block)) {
        HOLDS(block.bits <= 128);
        memcpy(address.ip, block.ip, sizeof(address.ip));
        HOLDS(net_block_has(&block, &address)); /* a block has its first address */
    }
    (void)key_block_parse(in, &key_block);
}

static void places(struct str in)
{
    char text[LOG_CURSOR_TEXT], id_text[CALL_ID_TEXT];
    struct log_cursor cursor, again;
    struct call_id id, same;

    if (log_cursor_parse(in, &cursor)) {
        log_cursor_text(cursor, text);
        HOLDS(log_cursor_parse(str_c(text), &again));
        HOLDS(again.posted_us == cursor.posted_us && again.step == cursor.step &&
              call_id_eq(again.id, cursor.id));
    }
    if (call_id_parse(in, &id)) {
        call_id_text(id, id_text);
        HOLDS(call_id_parse(str_c(id_text), &same) && call_id_eq(id, same));
    }
    HOLDS(!secret_token_wellformed(in, "tg-") || in.n == 52);
}

static void prices(struct str in)
{
    char kind[PRICE_VISUAL_KIND];
    enum usage_unit unit;
    int64_t figure;

    if (price_unit_parse(in, &unit, kind))
        HOLDS(unit < USAGE_UNITS && memchr(kind, '\0', sizeof(kind)) &&
              (!kind[0] || price_kind_fits(unit, kind)));
    if (figure_round_up(in, &figure))
        HOLDS(figure >= 0 && figure <= BOUND_USAGE_QUANTITY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(str_n((const char *)data, size));
    struct str in = {copy, size};

    moments(in);
    instants(in);
    addresses(in);
    places(in);
    prices(in);
    free(copy);
    return 0;
}
