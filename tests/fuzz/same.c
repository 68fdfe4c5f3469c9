/* The same inputs every time: each file of a corpus, changed in so many ways as the numbers of one
 * sequence tell. libFuzzer's own choices hang on addresses and time, so one commit would pass today
 * and fail tomorrow; that search is for the longer form.
 *
 *   build-fuzz/fuzz-TARGET same COUNT KEPT FILE...     COUNT inputs in all; the one that fails is left in KEPT */
#include "fuzz.h"

#define MOST 8192

int LLVMFuzzerInitialize(int *argc, char ***argv);
void __sanitizer_set_death_callback(void (*callback)(void));

static struct input {
    uint8_t data[MOST];
    size_t n;
} now;
static const char *kept;

/* splitmix64 */
static uint64_t state;
static size_t below(size_t n)
{
    uint64_t z = state += 0x9E3779B97F4A7C15;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return n ? (size_t)((z ^ (z >> 31)) % n) : 0;
}

static void keep(void)
{
    FILE *f = fopen(kept, "wb");

    if (f) {
        fwrite(now.data, 1, now.n, f);
        fclose(f);
    }
    fprintf(stderr, "Test unit written to %s\n", kept);
}

static struct input read_input(const char *path)
{
    struct input in = {.n = 0};
    FILE *f = fopen(path, "rb");

    HOLDS(f);
    in.n = fread(in.data, 1, MOST, f);
    fclose(f);
    return in;
}

/* --- changes: each leaves n <= MOST --- */

static void put_at(size_t at, const void *bytes, size_t n)
{
    memcpy(now.data + at, bytes, MIN(n, now.n - at));
}

static void open_gap(size_t at, size_t n)
{
    n = MIN(n, MOST - now.n);
    memmove(now.data + at + n, now.data + at, now.n - at);
    now.n += n;
}

static void close_gap(size_t at, size_t n)
{
    n = MIN(n, now.n - at);
    memmove(now.data + at, now.data + at + n, now.n - at - n);
    now.n -= n;
}

/* Numbers at their ends, as bytes, varints and digits, and what begins or ends something. */
static void put_telling(size_t at)
{
    static const struct str telling[] = {
        STR("\0"), STR("\1"), STR("\x7f"), STR("\x80"), STR("\xff"), STR("\"" ), STR("\\"), STR("\n"),
        STR("{"), STR("}"), STR("["), STR("]"), STR(","), STR(":"), STR("\r\n\r\n"), STR("%00"),
        STR("\0\0\0\0\0\0\0\0"), STR("\xff\xff\xff\xff\xff\xff\xff\xff"),
        STR("\x80\0\0\0\0\0\0\0"), STR("\0\0\0\0\0\0\0\x80"), STR("\x7f\xff\xff\xff\xff\xff\xff\xff"),
        STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), STR("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1"),
        STR("9223372036854775807"), STR("-9223372036854775808"), STR("18446744073709551616"),
        STR("1e999"), STR("-0"), STR("null"), STR("\\ud800"), STR("\xed\xa0\x80"), STR("\xf4\x90\x80\x80"),
    };
    struct str s = telling[below(ARRAY_LEN(telling))];

    if (below(2))
        open_gap(at, s.n);
    put_at(at, s.p, s.n);
}

static void change(const struct input *other)
{
    size_t at = below(now.n + 1), n = 1 + below(1 + below(64)), from;

    switch (below(7)) {
    case 0:
        if (at < now.n)
            now.data[at] ^= (uint8_t)(1U << below(8));
        break;
    case 1:
        put_telling(at);
        break;
    case 2:
        close_gap(at, n);
        break;
    case 3: /* a part once more */
        open_gap(at, n);
        from = below(now.n + 1 - MIN(n, now.n));
        memmove(now.data + at, now.data + from, MIN(n, now.n - MAX(at, from)));
        break;
    case 4: /* a part of another input */
        from = below(other->n + 1);
        n = MIN(n, other->n - from);
        open_gap(at, n);
        put_at(at, other->data + from, n);
        break;
    case 5:
        if (at < now.n)
            now.data[at] = (uint8_t)below(256);
        break;
    case 6: /* cut off */
        if (below(8) == 0)
            now.n = at;
        break;
    }
}

static void run(size_t count, size_t n_files, char **files)
{
    for (size_t i = 0; i < count; i++) {
        struct input other;

        state = i;
        now = read_input(files[i % n_files]);
        other = read_input(files[below(n_files)]);
        for (size_t changes = i < n_files ? 0 : 1 + below(6); changes; changes--)
            change(&other);
        LLVMFuzzerTestOneInput(now.data, now.n);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char **args = *argv;

    if (*argc < 5 || strcmp(args[1], "same") != 0)
        return 0;
    kept = args[3];
    __sanitizer_set_death_callback(keep);
    run(strtoul(args[2], NULL, 10), (size_t)*argc - 4, args + 4);
    printf("Done %s runs\n", args[2]);
    exit(0);
}
