/* main.c: the simulator's command line.
 *
 *   sim --seeds A..B [--jobs N]   every seed from A to B
 *   sim --seed N [--trace]        one, and what happens in it
 *   sim --kept FILE               the seeds in FILE, one a line, # for why
 *   sim --real ...                beside a real PostgreSQL, statement for statement
 *
 * Ends with 1 at the first seed that breaks a rule, saying which and how to see it again. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "pg.h"
#include "seed.h"

#define JOBS_MAX 64
#define LINE_BYTES 256

struct options {
    uint64_t from, to;
    unsigned jobs;
    bool real, tally;
    const char *kept;
};

static struct world world;

/* The real code asserts, or worse: the seed is said before the end. */
static void crashed(int signal)
{
    char text[128];
    int n = snprintf(text, sizeof(text), "FAIL sim seed %" PRIu64 ": signal %d\n", world.seed,
                     signal);

    (void)!write(STDERR_FILENO, text, (size_t)n);
    _exit(1);
}

static void print_tally(const struct world *w, uint64_t seeds)
{
#define SAY(name) printf("  %-14s %" PRIu64 "\n", #name, w->tally.name)
    printf("  %-14s %" PRIu64 "\n", "seeds", seeds);
    SAY(events);
    SAY(calls);
    SAY(admitted);
    SAY(refused);
    SAY(away);
    SAY(finished);
    SAY(late);
    SAY(kills);
    SAY(torn);
    SAY(lost_disks);
    SAY(power);
    SAY(pauses);
    SAY(inner_pauses);
    SAY(outages);
    SAY(jumps);
    SAY(disk_full);
    SAY(drains);
    SAY(lost_requests);
    SAY(lost_replies);
    SAY(stragglers);
    SAY(shared);
    SAY(reaps);
    SAY(overspent_nano);
#undef SAY
}

/* Every jobs-th seed, from the first-th. */
static void run_range(const struct options *o, unsigned first)
{
    struct pg *pg = o->real ? pg_new() : NULL;
    uint64_t n = 0;

    for (uint64_t seed = o->from + first; seed <= o->to; seed += o->jobs, n++)
        seed_run(&world, seed, pg);
    if (o->tally)
        print_tally(&world, n);
    pg_free(pg);
    seed_done(&world);
}

/* In processes of their own; the first that fails fails all. */
static int run_jobs(const struct options *o)
{
    pid_t pids[JOBS_MAX];
    int failed = 0;

    if (o->jobs == 1) {
        run_range(o, 0);
        return 0;
    }
    for (unsigned i = 0; i < o->jobs; i++) {
        fflush(stdout);
        pids[i] = fork();
        if (pids[i] < 0)
            return 1;
        if (pids[i] == 0) {
            run_range(o, i);
            exit(0);
        }
    }
    for (unsigned i = 0; i < o->jobs; i++) {
        int status = 0;

        if (waitpid(pids[i], &status, 0) != pids[i] || status)
            failed = 1;
    }
    return failed;
}

static int run_kept(const struct options *o)
{
    struct options one = *o;
    FILE *f = fopen(o->kept, "re");
    char line[LINE_BYTES];
    uint64_t n = 0;
    int64_t seed;

    if (!f) {
        fprintf(stderr, "sim: cannot read %s\n", o->kept);
        return 2;
    }
    one.tally = false;
    one.jobs = 1;
    while (fgets(line, sizeof(line), f)) {
        struct str rest = str_c(line), word;

        if (!str_split(&rest, ' ', &word) || word.n == 0 || word.p[0] == '#' || word.p[0] == '\n')
            continue;
        if (str_i64(str_trim(word), &seed) != STR_OK) {
            fprintf(stderr, "sim: not a seed: %s", line);
            fclose(f);
            return 2;
        }
        one.from = one.to = (uint64_t)seed;
        run_range(&one, 0);
        n++;
    }
    fclose(f);
    printf("ok sim-kept %" PRIu64 " seeds\n", n);
    return 0;
}

static bool read_range(const char *text, struct options *o)
{
    char *end;

    o->from = strtoull(text, &end, 10);
    if (end == text || strncmp(end, "..", 2) != 0)
        return false;
    text = end + 2;
    o->to = strtoull(text, &end, 10);
    return end != text && *end == '\0' && o->from <= o->to;
}

static bool read_option(int argc, char **argv, int *i, struct options *o)
{
    const char *name = argv[*i], *value = *i + 1 < argc ? argv[*i + 1] : NULL;
    int64_t n;

    if (strcmp(name, "--trace") == 0)
        return world_traced = true;
    if (strcmp(name, "--real") == 0)
        return o->real = true;
    if (strcmp(name, "--tally") == 0)
        return o->tally = true;
    if (!value)
        return false;
    ++*i;
    if (strcmp(name, "--seeds") == 0)
        return read_range(value, o);
    if (strcmp(name, "--kept") == 0)
        return (o->kept = value) != NULL;
    if (str_i64(str_c(value), &n) != STR_OK || n < 0)
        return false;
    if (strcmp(name, "--seed") == 0)
        o->from = o->to = (uint64_t)n;
    else if (strcmp(name, "--jobs") == 0 && n > 0 && n <= JOBS_MAX)
        o->jobs = (unsigned)n;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct options o = {.from = 1, .to = 100, .jobs = 1};

    for (int i = 1; i < argc; i++)
        if (!read_option(argc, argv, &i, &o)) {
            fprintf(stderr, "usage: sim [--seeds A..B] [--seed N] [--kept FILE] [--jobs N] [--real]"
                            " [--trace] [--tally]\n");
            return 2;
        }
    log_set_level(world_traced ? LOG_INFO : LOG_ERROR);
    signal(SIGABRT, crashed);
    signal(SIGSEGV, crashed);
    if (o.kept)
        return run_kept(&o);
    if (run_jobs(&o))
        return 1;
    printf("ok sim-%s %" PRIu64 "..%" PRIu64 "\n", o.real ? "real" : "seeds", o.from, o.to);
    return 0;
}
