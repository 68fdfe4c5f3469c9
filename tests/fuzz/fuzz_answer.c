/* Answers of upstreams: the same reading whatever the cuts. */
#include "fuzz.h"

#include "tests/unit/fetch/read_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    uint8_t choice = fuzz_byte(&in);
    size_t piece = 1 + fuzz_byte(&in);
    struct reading whole, cut;

    read_answer(in, in.n + 1, choice & 1, choice & 2, &whole);
    read_answer(in, piece, choice & 1, choice & 2, &cut);
    HOLDS(whole.outcome == cut.outcome);
    HOLDS(whole.status == cut.status);
    HOLDS(whole.keep == cut.keep);
    HOLDS(str_eq(buf_str(&whole.headers), buf_str(&cut.headers)));
    HOLDS(str_eq(buf_str(&whole.body), buf_str(&cut.body)));
    HOLDS(whole.outcome != ANSWER_OK || whole.used == cut.used);
    HOLDS(whole.body.n <= in.n);
    reading_done(&whole);
    reading_done(&cut);
    return 0;
}
