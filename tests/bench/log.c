/* log.c: what the pages and checks cost that read the calls: `bench-log GROUP ROWS WEEKS [pages]` makes a
 * past of so many calls of one team (log_rows.sql), then asks for pages as a browser and for lists as a
 * program does, and runs both forms of the checks, unless only pages are wanted. Times are what the
 * server takes, from the request's first byte to the answer's last, over loopback; the first of each is
 * cold for that page and stands beside the median. With PG_FIXTURE_KEEP=DIR the past is made once.
 *
 * Measured on two cores that were busy otherwise (a load of 14), settings as ./run gives them, with 11
 * million calls, of which 36,000 rows of the roll-up:
 *   the log           its first page 30 ms, filters 4 to 29 ms, those that run out of time 85 to 95 ms
 *   overview, usage   85 to 200 ms, of which 15 and 30 ms of processor time
 *   the API's lists   10 ms, those that run out of time 90 ms
 *   checks            each minute 140 ms, over a day 1 s, in full 60 s
 *
 * Ends badly when a page fails, a search tells less or more than the database, or a rule does not hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench.h"

#include "web/visitor.h"

#include "identity/manage_key.h"

#include "logs/findings.h"
#include "logs/log_past.h"

#define ROUNDS 7
#define SIGN_UP "name=Ada+Lovelace&email=ada%40example.org&password=correct+horse+staple&team_name=Acme"

#define SIGN_IN "email=ada%40example.org&password=correct+horse+staple"

static struct browse site;
static struct db *owner;
static char api_key[100]; /* a management key of the large team */

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* As a program that has a management key. */
static char *api_get(const char *path)
{
    char text[512];

    snprintf(text, sizeof(text),
             "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n"
             "Authorization: Bearer %s\r\n\r\n",
             path, site.served.port, api_key);
    return ask(&site.served, text);
}

static double get_ms(const char *path, char **ret_answer)
{
    int64_t began_ns = clock_mono_ns();
    char *answer = str_starts(str_c(path), STR("/api/")) ? api_get(path) : browse_get(&site, path);

    if (status_of(answer) != 200)
        bench_fail("%s: %.200s", path, answer);
    *ret_answer = answer;
    return (double)(clock_mono_ns() - began_ns) / 1e6;
}

/* The first answer is what is returned. */
static char *time_page(const char *group, const char *name, const char *path, const char *goal)
{
    double ms[ROUNDS];
    char text[160], *first = NULL;

    for (int i = 0; i < ROUNDS; i++) {
        char *answer;

        ms[i] = get_ms(path, &answer);
        if (i)
            free(answer);
        else
            first = answer;
    }
    snprintf(text, sizeof(text), "%s, first", name);
    bench_say(group, text, 1, ms[0], "ms", goal);
    qsort(ms, ROUNDS, sizeof(ms[0]), by_value);
    snprintf(text, sizeof(text), "%s, median", name);
    bench_say(group, text, 1, ms[ROUNDS / 2], "ms", goal);
    return first;
}

static int64_t count_in(const char *answer, const char *mark)
{
    int64_t n = 0;

    for (const char *p = answer; (p = strstr(p, mark)) != NULL; p += strlen(mark))
        n++;
    return n;
}

static void time_filter(const char *group, const char *name, const char *path)
{
    char *answer = time_page(group, name, path, "<= 100 ms");
    char text[160];

    snprintf(text, sizeof(text), "%s, rows%s", name,
             strstr(answer, "Searched back to") ? " (searched back to a moment)" : "");
    bench_say(group, text, 0, (double)count_in(answer, "href=\"/log/call_"), "", "");
    free(answer);
}

/* Follows "search on" to the end; the calls listed. */
static int64_t walk(const char *group, const char *name, const char *path)
{
    char next[512], *answer;
    double worst = 0, all = 0;
    int64_t rows = 0, pages = 0;

    snprintf(next, sizeof(next), "%s", path);
    for (const char *link = next; link; pages++) {
        double ms = get_ms(next, &answer);

        worst = ms > worst ? ms : worst;
        all += ms;
        rows += count_in(answer, "row-link\" href=\"/log/call_");
        link = strstr(answer, "\" rel=\"next\"");
        if (!link && strstr(answer, "Search on from there"))
            link = strstr(answer, "\">Search on from there");
        if (link) {
            const char *from = link;

            while (from[-1] != '"')
                from--;
            snprintf(next, sizeof(next), "%.*s", (int)(link - from), from);
            for (char *amp; (amp = strstr(next, "&amp;")) != NULL;)
                memmove(amp + 1, amp + 5, strlen(amp + 5) + 1);
        }
        free(answer);
    }
    bench_say(group, name, 0, (double)pages, "pages", "");
    bench_say(group, "the slowest of them", 1, worst, "ms", "");
    bench_say(group, "all of them", 1, all, "ms", "");
    return rows;
}

DB_QUERY(bench_dear_calls,
         "SELECT count(*) AS v FROM call WHERE team_id = (SELECT min(id) FROM team)"
         "   AND charge_nano > 1000000000")
DB_QUERY(bench_calls, "SELECT count(*) AS v FROM call")

static void time_check(const char *group, enum integrity_form form, const char *name, bool again)
{
    struct integrity_outcome o = {0};
    struct db *db;
    int64_t began_ns;

    if (again)
        bench_ok(db_script(owner, "UPDATE recon_run SET started_at = now() - interval '1 minute',"
                                   " until_at = now() - interval '1 minute'"));
    bench_ok(db_open(site.pg.app_conninfo, "bench", &db));
    began_ns = clock_mono_ns();
    bench_ok(integrity_run(db, form, &o));
    while (o.more)
        bench_ok(integrity_step(db, &o));
    if (!o.ran || o.found)
        bench_fail("%s: ran %d, findings %d", name, o.ran, o.found);
    bench_say(group, name, 1, (double)(clock_mono_ns() - began_ns) / 1e6, "ms", "");
    db_close(db);
}

static void time_checks(const char *group)
{
    time_check(group, INTEGRITY_FULL, "checks, in full", false);
    time_check(group, INTEGRITY_WINDOW, "checks, the first window, a day", false);
    time_check(group, INTEGRITY_WINDOW, "checks, each minute", true);
}

static void time_pages(const char *group)
{
    static const struct {
        const char *name, *path;
    } filters[] = {
        {"log, 24 h, one provider", "/log?provider=anthropic"},
        {"log, 24 h, one model", "/log?model=gpt-5"},
        {"log, 24 h, 5xx", "/log?status=5xx"},
        {"log, 24 h, blocked", "/log?status=blocked"},
        {"log, 24 h, with fallback", "/log?fallback=yes"},
        {"log, 24 h, above $1", "/log?above=1"},
        {"log, 24 h, one tag", "/log?tag=acme-7"},
        {"log, 24 h, nothing fits", "/log?model=no-such-model"},
        {"log, all time, nothing fits", "/log?model=no-such-model&period=all"},
        {"log, all time, above $1", "/log?above=1&period=all"},
    };

    free(time_page(group, "log, first page, 24 h", "/log", "<= 100 ms"));
    free(time_page(group, "log, first page, all time", "/log?period=all", "<= 100 ms"));
    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        time_filter(group, filters[i].name, filters[i].path);
    free(time_page(group, "overview", "/overview", "<= 100 ms"));
    free(time_page(group, "usage, this month by day", "/usage", "<= 100 ms"));
    free(time_page(group, "usage, 30 days by key", "/usage?span=30d&by=key", "<= 100 ms"));
    free(time_page(group, "usage, 30 days by model", "/usage?span=30d&by=model", "<= 100 ms"));
    free(time_page(group, "usage, 7 days by tag", "/usage?span=7d&by=tag", ""));
    free(time_page(group, "usage, 30 days by tag", "/usage?span=30d&by=tag", ""));
    free(time_page(group, "usage, 30 days of one tag", "/usage?span=30d&tag=customer%3Dacme-3", ""));
    free(time_page(group, "operator: all calls", "/operator/calls", ""));
    free(time_page(group, "operator: all calls, 5xx", "/operator/calls?status=5xx", ""));
    free(time_page(group, "operator: system", "/operator/findings", ""));
}

DB_QUERY(bench_large_team, "SELECT min(id) AS v FROM team")

static void mint_api_key(void)
{
    struct actor actor = {.kind = ACTOR_SYSTEM, .name = STR("bench")};
    struct team_id team = {bench_figure(owner, &bench_large_team)};
    struct arena *a = arena_new(KIB(64));
    struct identity_fault fault;
    struct str secret;
    struct db *db;
    int64_t id;

    bench_ok(!a);
    bench_ok(db_open(site.pg.app_conninfo, "bench", &db));
    bench_ok(db_begin(db, DB_TEAM(team), false));
    bench_ok(manage_key_mint(db, a, site.services.key_pepper, &actor, team, ROLE_ADMIN,
                             STR("bench"), 0, &id, &secret, &fault));
    bench_ok(db_commit(db));
    snprintf(api_key, sizeof(api_key), "%.*s", STR_FMT(secret));
    db_close(db);
    arena_free(a);
}

static void time_api(const char *group)
{
    mint_api_key();
    free(time_page(group, "API: calls, first 50", "/api/v1/calls", "<= 100 ms"));
    free(time_page(group, "API: calls, first 200", "/api/v1/calls?limit=200", "<= 100 ms"));
    free(time_page(group, "API: calls above $1", "/api/v1/calls?cost_above=1", "<= 100 ms"));
    free(time_page(group, "API: usage by model", "/api/v1/usage?by=model", "<= 100 ms"));
}

static void check_walk(const char *group)
{
    int64_t listed = walk(group, "log, all above $1", "/log?above=1&period=all");
    int64_t there = bench_figure(owner, &bench_dear_calls);

    if (listed != there)
        bench_fail("%lld calls above a dollar are listed, %lld are there", (long long)listed,
                   (long long)there);
}

DB_QUERY(bench_people, "SELECT count(*) AS v FROM person")

/* The past is made once where the cluster is kept. */
static void start(const char *group, int64_t rows, int64_t weeks)
{
    int64_t began_ns = clock_mono_ns();

    bench_ok(db_open(site.pg.owner_conninfo, "bench", &owner));
    if (bench_figure(owner, &bench_people)) {
        free(browse_send(&site, "/sign-in", "/sign-in", SIGN_IN));
        return;
    }
    free(browse_send(&site, "/sign-up", "/sign-up", SIGN_UP));
    bench_ok(db_script(owner, "UPDATE person SET is_operator = true"));
    log_past_write(owner, rows, (int)weeks);
    bench_ok(db_script(owner, "VACUUM ANALYZE"));
    bench_say(group, "making them", 0, (double)(clock_mono_ns() - began_ns) / 1e9, "s", "");
}

int main(int argc, char **argv)
{
    bool only_pages = argc == 5 && str_eq_c(STR("pages"), argv[4]);
    int64_t rows, weeks;

    if (argc != 4 + only_pages || str_i64(str_c(argv[2]), &rows) ||
        str_i64(str_c(argv[3]), &weeks))
        bench_fail("usage: bench-log GROUP ROWS WEEKS [pages]");
    browse_start(&site);
    start(argv[1], rows, weeks);
    bench_say(argv[1], "calls", 0, (double)bench_figure(owner, &bench_calls), "", "");
    time_pages(argv[1]);
    time_api(argv[1]);
    if (!only_pages)
        time_checks(argv[1]);
    if (!only_pages)
        check_walk(argv[1]);
    db_close(owner);
    browse_stop(&site);
    return 0;
}
