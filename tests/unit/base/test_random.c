/* test_random.c: names are unlike each other, in every thread and every process. */
#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"

enum { NAMES = 5000 };

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static void names_are_unlike_each_other(void **state)
{
    static uint64_t names[NAMES];

    for (size_t i = 0; i < NAMES; i++)
        random_name(&names[i], sizeof(names[i]));
    qsort(names, NAMES, sizeof(names[0]), compare);
    for (size_t i = 1; i < NAMES; i++)
        assert_true(names[i - 1] != names[i]);
}

/* What parent and child would take next from a stock that both have. */
static void a_child_has_names_of_its_own(void **state)
{
    uint64_t own, childs = 0;
    int pipes[2], status;
    pid_t pid;

    random_name(&own, sizeof(own));
    assert_int_equal(pipe(pipes), 0);
    pid = fork();
    if (pid == 0) {
        random_name(&childs, sizeof(childs));
        _exit(write(pipes[1], &childs, sizeof(childs)) != sizeof(childs));
    }
    random_name(&own, sizeof(own));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(pipes[0], &childs, sizeof(childs)), sizeof(childs));
    assert_true(own != childs);
    close(pipes[0]);
    close(pipes[1]);
}

static void driven_names_repeat(void **state)
{
    uint64_t first[3], again[3];

    random_drive(7);
    for (size_t i = 0; i < ARRAY_LEN(first); i++)
        random_name(&first[i], sizeof(first[i]));
    random_drive(7);
    for (size_t i = 0; i < ARRAY_LEN(again); i++)
        random_name(&again[i], sizeof(again[i]));
    random_undrive();
    assert_memory_equal(first, again, sizeof(first));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unlike_each_other),
        cmocka_unit_test(a_child_has_names_of_its_own),
        cmocka_unit_test(driven_names_repeat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
