/* One loop: descriptors, timers, hooks, messages from other threads, frees. */
#include "unit.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "loop/loop.h"

struct pair {
    struct loop_fd w;
    int other;
    struct pair *twin; /* removed when this one is ready */
    int calls;
    uint32_t events;
};

static void pair_ready(struct loop_fd *w, uint32_t events)
{
    struct pair *p = container_of(w, struct pair, w);

    p->calls++;
    p->events = events;
    if (p->twin)
        loop_fd_del(&p->twin->w);
    loop_stop(w->loop);
}

static void pair_open(struct pair *p)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    *p =
        (struct pair){.w = {.fd = fds[0], .events = EPOLLIN, .ready = pair_ready}, .other = fds[1]};
}

static void pair_close(struct pair *p)
{
    loop_fd_del(&p->w);
    loop_fd_del(&p->w); /* safe twice */
    close(p->w.fd);
    close(p->other);
}

static void readable_descriptor_is_called(void **state)
{
    struct loop *l = loop_new("test");
    struct pair p;

    pair_open(&p);
    assert_int_equal(loop_fd_add(l, &p.w), 0);
    assert_int_equal(write(p.other, "x", 1), 1);
    assert_int_equal(loop_run(l), 0);
    assert_int_equal(p.calls, 1);
    assert_int_equal(p.events, EPOLLIN);
    pair_close(&p);
    loop_free(l);
}

static void event_of_the_same_turn_is_dropped_when_removed(void **state)
{
    struct loop *l = loop_new("test");
    struct pair a, b;

    pair_open(&a);
    pair_open(&b);
    a.twin = &b;
    b.twin = &a;
    assert_int_equal(loop_fd_add(l, &a.w), 0);
    assert_int_equal(loop_fd_add(l, &b.w), 0);
    assert_int_equal(write(a.other, "x", 1), 1);
    assert_int_equal(write(b.other, "x", 1), 1);
    assert_int_equal(loop_run(l), 0);
    assert_int_equal(a.calls + b.calls, 1);
    pair_close(&a);
    pair_close(&b);
    loop_free(l);
}

static void mod_changes_what_is_waited_for(void **state)
{
    struct loop *l = loop_new("test");
    struct pair p;

    pair_open(&p);
    assert_int_equal(loop_fd_add(l, &p.w), 0);
    assert_int_equal(loop_fd_mod(&p.w, EPOLLOUT), 0);
    assert_int_equal(write(p.other, "x", 1), 1);
    assert_int_equal(loop_run(l), 0);
    assert_int_equal(p.events, EPOLLOUT);
    pair_close(&p);
    loop_free(l);
}

static void closed_first_and_removed_later_is_no_error(void **state)
{
    struct loop *l = loop_new("test");
    struct pair p;

    pair_open(&p);
    assert_int_equal(loop_fd_add(l, &p.w), 0);
    close(p.w.fd);
    loop_fd_del(&p.w);
    assert_null(p.w.loop);
    close(p.other);
    loop_free(l);
}

struct alarm {
    struct loop_timer t;
    struct loop *l;
    int64_t rearm_ms; /* 0: stop the loop */
    int fired;
};

static void alarm_fired(struct loop_timer *t)
{
    struct alarm *a = container_of(t, struct alarm, t);

    assert_null(t->loop); /* not armed any more */
    a->fired++;
    if (a->fired < 5 && a->rearm_ms)
        assert_int_equal(loop_timer_set(a->l, t, loop_now_ms(a->l) + a->rearm_ms), 0);
    else
        loop_stop(a->l);
}

static void timer_fires_in_its_time_and_rearms(void **state)
{
    struct loop *l = loop_new("test");
    struct alarm a = {.t.fired = alarm_fired, .l = l, .rearm_ms = 3};
    int64_t start = clock_mono_ms();

    assert_int_equal(loop_timer_set(l, &a.t, start + 3), 0);
    assert_int_equal(loop_run(l), 0);
    assert_int_equal(a.fired, 5);
    assert_true(clock_mono_ms() - start >= 15);
    loop_timer_clear(&a.t);
    loop_free(l);
}

static void timer_armed_for_now_lets_the_turn_end(void **state)
{
    struct loop *l = loop_new("test");
    struct alarm a = {.t.fired = alarm_fired, .l = l, .rearm_ms = -1};

    assert_int_equal(loop_timer_set(l, &a.t, 0), 0);
    assert_int_equal(loop_run(l), 0);
    assert_int_equal(a.fired, 5);
    loop_free(l);
}

struct turn_alarm {
    struct loop_timer t;
    struct loop_hook h;
    struct loop *l;
    int fired, turns;
};

static void fired_again(struct loop_timer *t)
{
    struct turn_alarm *a = container_of(t, struct turn_alarm, t);

    a->fired++;
    assert_int_equal(loop_timer_set(a->l, t, 0), 0);
}

static void stop_after_some(struct loop_hook *h, int *timeout_ms)
{
    struct turn_alarm *a = container_of(h, struct turn_alarm, h);

    assert_in_range(a->fired, a->turns, a->turns + 1);
    assert_int_equal(*timeout_ms, 0);
    if (++a->turns == 10)
        loop_stop(a->l);
}

/* However many others there are, of whatever time. */
static void timer_armed_for_now_fires_once_a_turn(void **state)
{
    static struct loop_timer others[100];
    struct loop *l = loop_new("test");
    struct turn_alarm a = {.t.fired = fired_again, .h.turn = stop_after_some, .l = l};

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(loop_timer_set(l, &others[i], INT64_MAX), 0);
    loop_hook_add(l, &a.h);
    assert_int_equal(loop_timer_set(l, &a.t, 0), 0);
    assert_int_equal(loop_run(l), 0);
    assert_int_equal(a.turns, 10);
    loop_hook_del(&a.h);
    loop_free(l);
}

enum { MANY = 300 };
static struct alarm many[MANY];
static int64_t last_at_ms;
static int many_fired;

static void many_check(struct loop_timer *t)
{
    struct alarm *a = container_of(t, struct alarm, t);

    assert_true(t->at_ms >= last_at_ms);
    last_at_ms = t->at_ms;
    a->fired++;
    many_fired++;
}

static void timers_fire_in_order_whatever_happens_before(void **state)
{
    struct loop *l = loop_new("test");
    struct alarm end = {.t.fired = alarm_fired, .l = l};
    int expected = 0;

    random_drive(5);
    for (int step = 0; step < 5000; step++) {
        struct alarm *a = &many[random_below(MANY)];

        a->t.fired = many_check;
        if (random_below(3))
            assert_int_equal(loop_timer_set(l, &a->t, 1 + random_below(1000)), 0);
        else
            loop_timer_clear(&a->t);
    }
    random_undrive();
    for (int i = 0; i < MANY; i++)
        expected += many[i].t.loop != NULL;
    assert_int_equal(loop_timer_set(l, &end.t, 1001), 0);
    assert_int_equal(loop_run(l), 0);
    assert_int_equal(many_fired, expected);
    for (int i = 0; i < MANY; i++)
        assert_true(many[i].fired <= 1);
    loop_free(l);
}

static void freeing_a_loop_disarms_its_timers(void **state)
{
    struct loop *l = loop_new("test");
    struct alarm a = {.t.fired = alarm_fired, .l = l};

    assert_int_equal(loop_timer_set(l, &a.t, INT64_MAX), 0);
    loop_free(l);
    assert_null(a.t.loop);
}

struct counting_hook {
    struct loop_hook h;
    struct loop *l;
    struct counting_hook *victim;
    int turns, stop_at, timeout_ms;
};

static void count_turn(struct loop_hook *h, int *timeout_ms)
{
    struct counting_hook *c = container_of(h, struct counting_hook, h);

    c->timeout_ms = *timeout_ms;
    *timeout_ms = 1;
    if (c->victim) {
        loop_hook_del(&c->victim->h);
        c->victim = NULL;
    }
    if (++c->turns == c->stop_at)
        loop_stop(c->l);
}

static void hook_may_shorten_the_sleep(void **state)
{
    struct loop *l = loop_new("test");
    struct counting_hook c = {.h.turn = count_turn, .l = l, .stop_at = 3};

    loop_hook_add(l, &c.h);
    assert_int_equal(loop_run(l), 0); /* would sleep for ever after the first turn */
    assert_int_equal(c.turns, 3);
    assert_int_equal(c.timeout_ms, -1);
    loop_hook_del(&c.h);
    loop_hook_del(&c.h);
    loop_free(l);
}

static void hook_may_remove_the_next_one(void **state)
{
    struct loop *l = loop_new("test");
    struct counting_hook second = {.h.turn = count_turn, .l = l};
    struct counting_hook first = {.h.turn = count_turn, .l = l, .stop_at = 2, .victim = &second};

    loop_hook_add(l, &first.h);
    loop_hook_add(l, &second.h);
    assert_int_equal(loop_run(l), 0);
    assert_int_equal(first.turns, 2);
    assert_int_equal(second.turns, 0);
    loop_free(l);
}

enum { SENDERS = 4, MESSAGES = 5000 };

struct note {
    struct loop_msg m;
    struct mailbox *to;
    int sender, number;
};

struct mailbox {
    struct loop *l;
    int got, next_number[SENDERS];
    struct note notes[SENDERS][MESSAGES];
};

static void note_arrived(struct loop_msg *m)
{
    struct note *n = container_of(m, struct note, m);

    assert_int_equal(n->number, n->to->next_number[n->sender]);
    n->to->next_number[n->sender]++;
    if (++n->to->got == SENDERS * MESSAGES)
        loop_stop(n->to->l);
}

static void *send_all(void *arg)
{
    struct note *notes = arg;

    for (int i = 0; i < MESSAGES; i++)
        loop_post(notes[i].to->l, &notes[i].m);
    return NULL;
}

static void messages_of_many_threads_arrive_once_and_in_order(void **state)
{
    static struct mailbox box;
    pthread_t threads[SENDERS];

    box.l = loop_new("test");
    for (int s = 0; s < SENDERS; s++) {
        for (int i = 0; i < MESSAGES; i++)
            box.notes[s][i] = (struct note){{NULL, note_arrived}, &box, s, i};
        assert_int_equal(pthread_create(&threads[s], NULL, send_all, box.notes[s]), 0);
    }
    assert_int_equal(loop_run(box.l), 0);
    for (int s = 0; s < SENDERS; s++)
        assert_int_equal(pthread_join(threads[s], NULL), 0);
    assert_int_equal(box.got, SENDERS * MESSAGES);
    loop_free(box.l);
}

static void messages_left_at_the_end_still_run(void **state)
{
    static struct mailbox box;
    struct note n = {{NULL, note_arrived}, &box, 0, 0};

    box.l = loop_new("test");
    loop_post(box.l, &n.m);
    loop_free(box.l);
    assert_int_equal(box.got, 1);
}

static struct loop *free_loop;
static int freed;

static void count_free(void *p)
{
    freed++;
    if (p)
        loop_free_later(free_loop, count_free, NULL);
}

static void ask_for_free(struct loop_timer *t)
{
    for (int i = 0; i < 200; i++)
        loop_free_later(free_loop, count_free, t);
    assert_int_equal(freed, 0);
    loop_stop(free_loop);
}

static void frees_wait_for_the_end_of_the_turn(void **state)
{
    struct loop_timer t = {.fired = ask_for_free};

    free_loop = loop_new("test");
    assert_int_equal(loop_timer_set(free_loop, &t, 0), 0);
    assert_int_equal(loop_run(free_loop), 0);
    assert_int_equal(freed, 400);
    loop_free(free_loop);
}

static void *is_it_mine(void *arg)
{
    return loop_is_mine(arg) ? arg : NULL;
}

static void check_owner(struct loop_timer *t)
{
    struct alarm *a = container_of(t, struct alarm, t);
    pthread_t other;
    void *mine = a;

    assert_true(loop_is_mine(a->l));
    assert_int_equal(pthread_create(&other, NULL, is_it_mine, a->l), 0);
    assert_int_equal(pthread_join(other, &mine), 0);
    assert_null(mine);
    loop_stop(a->l);
}

static void running_loop_belongs_to_its_thread(void **state)
{
    struct loop *l = loop_new("test");
    struct alarm a = {.t.fired = check_owner, .l = l};

    assert_true(loop_is_mine(l));
    assert_int_equal(loop_timer_set(l, &a.t, 0), 0);
    assert_int_equal(loop_run(l), 0);
    loop_free(l);
    loop_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readable_descriptor_is_called),
        cmocka_unit_test(event_of_the_same_turn_is_dropped_when_removed),
        cmocka_unit_test(mod_changes_what_is_waited_for),
        cmocka_unit_test(closed_first_and_removed_later_is_no_error),
        cmocka_unit_test(timer_fires_in_its_time_and_rearms),
        cmocka_unit_test(timer_armed_for_now_lets_the_turn_end),
        cmocka_unit_test(timer_armed_for_now_fires_once_a_turn),
        cmocka_unit_test(timers_fire_in_order_whatever_happens_before),
        cmocka_unit_test(freeing_a_loop_disarms_its_timers),
        cmocka_unit_test(hook_may_shorten_the_sleep),
        cmocka_unit_test(hook_may_remove_the_next_one),
        cmocka_unit_test(messages_of_many_threads_arrive_once_and_in_order),
        cmocka_unit_test(messages_left_at_the_end_still_run),
        cmocka_unit_test(frees_wait_for_the_end_of_the_turn),
        cmocka_unit_test(running_loop_belongs_to_its_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
