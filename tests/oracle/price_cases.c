/* price_cases.c: what the product's price functions say of random cases, for price.py to check.
 *
 *   price_cases SEED PRICES USAGES
 *
 * Writes for each price one line `P FIGURES` (service unit above kind charge cost; kind: of images, - for
 * all others), and for each usage of it one line `C`: the service tier that was asked for and the one
 * that served, the quality and size that were asked for and those that were made, the figure that
 * price_visual_of chose for them, the quantities, what price_charge said, the estimate, what price_hold
 * said, an amount and what price_affords_output made of it. Half of all figures and quantities are edges: 0, 1, the ceilings,
 * and one token on either side of a step. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "ledger/price.h"

#define PICK(list) (list)[random_below((uint32_t)ARRAY_LEN(list))]

static int64_t up_to(int64_t top)
{
    return top > 0 ? (int64_t)(random_u64() % ((uint64_t)top + 1)) : 0;
}

static int64_t some_price(void)
{
    static const int64_t edges[] = {0,
                                    1,
                                    999999,
                                    1000000,
                                    1000001,
                                    BOUND_PRICE_PER_MILLION_NANO,
                                    BOUND_PRICE_PER_MILLION_NANO - 1,
                                    BOUND_PRICE_ABSURD_NANO};
    static const int64_t tops[] = {1000, 100000000, 100000000000, BOUND_PRICE_PER_MILLION_NANO};

    return random_below(4) ? up_to(PICK(tops)) : PICK(edges);
}

static int64_t some_quantity(const int64_t *steps, size_t n_steps)
{
    static const int64_t edges[] = {0, 0, 0, 1, 2, BOUND_USAGE_QUANTITY, BOUND_USAGE_QUANTITY - 1};
    static const int64_t tops[] = {10, 1000, 100000, 2000000};

    switch (random_below(4)) {
    case 0:
        return PICK(edges);
    case 1:
        return n_steps ? MAX(steps[random_below((uint32_t)n_steps)] + (int64_t)random_below(3) - 1,
                             (int64_t)0)
                       : 0;
    default:
        return up_to(PICK(tops));
    }
}

/* A step of each service tier that is made, and which tokens they begin at. */
struct made {
    struct price price;
    int64_t steps[SERVICE_TIERS * BOUND_PRICE_STEPS];
    size_t n_steps;
};

static void put_figure(struct made *m, const struct price_figure *f)
{
    if (price_set(&m->price, f) != PRICE_SET_OK)
        abort();
    printf(" %d %s %" PRId64 " %s %" PRId64 " %" PRId64, (int)f->service,
           usage_unit_info(f->unit)->name, f->above_input_tokens,
           f->visual_kind[0] ? f->visual_kind : "-", f->charge, f->cost);
}

static const char *const qualities[] = {"", "low", "high"};
static const char *const sizes[] = {"", "512x512", "1024x1024"};

/* Figures for images by quality and size, or for seconds of a video by size: half of all prices have
 * some. */
static void make_visuals(struct made *m)
{
    unsigned named = random_below(2) ? 0 : 1 + random_below(3);
    bool video = !random_below(3);

    for (size_t q = 0; q < (video ? 1 : ARRAY_LEN(qualities)); q++)
        for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
            struct price_figure f = {
                .unit = video ? USAGE_SECOND : USAGE_IMAGE, .charge = some_price(), .cost = some_price()};

            (void)snprintf(f.visual_kind, sizeof(f.visual_kind), "%s%s%s", qualities[q],
                           *qualities[q] && *sizes[s] ? "/" : "", sizes[s]);
            if (f.visual_kind[0] && random_below(4) < named)
                put_figure(m, &f);
        }
}

static struct visual_kind some_kind(void)
{
    return (struct visual_kind){str_c(PICK(qualities)), str_c(PICK(sizes))};
}

static void make_step(struct made *m, enum service_tier s, int64_t above)
{
    unsigned named = random_below(4);

    for (unsigned u = 0; u < USAGE_UNITS; u++) {
        bool needed = above == 0 && u == USAGE_INPUT;

        if (needed || random_below(4) < named)
            put_figure(m, &(struct price_figure){.service = s,
                                                 .unit = (enum usage_unit)u,
                                                 .above_input_tokens = above,
                                                 .charge = some_price(),
                                                 .cost = some_price()});
    }
}

static void make_price(struct made *m)
{
    static const int64_t lengths[] = {1, 1000, 128000, 200000, BOUND_USAGE_QUANTITY - 1};

    *m = (struct made){.n_steps = 0};
    price_init(&m->price, (struct price_id){1});
    printf("P");
    for (unsigned s = 0; s < SERVICE_TIERS; s++) {
        unsigned more = random_below(BOUND_PRICE_STEPS);
        int64_t above = 0;

        if (s != SERVICE_STANDARD && random_below(2))
            continue;
        make_step(m, (enum service_tier)s, 0);
        for (unsigned i = 0; i < more; i++) {
            above += 1 + up_to(PICK(lengths));
            if (above > BOUND_MODEL_TOKENS)
                break;
            m->steps[m->n_steps++] = above;
            make_step(m, (enum service_tier)s, above);
        }
    }
    make_visuals(m);
    price_complete(&m->price);
    printf("\n");
}

static struct price_estimate some_estimate(const struct made *m)
{
    struct price_estimate e = {.service = (enum service_tier)random_below(SERVICE_TIERS),
                               .input_tokens = some_quantity(m->steps, m->n_steps),
                               .audio_input_tokens = random_below(3) ? 0 : some_quantity(m->steps, m->n_steps),
                               .output_tokens = some_quantity(NULL, 0),
                               .audio_output = random_below(2),
                               .visual = some_kind()};

    for (unsigned u = 0; u < USAGE_UNITS; u++)
        if (usage_unit_info((enum usage_unit)u)->covers == USAGE_COVERS_OTHER && !random_below(3))
            e.things.n[u] = up_to(4);
    return e;
}

/* Takes a part of what is left, often all of it. */
static int64_t share(int64_t *left, int64_t most)
{
    int64_t part = MIN(*left, random_below(3) ? up_to(most) : most);

    *left -= part;
    return part;
}

/* Half of them within the estimate, and those often as much as it allows; the others anything. */
static struct usage some_usage(const struct made *m, const struct price_estimate *e)
{
    int64_t prompt = e->input_tokens + e->audio_input_tokens, output = e->output_tokens;
    struct usage u = {.n = {0}};

    if (random_below(2)) {
        for (unsigned i = 0; i < USAGE_UNITS; i++)
            u.n[i] = random_below(2) ? some_quantity(m->steps, m->n_steps) : 0;
        return u;
    }
    u.n[USAGE_AUDIO_INPUT] = share(&prompt, e->audio_input_tokens);
    if (e->audio_output)
        u.n[USAGE_AUDIO_OUTPUT] = share(&output, output);
    for (unsigned k = 0; k < 2 * USAGE_UNITS; k++) {
        enum usage_unit i = (enum usage_unit)random_below(USAGE_UNITS);

        if (i == USAGE_AUDIO_INPUT || i == USAGE_AUDIO_OUTPUT)
            continue;
        if (usage_unit_info(i)->covers == USAGE_COVERS_PROMPT)
            u.n[i] += share(&prompt, prompt);
        else if (usage_unit_info(i)->covers == USAGE_COVERS_OUTPUT)
            u.n[i] += share(&output, output);
        else
            u.n[i] = random_below(2) ? e->things.n[i] : up_to(e->things.n[i]);
    }
    usage_clamp(&u);
    return u;
}

static void put_usage(const struct usage *u)
{
    for (unsigned i = 0; i < USAGE_UNITS; i++)
        printf(" %" PRId64, u->n[i]);
}

static void put_word(struct str s)
{
    printf(" %.*s", s.n ? (int)s.n : 1, s.n ? s.p : "-");
}

static void make_case(const struct made *m)
{
    struct price_estimate e = some_estimate(m);
    struct usage u = some_usage(m, &e);
    enum service_tier served = random_below(2) ? e.service : SERVICE_STANDARD;
    struct money charge = {0}, cost = {0}, hold = {0}, available = {some_price()};
    struct visual_kind made = random_below(4) ? e.visual : some_kind();
    const char *figure;
    int charged;
    int held = price_hold(&m->price, &e, &hold);

    if (random_below(2) && !made.quality.n) /* what was left open is chosen by the provider */
        made.quality = str_c(PICK(qualities));
    figure = price_visual_of(&m->price, &made);
    charged = price_charge(&m->price, served, figure, &u, &charge, &cost);
    printf("C %d %d", (int)e.service, (int)served);
    put_word(e.visual.quality);
    put_word(e.visual.size);
    put_word(made.quality);
    put_word(made.size);
    put_word(str_c(figure));
    put_usage(&u);
    printf(" %d %" PRId64 " %" PRId64, charged, charge.nano, cost.nano);
    printf(" %" PRId64 " %" PRId64 " %" PRId64 " %d", e.input_tokens, e.audio_input_tokens,
           e.output_tokens, (int)e.audio_output);
    put_usage(&e.things);
    printf(" %d %" PRId64, held, hold.nano);
    printf(" %" PRId64 " %" PRId64 "\n", available.nano,
           price_affords_output(&m->price, &e, available));
}

int main(int argc, char **argv)
{
    struct made m;

    if (argc != 4) {
        fprintf(stderr, "usage: price_cases SEED PRICES USAGES\n");
        return 2;
    }
    random_drive(strtoull(argv[1], NULL, 10));
    for (long p = strtol(argv[2], NULL, 10); p > 0; p--) {
        make_price(&m);
        for (long i = strtol(argv[3], NULL, 10); i > 0; i--)
            make_case(&m);
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
