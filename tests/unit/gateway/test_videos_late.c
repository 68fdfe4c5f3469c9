/* Jobs whose rows are still to be made are known by their ids, the last ones of them. */
#include "unit.h"

#include "gateway/videos_late.h"

static struct call_id id_of(unsigned n)
{
    return (struct call_id){.b = {1, (uint8_t)(n >> 8), (uint8_t)n}};
}

static void a_job_is_late_until_its_row_is_seen(void **state)
{
    struct videos_late late;

    videos_late_init(&late);
    assert_false(videos_late_has(&late, id_of(1)));
    videos_late_add(&late, id_of(1));
    videos_late_add(&late, id_of(2));
    assert_true(videos_late_has(&late, id_of(1)));
    videos_late_drop(&late, id_of(1));
    videos_late_drop(&late, id_of(3));
    assert_false(videos_late_has(&late, id_of(1)));
    assert_true(videos_late_has(&late, id_of(2)));
    videos_late_done(&late);
}

static void the_last_ones_are_known(void **state)
{
    struct videos_late late;

    videos_late_init(&late);
    for (unsigned n = 0; n <= VIDEOS_LATE; n++)
        videos_late_add(&late, id_of(n));
    assert_false(videos_late_has(&late, id_of(0)));
    assert_true(videos_late_has(&late, id_of(1)));
    assert_true(videos_late_has(&late, id_of(VIDEOS_LATE)));
    videos_late_done(&late);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_late_until_its_row_is_seen),
        cmocka_unit_test(the_last_ones_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
