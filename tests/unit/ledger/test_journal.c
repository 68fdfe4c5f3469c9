/* The journal against a real PostgreSQL: kills, torn ends, batches sent twice, what is too large. */
#include "ledger/journal_money.h"

#include <dirent.h>
#include <sys/wait.h>

static void cut(struct call_record *r, int64_t charge)
{
    r->charge_nano = (struct money){charge};
    r->outcome = STR("cut");
    r->basis = STR("cut");
}

DB_QUERY(test_late, "SELECT count(*) AS v FROM transfer WHERE team_id = $1 AND code = 'LATE_USAGE'")
DB_QUERY(test_cut, "SELECT count(*) AS v FROM call WHERE team_id = $1 AND basis = 'cut'")

static void take(struct node *node, struct key_purses *p, struct hold *hold, int64_t amount)
{
    struct hold_want want = {p->cell[LIMIT_WALLET], amount, amount * 20};
    struct caller c;

    caller_init(&c, node);
    assert_int_equal(caller_hold(&c, hold, &want, 1), HOLD_OK);
}

static struct key_purses *purses(struct node *node)
{
    return money_purses(&t, node, &(struct key_limits){.team = t.team, .key = t.key});
}

static void a_call_is_charged_once_and_its_hold_ends(void **state)
{
    struct node *node = money_node(&t, "one");
    struct journal *j = journal(node);
    struct key_purses *p = purses(node);
    struct call_record r = record(700);
    struct journal_mark mark = {0};
    struct hold hold = {0};
    int64_t before = charged(), calls = money_figure(&t, &test_calls, t.team.v), posted, leased;

    take(node, p, &hold, 1000);
    assert_int_equal(journal_begin(j, 0, &mark, &r, &hold), 0);
    assert_int_equal(journal_end(j, 0, &mark, &r, &hold, (int64_t[]){700}), 0);
    hold_end(node, &hold, (int64_t[]){700});
    wait_settled(j, 1);
    assert_int_equal(charged() - before, 700);
    assert_int_equal(money_figure(&t, &test_calls, t.team.v) - calls, 1);
    journal_free(j, 1000);
    key_purses_free(p);
    node_free(node);
    money_wallet(&t, t.team, &posted, &leased);
    assert_int_equal(leased, 0);
}

/* In a child, so that it can be killed like the server: some calls ended, one is in flight; with
 * `ended` below 0 it holds something and has written nothing. */
_noreturn_ static void child(int64_t ended, bool progress)
{
    struct node_config config = {.conninfo = t.p.pg.app_conninfo, .name = "child",
                                 .version = "test"};
    struct jobs_config lane = {.name = "money", .threads = 1, .queue_max = 10,
                               .worker_new = money_worker, .worker_free = money_worker_free,
                               .ctx = t.p.pg.app_conninfo};
    struct journal_config jc = {.conninfo = "host=/nowhere connect_timeout=1", .dir = dir,
                                .writers = 1};
    struct db *db;
    struct journal *j;
    struct key_purses *p;

    if (jobs_new(&lane, &config.lane) || db_open(t.p.pg.app_conninfo, "child", &db) ||
        node_new(&config, db, &jc.node) || journal_new(&jc, &j) ||
        limits_open(jc.node, db, &(struct key_limits){.team = t.team, .key = t.key}, &p))
        _exit(1);
    if (ended < 0)
        take(jc.node, p, &(struct hold){0}, 1000);
    for (int64_t i = 0; i <= ended; i++) {
        struct call_record r = record(0);
        struct journal_mark mark = {0};
        struct hold hold = {0};

        take(jc.node, p, &hold, 1000);
        cut(&r, 0);
        if (journal_begin(j, 0, &mark, &r, &hold))
            _exit(2);
        cut(&r, 60);
        if (progress && journal_progress(j, 0, &mark, &r, &hold, (int64_t[]){60}))
            _exit(3);
        if (i == ended)
            break; /* the one in flight */
        r.charge_nano.nano = 700;
        r.basis = STR("provider");
        r.outcome = STR("ok");
        if (journal_end(j, 0, &mark, &r, &hold, (int64_t[]){700}))
            _exit(4);
    }
    kill(getpid(), SIGKILL);
    _exit(5);
}

static void run_child(int64_t ended, bool progress)
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        child(ended, progress);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void replay(uint64_t calls)
{
    struct node *node = money_node(&t, "again");
    struct journal *j = journal(node);
    struct journal_view view;

    wait_settled(j, calls);
    journal_read(j, &view);
    assert_int_equal(view.replayed, calls);
    journal_free(j, 2000);
    node_free(node);
}

static void what_a_killed_node_had_ended_is_charged_once(void **state)
{
    int64_t before = charged(), calls = money_figure(&t, &test_calls, t.team.v);
    int64_t cuts = money_figure(&t, &test_cut, t.team.v);
    int64_t posted, leased;

    run_child(5, true);
    replay(6);
    assert_int_equal(charged() - before, 5 * 700 + 60);
    assert_int_equal(money_figure(&t, &test_calls, t.team.v) - calls, 6);
    assert_int_equal(money_figure(&t, &test_cut, t.team.v) - cuts, 1);
    money_wallet(&t, t.team, &posted, &leased);
    assert_int_equal(leased, 0); /* the dead session is closed */
    replay(0);
}

static void what_a_killed_node_held_without_a_record_is_free_again(void **state)
{
    int64_t before, posted, leased;

    money_wallet(&t, t.team, &posted, &before);
    run_child(-1, false);
    money_wallet(&t, t.team, &posted, &leased);
    assert_true(leased > before);
    replay(0);
    money_wallet(&t, t.team, &posted, &leased);
    assert_int_equal(leased, before);
}

static void a_call_that_delivered_nothing_is_charged_nothing(void **state)
{
    int64_t before = charged(), calls = money_figure(&t, &test_calls, t.team.v);

    run_child(0, false);
    replay(1);
    assert_int_equal(charged() - before, 0);
    assert_int_equal(money_figure(&t, &test_calls, t.team.v) - calls, 1);
}

static void each_file(void (*fn)(const char *path))
{
    char path[512];
    DIR *slot;

    snprintf(path, sizeof(path), "%s/0", dir);
    slot = opendir(path);
    assert_non_null(slot);
    for (struct dirent *d = readdir(slot); d; d = readdir(slot))
        if (str_ends(str_c(d->d_name), STR(".journal"))) {
            snprintf(path, sizeof(path), "%s/0/%s", dir, d->d_name);
            fn(path);
        }
    closedir(slot);
}

/* Of its records: zeros may follow. */
static int64_t size_of(const char *path)
{
    static char bytes[16 << 20];
    FILE *f = fopen(path, "re");
    size_t n;

    assert_non_null(f);
    n = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    while (n && !bytes[n - 1])
        n--;
    return (int64_t)n;
}

/* As a loss of power may leave it. */
static void tear(const char *path)
{
    assert_int_equal(truncate(path, size_of(path) - 7), 0);
}

/* As a process leaves it that dies while it stores a record. */
static void tear_to_zeros(const char *path)
{
    int64_t size = size_of(path);

    tear(path);
    assert_int_equal(truncate(path, size + 4096), 0);
}

static void a_torn_last_record_is_as_if_it_was_not_written(void **state)
{
    int64_t before = charged();

    run_child(2, true);
    each_file(tear); /* of the PROGRESS of the call in flight: its BEGIN counts */
    replay(3);
    assert_int_equal(charged() - before, 2 * 700);
}

static void a_record_that_was_half_stored_is_as_if_it_was_not(void **state)
{
    int64_t before = charged();

    run_child(2, true);
    each_file(tear_to_zeros);
    replay(3);
    assert_int_equal(charged() - before, 2 * 700);
}

static void overwrite(const char *path, const char *bytes, off_t at)
{
    int fd = open(path, O_RDWR);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, 1, at), 1);
    close(fd);
}

static void damage(const char *path)
{
    overwrite(path, "#", 100);
}

static void damage_last(const char *path)
{
    overwrite(path, "\x7f", size_of(path) - 1); /* a count of draws that no record has */
}

/* Byte 3 of a record tells the format. */
static void make_foreign(const char *path)
{
    overwrite(path, "\xff", 3);
}

/* The page that holds the end of the first call is lost, those around it are not. */
static void lose_a_page(const char *path)
{
    static const char zeros[4096];
    int fd = open(path, O_RDWR);

    assert_true(fd >= 0);
    assert_true(size_of(path) > 3 * 4096);
    assert_int_equal(pwrite(fd, zeros, sizeof(zeros), 4096), sizeof(zeros));
    close(fd);
}

/* Zeros in the middle of a page are no loss of power. */
static void zero_a_record(const char *path)
{
    static const char zeros[200];
    int fd = open(path, O_RDWR);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, zeros, sizeof(zeros), 4196), sizeof(zeros));
    close(fd);
}

static int start_after_calls(unsigned calls, void (*change)(const char *path));

static int start_after(void (*change)(const char *path))
{
    return start_after_calls(2, change);
}

static int start_after_calls(unsigned calls, void (*change)(const char *path))
{
    struct node *node = money_node(&t, "one");
    struct journal_config config = {.conninfo = t.p.pg.app_conninfo, .dir = dir, .writers = 1,
                                    .node = node};
    struct journal *j = NULL;
    int r;

    run_child(calls, true);
    each_file(change);
    r = journal_new(&config, &j);
    journal_free(j, 2000);
    node_free(node);
    return r;
}

static void a_damaged_record_refuses_the_start(void **state)
{
    assert_int_equal(start_after(damage), JOURNAL_E_BROKEN);
}

static void another_versions_record_refuses_the_start(void **state)
{
    int64_t before = charged();

    assert_int_equal(start_after(make_foreign), JOURNAL_E_FOREIGN);
    assert_int_equal(charged(), before);
}

static void pages_that_a_loss_of_power_took_are_passed_over(void **state)
{
    int64_t before = charged(), calls;

    assert_int_equal(start_after_calls(40, lose_a_page), JOURNAL_OK);
    calls = (charged() - before) / 700;
    assert_in_range(calls, 40 - 12, 40 - 1); /* nearly all; none of the page twice or otherwise */
}

static void a_record_of_zeros_refuses_the_start(void **state)
{
    assert_int_equal(start_after_calls(40, zero_a_record), JOURNAL_E_BROKEN);
}

/* What was being written when the power went. */
static void a_damaged_last_record_is_as_if_it_was_not_written(void **state)
{
    int64_t before = charged();

    assert_int_equal(start_after(damage_last), JOURNAL_OK);
    assert_int_equal(charged() - before, 2 * 700);
}

static char copied[512];
static void copy_aside(const char *path)
{
    char command[1200];

    snprintf(copied, sizeof(copied), "%s", path);
    snprintf(command, sizeof(command), "cp %s %s/aside", path, dir);
    assert_int_equal(system(command), 0);
}

static void the_same_files_again_charge_nothing(void **state)
{
    char command[1200];
    int64_t after;

    run_child(3, true);
    each_file(copy_aside);
    replay(4);
    after = charged();
    snprintf(command, sizeof(command), "cp %s/aside %s", dir, copied);
    assert_int_equal(system(command), 0);
    replay(4);
    assert_int_equal(charged(), after);
}

DB_QUERY(test_reap, "SELECT session_reap(id, hb)::int AS v FROM node_session"
                    " WHERE $1 > 0 AND state = 'live' ORDER BY id DESC LIMIT 1")

static void a_reaped_sessions_usage_is_late_but_real(void **state)
{
    int64_t before = charged(), late = money_figure(&t, &test_late, t.team.v);

    run_child(2, true);
    assert_int_equal(money_figure(&t, &test_reap, 1), 1);
    replay(3);
    assert_int_equal(charged() - before, 2 * 700 + 60);
    assert_int_equal(money_figure(&t, &test_late, t.team.v) - late, 1);
}

/* Sixteen tries with everything at its bound, and text that JSON has to escape. */
static void the_largest_record_is_settled(void **state)
{
    static char ugly[2000];
    struct node *node = money_node(&t, "one");
    struct journal *j = journal(node);
    struct call_record r = record(9);
    int64_t before = charged(), attempts = money_figure(&t, &test_attempts, t.team.v);

    memset(ugly, 1, sizeof(ugly));
    memcpy(ugly, "\xff\0\xed\xa0\x80", 5); /* not UTF-8, NUL, a surrogate */
    r.requested_model = r.served_model = r.user_agent = str_n(ugly, sizeof(ugly));
    r.account_name = r.provider = r.error_code = r.finish_reason = str_n(ugly, sizeof(ugly));
    r.attempts = BOUND_ATTEMPTS;
    for (int32_t i = 0; i < BOUND_ATTEMPTS; i++) {
        r.attempt[i] = r.attempt[0];
        r.attempt[i].ordinal = i + 1;
        r.attempt[i].error_text = r.attempt[i].reason = str_n(ugly, sizeof(ugly));
        r.attempt[i].upstream_model = r.attempt[i].account_name = str_n(ugly, sizeof(ugly));
    }
    call_record_clip(&r);
    assert_int_equal(journal_end(j, 0, NULL, &r, NULL, NULL), 0);
    wait_settled(j, 1);
    assert_int_equal(charged() - before, 9);
    assert_int_equal(money_figure(&t, &test_attempts, t.team.v) - attempts, BOUND_ATTEMPTS);
    journal_free(j, 1000);
    node_free(node);
}

/* What the database can never take is kept aside and named, and does not hold up the others. */
DB_QUERY(test_none, "SELECT count(*) AS v FROM call WHERE team_id = $1 AND provider = 'poison'")
static void a_record_that_cannot_be_settled_stops_no_other(void **state)
{
    struct node *node = money_node(&t, "one");
    struct journal *j = journal(node);
    int64_t before = charged();

    for (int i = 0; i < 10; i++) {
        struct call_record r = record(10);

        if (i == 6) {
            r.provider = STR("poison");
            r.team_id = 999999; /* no such team */
        }
        assert_int_equal(journal_end(j, 0, NULL, &r, NULL, NULL), 0);
    }
    wait_settled(j, 9);
    assert_int_equal(charged() - before, 9 * 10);
    assert_int_equal(money_figure(&t, &test_none, 999999), 0);
    journal_free(j, 1000);
    node_free(node);
}

static void files_leave_when_all_in_them_is_settled(void **state)
{
    struct node *node = money_node(&t, "one");
    struct journal *j = journal(node);

    for (int i = 0; i < 50; i++) {
        struct call_record r = record(1);
        struct journal_mark mark = {0};

        assert_int_equal(journal_begin(j, 0, &mark, &r, NULL), 0);
        assert_int_equal(journal_end(j, 0, &mark, &r, NULL, NULL), 0);
    }
    journal_free(j, 2000);
    node_free(node);
    copied[0] = '\0';
    each_file(copy_aside);
    assert_string_equal(copied, "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh_dir, drop_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_call_is_charged_once_and_its_hold_ends),
        CASE(what_a_killed_node_had_ended_is_charged_once),
        CASE(what_a_killed_node_held_without_a_record_is_free_again),
        CASE(a_call_that_delivered_nothing_is_charged_nothing),
        CASE(a_torn_last_record_is_as_if_it_was_not_written),
        CASE(a_record_that_was_half_stored_is_as_if_it_was_not),
        CASE(a_damaged_record_refuses_the_start),
        CASE(another_versions_record_refuses_the_start),
        CASE(pages_that_a_loss_of_power_took_are_passed_over),
        CASE(a_record_of_zeros_refuses_the_start),
        CASE(a_damaged_last_record_is_as_if_it_was_not_written),
        CASE(the_same_files_again_charge_nothing),
        CASE(a_reaped_sessions_usage_is_late_but_real),
        CASE(the_largest_record_is_settled),
        CASE(a_record_that_cannot_be_settled_stops_no_other),
        CASE(files_leave_when_all_in_them_is_settled),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
