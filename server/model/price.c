/* price.c: building a price version from its rows. */
#include "model/price.h"

static void step_clear(struct price_step *t, int64_t above_input_tokens)
{
    t->above_input_tokens = above_input_tokens;
    for (size_t i = 0; i < USAGE_UNITS; i++)
        t->charge[i] = t->cost[i] = PRICE_NONE;
}

void price_init(struct price *p, struct price_id id)
{
    *p = (struct price){
        .id = id, .of = {[SERVICE_STANDARD] = {.n = 1}}, .visual_unit = USAGE_IMAGE};
    step_clear(&p->of[SERVICE_STANDARD].v[0], 0);
}

static struct price_step *step_at(struct price_steps *s, int64_t above_input_tokens)
{
    unsigned i = 0;

    while (i < s->n && s->v[i].above_input_tokens < above_input_tokens)
        i++;
    if (i < s->n && s->v[i].above_input_tokens == above_input_tokens)
        return &s->v[i];
    if (s->n == BOUND_PRICE_STEPS)
        return NULL;
    memmove(&s->v[i + 1], &s->v[i], (s->n - i) * sizeof(s->v[0]));
    s->n++;
    step_clear(&s->v[i], above_input_tokens);
    return &s->v[i];
}

static bool in_range(int64_t nano)
{
    return nano >= 0 && nano <= BOUND_PRICE_ABSURD_NANO;
}

/* In order of kind. */
static int set_visual(struct price *p, const struct price_figure *f)
{
    struct price_visual *v = p->visual;
    unsigned i = 0;

    if (!price_kind_fits(f->unit, f->visual_kind) || f->service != SERVICE_STANDARD ||
        f->above_input_tokens || (p->n_visuals && f->unit != p->visual_unit))
        return PRICE_SET_E_RANGE;
    p->visual_unit = f->unit;
    while (i < p->n_visuals && strcmp(v[i].kind, f->visual_kind) < 0)
        i++;
    if (i == p->n_visuals || strcmp(v[i].kind, f->visual_kind) != 0) {
        if (p->n_visuals == BOUND_PRICE_VISUALS)
            return PRICE_SET_E_STEPS;
        memmove(&v[i + 1], &v[i], (p->n_visuals - i) * sizeof(v[0]));
        p->n_visuals++;
        memcpy(v[i].kind, f->visual_kind, sizeof(v[i].kind));
    }
    v[i].charge = f->charge;
    v[i].cost = f->cost;
    return PRICE_SET_OK;
}

int price_set(struct price *p, const struct price_figure *f)
{
    struct price_steps *steps;
    struct price_step *t;

    assert(f->unit < USAGE_UNITS);
    assert(f->service < SERVICE_TIERS);
    if (!in_range(f->charge) || !in_range(f->cost) || f->above_input_tokens < 0)
        return PRICE_SET_E_RANGE;
    if (f->visual_kind[0])
        return set_visual(p, f);
    steps = &p->of[f->service];
    if (!steps->n) /* short prompts have a step too, also where only a longer one is named */
        (void)step_at(steps, 0);
    t = step_at(steps, f->above_input_tokens);
    if (!t)
        return PRICE_SET_E_STEPS;
    t->charge[f->unit] = f->charge;
    t->cost[f->unit] = f->cost;
    return PRICE_SET_OK;
}

/* Before any fallback, or a higher step's dearer output would not carry its reasoning along. */
static void inherit(int64_t *figures, const int64_t *below)
{
    for (size_t i = 0; i < USAGE_UNITS; i++)
        if (figures[i] == PRICE_NONE)
            figures[i] = below[i];
}

/* Stand-ins come earlier in the list or are the unit itself: one pass is enough. Images and the
 * like cost the same at every service tier that does not say otherwise; tokens never do. */
static void fall_back(int64_t *figures, const int64_t *standard)
{
    for (size_t i = 0; i < USAGE_UNITS; i++) {
        const struct usage_unit_info *unit = usage_unit_info((enum usage_unit)i);

        if (figures[i] == PRICE_NONE)
            figures[i] = figures[unit->fallback];
        if (figures[i] == PRICE_NONE && unit->covers == USAGE_COVERS_OTHER && standard)
            figures[i] = standard[i];
    }
    if (figures[USAGE_REQUEST] == PRICE_NONE)
        figures[USAGE_REQUEST] = 0;
}

static void complete(struct price_steps *s, const struct price_step *standard)
{
    for (unsigned i = 1; i < s->n; i++) {
        inherit(s->v[i].charge, s->v[i - 1].charge);
        inherit(s->v[i].cost, s->v[i - 1].cost);
    }
    for (unsigned i = 0; i < s->n; i++) {
        fall_back(s->v[i].charge, standard ? standard->charge : NULL);
        fall_back(s->v[i].cost, standard ? standard->cost : NULL);
    }
}

void price_complete(struct price *p)
{
    const struct price_step *standard = &p->of[SERVICE_STANDARD].v[0];

    complete(&p->of[SERVICE_STANDARD], NULL);
    for (unsigned s = SERVICE_STANDARD + 1; s < SERVICE_TIERS; s++)
        complete(&p->of[s], standard);
}

bool price_usable(const struct price *p)
{
    const int64_t *charge = p->of[SERVICE_STANDARD].v[0].charge;

    for (size_t i = 0; i < USAGE_UNITS; i++)
        if (i != USAGE_REQUEST && charge[i] != PRICE_NONE)
            return true;
    return p->n_visuals > 0 || charge[USAGE_REQUEST] > 0;
}

bool price_sells(const struct price *p, enum service_tier s)
{
    assert(s < SERVICE_TIERS);
    return p->of[s].n > 0;
}

const struct price_step *price_step_at(const struct price *p, enum service_tier s,
                                       int64_t prompt_tokens)
{
    const struct price_steps *steps = &p->of[price_sells(p, s) ? s : SERVICE_STANDARD];
    unsigned i = steps->n;

    assert(i >= 1);
    while (i > 1 && prompt_tokens <= steps->v[i - 1].above_input_tokens)
        i--;
    return &steps->v[i - 1];
}
