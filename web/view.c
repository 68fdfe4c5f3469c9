/* view.c: see view.h. */
#include "web/view.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

#define TEXT_BYTES 96
#define MINUS "\u2212" /* a real one, as wide as a digit */

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static struct json_object *add(struct json_object *o, const char *key)
{
    struct json_object *v = json_new_object();

    json_set(o, key, v);
    return v;
}

static void finish(struct json_object *o, const char *key, struct buf *text)
{
    assert(buf_finish(text) == 0);
    json_set_str(o, key, buf_str(text));
    buf_done(text);
}

/* --- money --- */

/* Below half of the last digit there is nothing to see: it is told that it is not nothing. */
static int64_t smallest_shown(int decimals)
{
    int64_t half = 500000000;

    for (int i = 0; i < decimals; i++)
        half /= 10;
    return half;
}

static void put_dollars(struct buf *out, struct money m, int decimals)
{
    struct money size = m;

    if (m.nano > 0 && m.nano < smallest_shown(decimals)) {
        buf_puts(out, "<$");
        money_put_fixed(out, (struct money){2 * smallest_shown(decimals)}, decimals);
        return;
    }
    if (m.nano < 0) {
        buf_puts(out, MINUS);
        if (money_sub(MONEY_ZERO, m, &size) != MONEY_OK)
            size = (struct money){INT64_MAX};
    }
    buf_putc(out, '$');
    money_put_fixed(out, size, decimals);
}

static void put_exact(struct json_object *o, struct money m)
{
    struct buf plain, exact;
    struct str digits;

    buf_init(&plain, TEXT_BYTES);
    money_put(&plain, m, 2);
    digits = buf_str(&plain);
    buf_init(&exact, TEXT_BYTES);
    if (m.nano < 0) {
        buf_puts(&exact, MINUS);
        digits = str_n(digits.p + 1, digits.n - 1);
    }
    buf_put_str(&exact, digits);
    buf_puts(&exact, " USD");
    finish(o, "exact", &exact);
    buf_done(&plain);
}

void view_money(struct json_object *o, const char *key, struct money m, int decimals)
{
    struct json_object *v = add(o, key);
    struct buf text;

    buf_init(&text, TEXT_BYTES);
    put_dollars(&text, m, decimals);
    finish(v, "text", &text);
    put_exact(v, m);
    json_set_bool(v, "zero", m.nano == 0);
}

int view_decimals(struct money largest)
{
    int64_t size = largest.nano < 0 ? -(largest.nano + 1) : largest.nano;

    if (size >= 1000000000 || largest.nano % 10000000 == 0)
        return VIEW_DOLLARS;
    return size >= 10000000 ? VIEW_CENTS : VIEW_CALL;
}

void view_figure(struct json_object *o, const char *key, struct money m)
{
    view_money(o, key, m, view_decimals(m));
}

struct str view_money_text(struct arena *a, struct money m, int decimals)
{
    struct buf text;
    struct str copy;

    buf_init(&text, TEXT_BYTES);
    put_dollars(&text, m, decimals);
    copy = arena_str(a, buf_str(&text));
    buf_done(&text);
    return copy;
}

void view_price(struct json_object *o, const char *key, int64_t nano_per_million)
{
    struct buf text;

    buf_init(&text, TEXT_BYTES);
    buf_putc(&text, '$');
    money_put(&text, (struct money){nano_per_million}, 2);
    finish(o, key, &text);
}

/* --- time --- */

static void put_span(struct buf *out, int64_t seconds)
{
    if (seconds < 60)
        buf_printf(out, "%" PRId64 " s", seconds);
    else if (seconds < 3600)
        buf_printf(out, "%" PRId64 " min", seconds / 60);
    else if (seconds < 48 * 3600)
        buf_printf(out, "%" PRId64 " h", seconds / 3600);
    else
        buf_printf(out, "%" PRId64 " days", seconds / 86400);
}

static void put_relative(struct buf *out, int64_t unix_us, int64_t now_us, const struct civil *c)
{
    int64_t ago_s = (now_us - unix_us) / 1000000;
    int64_t size_s = ago_s < 0 ? -ago_s : ago_s;

    if (size_s < 5) {
        buf_puts(out, "just now");
    } else if (size_s < 30 * 86400) {
        buf_puts(out, ago_s < 0 ? "in " : "");
        put_span(out, size_s);
        buf_puts(out, ago_s < 0 ? "" : " ago");
    } else {
        buf_printf(out, "%d %s %d", c->day, months[c->month - 1], c->year);
    }
}

static bool same_day(const struct civil *a, const struct civil *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day;
}

static void put_clock(struct buf *out, const struct civil *c, const struct zone *zone,
                      int64_t now_us)
{
    struct civil today = zone_civil(zone, now_us);

    if (!same_day(c, &today))
        buf_printf(out, "%d %s ", c->day, months[c->month - 1]);
    buf_printf(out, "%02d:%02d:%02d", c->hour, c->minute, c->second);
}

void view_time(struct json_object *o, const char *key, int64_t unix_us, const struct zone *zone,
               int64_t now_us)
{
    struct civil c = zone_civil(zone, unix_us);
    char utc[CLOCK_RFC3339_SIZE];
    struct json_object *v;
    struct buf text;

    if (!unix_us) {
        json_set_null(o, key);
        return;
    }
    v = add(o, key);
    buf_init(&text, TEXT_BYTES);
    put_relative(&text, unix_us, now_us, &c);
    finish(v, "relative", &text);
    buf_init(&text, TEXT_BYTES);
    buf_printf(&text, "%d %s %d, %02d:%02d:%02d %s", c.day, months[c.month - 1], c.year, c.hour,
               c.minute, c.second, c.abbreviation);
    finish(v, "exact", &text);
    buf_init(&text, TEXT_BYTES);
    put_clock(&text, &c, zone, now_us);
    finish(v, "clock", &text);
    clock_rfc3339(unix_us, utc);
    json_set_cstr(v, "utc", utc);
}

void view_recent_day(struct json_object *o, const char *key, int64_t unix_us,
                     const struct zone *zone, int64_t now_us)
{
    struct civil c = zone_civil(zone, unix_us), today = zone_civil(zone, now_us);
    struct civil yesterday = civil_plus_days(&today, -1);
    struct buf text;

    if (!unix_us) {
        json_set_null(o, key);
        return;
    }
    buf_init(&text, TEXT_BYTES);
    if (same_day(&c, &today))
        buf_puts(&text, "today");
    else if (same_day(&c, &yesterday))
        buf_puts(&text, "yesterday");
    else
        buf_printf(&text, "%d %s %d", c.day, months[c.month - 1], c.year);
    finish(o, key, &text);
}

struct str view_day(struct arena *a, int64_t unix_us, const struct zone *zone)
{
    struct civil c = zone_civil(zone, unix_us);

    return arena_strf(a, "%04d-%02d-%02d", c.year, c.month, c.day);
}

/* --- quantities --- */

static void put_count(struct buf *out, int64_t n)
{
    char digits[32];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64,
                          n < 0 ? (uint64_t)0 - (uint64_t)n : (uint64_t)n);

    if (n < 0)
        buf_puts(out, MINUS);
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            buf_putc(out, ',');
        buf_putc(out, digits[i]);
    }
}

void view_count(struct json_object *o, const char *key, int64_t n)
{
    struct buf text;

    buf_init(&text, TEXT_BYTES);
    put_count(&text, n);
    finish(o, key, &text);
}

struct str view_count_text(struct arena *a, int64_t n)
{
    struct buf text;
    struct str copy;

    buf_init(&text, TEXT_BYTES);
    put_count(&text, n);
    copy = arena_str(a, buf_str(&text));
    buf_done(&text);
    return copy;
}

struct str view_plural(struct arena *a, int64_t n, const char *one, const char *many)
{
    struct str count = view_count_text(a, n);

    if (n == 1)
        return arena_strf(a, "1 %s", one);
    if (many)
        return arena_strf(a, "%.*s %s", STR_FMT(count), many);
    return arena_strf(a, "%.*s %ss", STR_FMT(count), one);
}

/* size units of `unit` to two or three significant digits. */
static void put_scaled(struct buf *out, int64_t n, int64_t unit, const char *name)
{
    int64_t hundredths = n / unit * 100 + n % unit * 100 / unit;

    if (hundredths < 1000)
        buf_printf(out, "%" PRId64 ".%02" PRId64 " %s", hundredths / 100, hundredths % 100, name);
    else if (hundredths < 10000)
        buf_printf(out, "%" PRId64 ".%" PRId64 " %s", hundredths / 100, hundredths % 100 / 10,
                   name);
    else
        buf_printf(out, "%" PRId64 " %s", hundredths / 100, name);
}

void view_duration(struct json_object *o, const char *key, int64_t us)
{
    struct buf text;

    buf_init(&text, TEXT_BYTES);
    if (us <= 0)
        buf_puts(&text, "\u2013");
    else if (us < 1000)
        buf_printf(&text, "%" PRId64 " \u00b5s", us);
    else if (us < 10000)
        put_scaled(&text, us, 1000, "ms");
    else if (us < 1000000)
        buf_printf(&text, "%" PRId64 " ms", us / 1000);
    else if (us < 120000000)
        put_scaled(&text, us, 1000000, "s");
    else
        buf_printf(&text, "%" PRId64 " min %" PRId64 " s", us / 60000000, us / 1000000 % 60);
    finish(o, key, &text);
}

void view_bytes(struct json_object *o, const char *key, int64_t bytes)
{
    struct buf text;

    buf_init(&text, TEXT_BYTES);
    if (bytes < 1000)
        buf_printf(&text, "%" PRId64 " B", bytes);
    else if (bytes < 1000000)
        put_scaled(&text, bytes, 1000, "kB");
    else if (bytes < 1000000000)
        put_scaled(&text, bytes, 1000000, "MB");
    else
        put_scaled(&text, bytes, 1000000000, "GB");
    finish(o, key, &text);
}

void view_percent(struct json_object *o, const char *key, int64_t part, int64_t whole)
{
    struct buf text;
    int64_t tenths;

    if (whole <= 0) {
        json_set_cstr(o, key, "\u2013");
        return;
    }
    tenths = (int64_t)(((__int128)part * 1000 + whole / 2) / whole);
    buf_init(&text, TEXT_BYTES);
    buf_printf(&text, "%" PRId64 ".%" PRId64 "%%", tenths / 10, tenths % 10);
    finish(o, key, &text);
}

struct str view_basis_points(struct arena *a, int32_t bp)
{
    if (bp % 100 == 0)
        return arena_strf(a, "%d", bp / 100);
    return bp % 10 ? arena_strf(a, "%d.%02d", bp / 100, bp % 100)
                   : arena_strf(a, "%d.%d", bp / 100, bp % 100 / 10);
}

struct str view_cosine(struct arena *a, int32_t bp)
{
    struct str text = arena_strf(a, "%d.%04d", bp / 10000, bp % 10000);

    while (text.n && text.p[text.n - 1] == '0')
        text.n--;
    if (text.n && text.p[text.n - 1] == '.')
        text.n--;
    return text;
}

/* --- small pieces --- */

void view_badge(struct json_object *o, const char *key, enum view_tone tone, const char *text)
{
    static const struct {
        const char *tone, *icon;
    } tones[] = {
        [VIEW_NEUTRAL] = {"neutral", "circle"},        [VIEW_GOOD] = {"good", "check"},
        [VIEW_WARN] = {"warn", "triangle-alert"},      [VIEW_BAD] = {"bad", "x"},
        [VIEW_INFO] = {"info", "clock"},
    };
    struct json_object *v = add(o, key);

    json_set_cstr(v, "tone", tones[tone].tone);
    json_set_cstr(v, "icon", tones[tone].icon);
    json_set_cstr(v, "text", text);
}

void view_outcome(struct json_object *o, const char *key, struct str outcome, int status)
{
    static const struct {
        const char *outcome, *text;
        enum view_tone tone;
    } known[] = {
        {"ok", "OK", VIEW_GOOD},
        {"blocked", "Blocked", VIEW_WARN},
        {"client_error", "Client error", VIEW_WARN},
        {"upstream_error", "Provider error", VIEW_BAD},
        {"client_gone", "Client left", VIEW_NEUTRAL},
        {"cut", "Cut off", VIEW_BAD},
        {"internal", "Internal error", VIEW_BAD},
    };
    enum view_tone tone = VIEW_NEUTRAL;
    char text[64];

    (void)snprintf(text, sizeof(text), "%.*s", STR_FMT(outcome));
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq_c(outcome, known[i].outcome)) {
            tone = known[i].tone;
            (void)snprintf(text, sizeof(text), status ? "%s %d" : "%s", known[i].text, status);
        }
    view_badge(o, key, tone, text);
}

void view_pager(struct json_object *o, const char *key, struct str newer, struct str older)
{
    struct json_object *v = add(o, key);

    json_set_str(v, "newer", newer);
    json_set_str(v, "older", older);
    json_set_bool(v, "any", newer.n || older.n);
}

void view_key(struct json_object *o, const char *key, struct str name, struct str prefix,
              struct str last4, struct str link)
{
    struct json_object *v = add(o, key);

    json_set_str(v, "name", name);
    json_set_str(v, "prefix", prefix);
    json_set_str(v, "last4", last4);
    json_set_str(v, "link", link);
}

void view_choice(struct json_object *options, struct str value, struct str label, bool chosen)
{
    struct json_object *v = json_new_object();

    json_set_str(v, "value", value);
    json_set_str(v, "label", label);
    json_set_bool(v, "chosen", chosen);
    json_push(options, v);
}

void view_empty(struct json_object *o, const char *key, const char *title, const char *sentence,
                const char *action, struct str link)
{
    struct json_object *v = add(o, key);

    json_set_cstr(v, "title", title);
    json_set_cstr(v, "sentence", sentence);
    json_set_cstr(v, "action", action);
    json_set_str(v, "link", link);
}
