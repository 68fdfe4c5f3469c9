/* oversight.c: see oversight.h. */
#include "logs/oversight.h"

#include "base/clock.h"

static void put_head(struct buf *out, const char *name, const char *kind, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s ", name, help, name, kind, name);
}

static void put_count(struct buf *out, const char *name, const char *kind, const char *help,
                      int64_t n)
{
    put_head(out, name, kind, help);
    buf_printf(out, "%lld\n", (long long)n);
}

static void put_usd(struct buf *out, const char *name, const char *kind, const char *help,
                    int64_t nano)
{
    put_head(out, name, kind, help);
    money_put(out, (struct money){nano}, 0);
    buf_putc(out, '\n');
}

/* Whole seconds since then; a form that never ran has none. */
static void put_age(struct buf *out, const char *name, const char *help, int64_t then_us)
{
    if (then_us)
        put_count(out, name, "gauge", help, MAX(clock_wall_us() - then_us, 0) / 1000000);
}

static void put_videos(const struct oversight *o, struct buf *out)
{
    const struct {
        const char *state;
        int64_t n;
    } rows[] = {{"running", atomic_load(&o->videos_running)},
                {"completed", atomic_load(&o->videos_completed)},
                {"failed", atomic_load(&o->videos_failed)}};

    buf_puts(out, "# HELP tollgate_videos Jobs of the last 24 hours that make videos, by what has become of them.\n"
                  "# TYPE tollgate_videos gauge\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        buf_printf(out, "tollgate_videos{state=\"%s\"} %lld\n", rows[i].state, (long long)rows[i].n);
    put_usd(out, "tollgate_videos_returned_usd", "gauge", "Charges of those that failed, given back.",
            atomic_load(&o->videos_returned_nano));
}

void oversight_print(const struct oversight *o, struct buf *out)
{
    if (!atomic_load(&o->read_us))
        return;
    put_count(out, "tollgate_findings_open", "gauge",
              "Checks of the books that failed and that nobody has closed.",
              atomic_load(&o->findings));
    put_age(out, "tollgate_check_window_age_seconds", "Since the last minutes were checked.",
            atomic_load(&o->window_us));
    put_age(out, "tollgate_check_full_age_seconds", "Since the books were checked in full.",
            atomic_load(&o->full_us));
    put_count(out, "tollgate_late_usage_transfers_total", "counter",
              "Batches settled after their session had been reaped.",
              atomic_load(&o->late_transfers));
    put_usd(out, "tollgate_late_usage_usd_total", "counter", "What they charged.",
            atomic_load(&o->late_nano));
    put_count(out, "tollgate_sessions_reaped_total", "counter", "Nodes that died and were taken apart.",
              atomic_load(&o->reaped));
    put_usd(out, "tollgate_sessions_exposed_usd_total", "counter", "What was leased to them then.",
            atomic_load(&o->exposed_nano));
    put_usd(out, "tollgate_leased_usd", "gauge", "Money of wallets that is leased to nodes.",
            atomic_load(&o->leased_nano));
    put_videos(o, out);
    put_age(out, "tollgate_oversight_age_seconds", "Since these figures were read.",
            atomic_load(&o->read_us));
}
