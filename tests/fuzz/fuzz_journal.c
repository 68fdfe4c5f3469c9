/* Journal files: any bytes are read, passed over or refused; a record is taken apart within its
 * bytes. The checksum hides the inside from chance, so bodies are tried without it too. */
#include "fuzz.h"

#include "ledger/entry.h"
#include "ledger/replay.h"

static void body(struct str in)
{
    struct entry e = {.type = ENTRY_END};
    struct entry_view view;

    e.n_call = fuzz_byte(&in);
    e.n_attempt = fuzz_byte(&in);
    e.body = in;
    if (entry_view(&e, &view) != ENTRY_OK)
        return;
    HOLDS(view.entry.n_draws <= BOUND_HOLD_PURSES);
    HOLDS(view.call.attempts >= 0);
    HOLDS(!view.call.served_model.p || (view.call.served_model.p >= in.p &&
                                        view.call.served_model.p + view.call.served_model.n <=
                                            in.p + in.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(str_n((const char *)data, size));
    struct str in = {copy, size};
    struct replay *replay = replay_new();
    struct journal_segment *files = segment_of_files();
    struct entry e;
    size_t n = 0;
    int r;

    HOLDS(replay && files);
    r = entry_get(in, &e, &n);
    if (r == ENTRY_OK)
        HOLDS(n <= size && e.body.p >= in.p && e.body.p + e.body.n <= in.p + n);
    r = replay_feed(replay, in, files);
    (void)r;
    body(in);
    replay_free(replay);
    segment_unref(files);
    free(copy);
    return 0;
}
