/* The journal's record: what goes in comes out, whatever is damaged is seen, and what another version
 * wrote is read as far as its field list is the beginning of ours, else refused. */
#include "unit.h"

#include <stdio.h>

#include "base/digest.h"
#include "ledger/entry.h"

/* Where things stand in the head, and the sum that covers what follows it. */
#define AT_FORMAT 3
#define AT_CRC 4
#define AT_SIZE 8
#define AT_SHAPE 12
#define AT_N_CALL 40
#define HEAD_SIZE 48

static struct buf out;

static int setup(void **state)
{
    buf_init(&out, BOUND_JOURNAL_RECORD_BYTES);
    return 0;
}

static int teardown(void **state)
{
    buf_done(&out);
    return 0;
}

/* A different value in each field, so that none can pass for another. */
static int64_t counter;
static char texts[200][24];

static struct str some_text(void)
{
    char *p = texts[++counter % 200];

    return str_n(p, (size_t)snprintf(p, sizeof(texts[0]), "text \1 %lld", (long long)counter));
}

#define FILL_UUID(f) (f) = call_id_new()
#define FILL_ID(f) (f) = ++counter
#define FILL_TIME(f) (f) = INT64_C(1795000000000000) + ++counter * 1000001
#define FILL_I64(f) (f) = INT64_MAX - ++counter
#define FILL_I32(f) (f) = INT32_MIN + (int32_t)++counter
#define FILL_BOOL(f) (f) = true
#define FILL_MONEY(f) (f).nano = -++counter
#define FILL_TEXT(f) (f) = some_text()
#define FILL_JSON(f) (f) = some_text()

#define SAME_UUID(a, b) assert_true(call_id_eq(a, b))
#define SAME_ID(a, b) assert_int_equal(a, b)
#define SAME_TIME(a, b) assert_int_equal(a, b)
#define SAME_I64(a, b) assert_int_equal(a, b)
#define SAME_I32(a, b) assert_int_equal(a, b)
#define SAME_BOOL(a, b) assert_int_equal(a, b)
#define SAME_MONEY(a, b) assert_int_equal((a).nano, (b).nano)
#define SAME_TEXT(a, b)                                             \
    do {                                                            \
        assert_int_equal((a).p == NULL, (b).p == NULL);             \
        assert_int_equal((a).n, (b).n);                             \
        if ((a).n)                                                  \
            assert_memory_equal((a).p, (b).p, (a).n);               \
    } while (0)
#define SAME_JSON(a, b) SAME_TEXT(a, b)

static struct call_record full_record(void)
{
    static struct call_record r;

#define X(name, kind, bound, label) FILL_##kind(r.name);
    RECORD_CALL(X)
    r.attempts = BOUND_ATTEMPTS;
    for (int32_t i = 0; i < r.attempts; i++) {
#undef X
#define X(name, kind, bound, label) FILL_##kind(r.attempt[i].name);
        RECORD_ATTEMPT(X)
#undef X
    }
    return r;
}

static struct call_record empty_record(void)
{
    return (struct call_record){.call_id = call_id_new()};
}

static void assert_same(const struct call_record *a, const struct call_record *b)
{
#define X(name, kind, bound, label) SAME_##kind(a->name, b->name);
    RECORD_CALL(X)
#undef X
    for (int32_t i = 0; i < a->attempts; i++) {
#define X(name, kind, bound, label) SAME_##kind(a->attempt[i].name, b->attempt[i].name);
        RECORD_ATTEMPT(X)
#undef X
    }
}

static struct str put(const struct call_record *r, const struct hold *hold, const int64_t *used)
{
    buf_reset(&out);
    entry_put(&out, ENTRY_END, 77, r, hold, used);
    assert_int_equal(buf_finish(&out), 0);
    return buf_str(&out);
}

static struct entry_view read_back(struct str bytes)
{
    static struct entry_view view;
    struct entry e;
    size_t size;

    assert_int_equal(entry_get(bytes, &e, &size), ENTRY_OK);
    assert_int_equal(size, bytes.n);
    assert_int_equal(e.type, ENTRY_END);
    assert_int_equal(e.session, 77);
    assert_int_equal(entry_view(&e, &view), ENTRY_OK);
    assert_true(call_id_eq(e.call, view.call.call_id));
    return view;
}

static void every_field_comes_out_as_it_went_in(void **state)
{
    struct call_record r = full_record();
    struct entry_view view = read_back(put(&r, NULL, NULL));

    assert_same(&r, &view.call);
    assert_int_equal(view.entry.n_draws, 0);
}

static void what_is_absent_stays_absent(void **state)
{
    struct call_record r = empty_record();
    struct entry_view view = read_back(put(&r, NULL, NULL));

    assert_same(&r, &view.call);
}

/* The call's own stands in the head. */
static void an_id_takes_room_only_where_it_is_another_calls(void **state)
{
    struct call_record r = empty_record();
    const struct call_id ids[] = {{{0}}, r.call_id, call_id_new()};
    size_t none = put(&r, NULL, NULL).n;

    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct entry_view view;

        r.for_call_id = ids[i];
        assert_int_equal(put(&r, NULL, NULL).n, none + (i == 2 ? sizeof(ids[i].b) : 0));
        view = read_back(buf_str(&out));
        assert_same(&r, &view.call);
    }
}

static void draws_are_what_was_used_out_of_the_hold(void **state)
{
    struct cell cells[3] = {{.purse = {5}}, {.purse = {6}}, {.purse = {7}}};
    struct hold hold = {.n = 3,
                        .cell = {&cells[0], &cells[1], &cells[2]},
                        .amount = {100, 10, 50},
                        .window_us = {INT64_MIN, 1795000000000000, 3}};
    struct call_record r = empty_record();
    struct entry_view view = read_back(put(&r, &hold, (int64_t[]){70, 12, 0}));

    assert_int_equal(view.entry.n_draws, 2); /* what was not used is no draw */
    assert_int_equal(view.draws[0].purse.v, 5);
    assert_int_equal(view.draws[0].window_us, INT64_MIN);
    assert_int_equal(view.draws[0].taken, 70);
    assert_int_equal(view.draws[0].used, 70);
    assert_int_equal(view.draws[1].purse.v, 6);
    assert_int_equal(view.draws[1].window_us, 1795000000000000);
    assert_int_equal(view.draws[1].taken, 10); /* no more than the lease gave */
    assert_int_equal(view.draws[1].used, 12);
}

/* Behind the draws; no other record has the room. */
static void what_a_shadow_has_is_kept_and_costs_others_nothing(void **state)
{
    struct cell cell = {.purse = {5}};
    struct hold hold = {.n = 1, .cell = {&cell}, .amount = {100}, .window_us = {INT64_MIN}};
    struct call_record r = full_record();
    size_t plain = put(&r, &hold, (int64_t[]){70}).n;
    struct entry_view view;

    r.shadow_of = call_id_new();
    r.shadowed_model_id = INT64_MAX;
    view = read_back(put(&r, &hold, (int64_t[]){70}));
    assert_same(&r, &view.call);
    assert_int_equal(view.entry.n_draws, 1);
    assert_true(call_id_eq(view.call.shadow_of, r.shadow_of));
    assert_int_equal(view.call.shadowed_model_id, INT64_MAX);
    assert_true(call_record_is_shadow(&view.call));
    r.shadow_of = (struct call_id){{0}};
    assert_int_equal(put(&r, &hold, (int64_t[]){70}).n, plain);
    view = read_back(put(&r, &hold, (int64_t[]){70}));
    assert_false(call_record_is_shadow(&view.call));
    assert_int_equal(view.call.shadowed_model_id, 0);
}

static struct video_record full_job(struct call_id call)
{
    struct video_record v;

#define X(name, kind, bound, label) FILL_##kind(v.name);
    RECORD_VIDEO(X)
#undef X
    v.call_id = call;
    return v;
}

/* Behind the draws, too. */
static void the_job_of_a_video_is_kept_and_costs_others_nothing(void **state)
{
    struct cell cell = {.purse = {5}};
    struct hold hold = {.n = 1, .cell = {&cell}, .amount = {100}, .window_us = {INT64_MIN}};
    static struct entry_view view;
    struct call_record r = full_record();
    const struct video_record job = full_job(r.call_id);
    size_t plain = put(&r, &hold, (int64_t[]){70}).n;
    struct entry e;

    r.video = &job;
    e = entry_known(put(&r, &hold, (int64_t[]){70}));
    assert_int_equal(entry_view(&e, &view), ENTRY_OK);
    assert_same(&r, &view.call);
    assert_int_equal(view.entry.n_draws, 1);
    assert_ptr_equal(view.call.video, &view.video);
#define X(name, kind, bound, label) SAME_##kind(view.video.name, job.name);
    RECORD_VIDEO(X)
#undef X
    assert_false(call_record_is_shadow(&view.call));
    r.video = NULL;
    assert_int_equal(put(&r, &hold, (int64_t[]){70}).n, plain);
    e = entry_known(buf_str(&out));
    assert_int_equal(entry_view(&e, &view), ENTRY_OK);
    assert_null(view.call.video);
}

/* The bytes end with the last field, which is absent: 0. */
static void a_job_of_an_earlier_version_is_read(void **state)
{
    static struct entry_view view;
    struct call_record r = empty_record();
    struct video_record job = full_job(r.call_id);
    struct entry e;

    job.error_message = STR_NONE;
    r.video = &job;
    e = entry_known(put(&r, NULL, NULL));
    e.body.n--;
    assert_int_equal(entry_view(&e, &view), ENTRY_E_BROKEN);
    e.n_video--;
    assert_int_equal(entry_view(&e, &view), ENTRY_OK);
    assert_true(str_eq(view.video.error_code, job.error_code));
    assert_null(view.video.error_message.p);
}

/* It counts in its minute, and is no lease's. */
static void of_a_share_nothing_is_drawn_from_the_lease(void **state)
{
    struct cell cell = {.purse = {5}};
    struct hold hold = {.n = 1,
                        .cell = {&cell},
                        .amount = {100},
                        .window_us = {1795000020000000 + CELL_SHARE_US}};
    struct call_record r = empty_record();
    struct entry_view view = read_back(put(&r, &hold, (int64_t[]){70}));

    assert_int_equal(view.entry.n_draws, 1);
    assert_int_equal(view.draws[0].window_us, 1795000020000000);
    assert_int_equal(view.draws[0].taken, 0);
    assert_int_equal(view.draws[0].used, 70);
}

static void every_cut_is_seen(void **state)
{
    struct call_record r = full_record();
    struct str bytes = put(&r, NULL, NULL);

    for (size_t n = 0; n < bytes.n; n++) {
        struct entry e;
        size_t size;

        assert_int_equal(entry_get(str_n(bytes.p, n), &e, &size), ENTRY_E_TORN);
    }
}

static void every_flipped_bit_is_seen(void **state)
{
    struct call_record r = full_record();
    struct str bytes = put(&r, NULL, NULL);

    for (size_t bit = 0; bit < bytes.n * 8; bit++) {
        struct entry e;
        size_t size;

        out.p[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_not_equal(entry_get(bytes, &e, &size), ENTRY_OK);
        out.p[bit / 8] ^= (char)(1 << bit % 8);
    }
    (void)read_back(bytes);
}

/* A loss of power may leave the length of a file without its bytes. */
static void a_count_of_attempts_that_no_call_has_is_broken(void **state)
{
    static const int32_t counts[] = {-1, INT32_MIN, BOUND_ATTEMPTS + 1, INT32_MAX};
    static struct entry_view view;
    struct entry e;
    size_t size;

    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        struct call_record r = empty_record();

        r.attempts = counts[i];
        assert_int_equal(entry_get(put(&r, NULL, NULL), &e, &size), ENTRY_OK);
        assert_int_equal(entry_view(&e, &view), ENTRY_E_BROKEN);
    }
}

static void zeros_are_no_record(void **state)
{
    static const char zeros[4096];
    struct entry e;
    size_t size;

    assert_int_equal(entry_get(str_n(zeros, sizeof(zeros)), &e, &size), ENTRY_E_TORN);
    assert_int_equal(entry_get(str_n(zeros, 1), &e, &size), ENTRY_E_TORN);
}

static void put_u32(size_t at, uint32_t v)
{
    memcpy(out.p + at, &v, sizeof(v));
}

static uint32_t get_u32(size_t at)
{
    uint32_t v;

    memcpy(&v, out.p + at, sizeof(v));
    return v;
}

/* The bytes in `out` as some other program might have written them. */
static struct str signed_again(void)
{
    put_u32(AT_CRC, digest_crc32c(0, out.p + AT_SIZE, out.n - AT_SIZE));
    return buf_str(&out);
}

static void another_format_is_foreign(void **state)
{
    struct call_record r = full_record();
    struct entry e;
    size_t size;

    for (int other = -1; other <= 1; other += 2) {
        (void)put(&r, NULL, NULL);
        out.p[AT_FORMAT] = (char)(out.p[AT_FORMAT] + other);
        assert_int_equal(entry_get(signed_again(), &e, &size), ENTRY_E_FOREIGN);
    }
}

/* The sum over the list's beginning without its last n fields. */
static uint32_t shorter_shape(size_t without)
{
#define X(name, kind, bound, label) #name ":" #kind,
    static const char *const call[] = {RECORD_CALL(X)};
    static const char *const attempt[] = {RECORD_ATTEMPT(X)};
#undef X
    uint32_t crc = 0;

    for (size_t i = 0; i < ARRAY_LEN(call) - without; i++)
        crc = digest_crc32c(crc, call[i], strlen(call[i]) + 1);
    for (size_t i = 0; i < ARRAY_LEN(attempt); i++)
        crc = digest_crc32c(crc, attempt[i], strlen(attempt[i]) + 1);
    return crc;
}

/* As a version would have written it that did not know the last field of a call yet; the bytes end
 * with that field (absent: 0) and the count of draws (0). */
static struct str without_last_field(const struct call_record *r)
{
    uint16_t n_call;

    (void)put(r, NULL, NULL);
    assert_int_equal(get_u32(AT_SHAPE), shorter_shape(0));
    assert_int_equal(out.p[out.n - 1], 0);
    assert_int_equal(out.p[out.n - 2], 0);
    out.n--;
    put_u32(AT_SIZE, (uint32_t)(out.n - HEAD_SIZE));
    memcpy(&n_call, out.p + AT_N_CALL, sizeof(n_call));
    n_call--;
    memcpy(out.p + AT_N_CALL, &n_call, sizeof(n_call));
    put_u32(AT_SHAPE, shorter_shape(1));
    return signed_again();
}

static void what_an_earlier_version_wrote_is_read(void **state)
{
    struct call_record r = empty_record();
    struct entry_view view;

    r.team_id = 12;
    r.hold_nano.nano = 34;
    view = read_back(without_last_field(&r));
    assert_same(&r, &view.call);
}

static void a_record_of_another_list_is_foreign(void **state)
{
    struct call_record r = empty_record();
    struct entry e;
    size_t size;

    (void)without_last_field(&r);
    put_u32(AT_SHAPE, shorter_shape(1) + 1);
    assert_int_equal(entry_get(signed_again(), &e, &size), ENTRY_E_FOREIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_out_as_it_went_in),
        cmocka_unit_test(what_is_absent_stays_absent),
        cmocka_unit_test(an_id_takes_room_only_where_it_is_another_calls),
        cmocka_unit_test(draws_are_what_was_used_out_of_the_hold),
        cmocka_unit_test(what_a_shadow_has_is_kept_and_costs_others_nothing),
        cmocka_unit_test(the_job_of_a_video_is_kept_and_costs_others_nothing),
        cmocka_unit_test(a_job_of_an_earlier_version_is_read),
        cmocka_unit_test(of_a_share_nothing_is_drawn_from_the_lease),
        cmocka_unit_test(every_cut_is_seen),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(a_count_of_attempts_that_no_call_has_is_broken),
        cmocka_unit_test(zeros_are_no_record),
        cmocka_unit_test(another_format_is_foreign),
        cmocka_unit_test(what_an_earlier_version_wrote_is_read),
        cmocka_unit_test(a_record_of_another_list_is_foreign),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
