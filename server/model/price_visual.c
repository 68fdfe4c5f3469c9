/* price_visual.c: figures for images of a certain quality and size, and for seconds of a video of a
 * certain size, see price.h. */
#include "model/price.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "1024x1536" */
static bool is_size(struct str s)
{
    size_t i = 0, w;

    while (i < s.n && is_digit(s.p[i]))
        i++;
    if (!i || i == s.n || s.p[i++] != 'x')
        return false;
    for (w = i; i < s.n && is_digit(s.p[i]); i++)
        ;
    return i > w && i == s.n;
}

static bool is_quality(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < 'a' || s.p[i] > 'z') && (s.p[i] != '_' || !i))
            return false;
    return s.n > 0;
}

/* The halves of a kind; p NULL where it does not name one. */
static struct visual_kind halves(struct str kind)
{
    ssize_t slash = str_find(kind, '/');
    struct visual_kind k = {STR_NONE, STR_NONE};

    if (slash >= 0) {
        k.quality = str_n(kind.p, (size_t)slash);
        k.size = str_n(kind.p + slash + 1, kind.n - (size_t)slash - 1);
    } else if (is_size(kind)) {
        k.size = kind;
    } else {
        k.quality = kind;
    }
    return k;
}

bool price_visual_kind_parse(struct str text, char ret[PRICE_VISUAL_KIND])
{
    const struct visual_kind k = text.n ? halves(text) : (struct visual_kind){STR_NONE, STR_NONE};

    if (text.n >= PRICE_VISUAL_KIND || (k.quality.p && !is_quality(k.quality)) ||
        (k.size.p && !is_size(k.size)))
        return false;
    memset(ret, 0, PRICE_VISUAL_KIND);
    if (text.n)
        memcpy(ret, text.p, text.n);
    return true;
}

bool price_kind_fits(enum usage_unit unit, const char *kind)
{
    return unit == USAGE_IMAGE || (unit == USAGE_SECOND && is_size(str_c(kind)));
}

bool price_unit_parse(struct str name, enum usage_unit *ret_unit, char ret_kind[PRICE_VISUAL_KIND])
{
    ssize_t mark = str_find(name, ':');
    char kind[PRICE_VISUAL_KIND] = "";
    enum usage_unit unit;

    if (mark >= 0) {
        struct str text = str_n(name.p + mark + 1, name.n - (size_t)mark - 1);

        if (!text.n || !price_visual_kind_parse(text, kind))
            return false;
        name.n = (size_t)mark;
    }
    if (usage_unit_parse(name, &unit) != USAGE_OK || (kind[0] && !price_kind_fits(unit, kind)))
        return false;
    *ret_unit = unit;
    memcpy(ret_kind, kind, sizeof(kind));
    return true;
}

const struct price_visual *price_visual_at(const struct price *p, const char *kind)
{
    for (unsigned i = 0; i < p->n_visuals; i++)
        if (strcmp(p->visual[i].kind, kind) == 0)
            return &p->visual[i];
    return NULL;
}

/* Providers' word for "whatever you choose" says nothing. */
static struct str said_of(struct str s)
{
    return !s.n || str_eq(s, STR("auto")) ? STR_NONE : s;
}

/* How exactly the figure fits; < 0: not. A size says more of what an image costs than a quality. */
static int fit(const struct price_visual *visual, const struct visual_kind *made)
{
    const struct visual_kind k = halves(str_c(visual->kind));
    struct str quality = said_of(made->quality), size = said_of(made->size);

    if (k.quality.p && !(quality.p && str_eq(k.quality, quality)))
        return -1;
    if (k.size.p && !(size.p && str_eq(k.size, size)))
        return -1;
    return (k.size.p ? 2 : 0) + (k.quality.p ? 1 : 0);
}

/* Is nothing of what is said against it? */
static bool may_be(const struct price_visual *visual, const struct visual_kind *said)
{
    const struct visual_kind k = halves(str_c(visual->kind));
    struct str quality = said_of(said->quality), size = said_of(said->size);

    return (!k.quality.p || !quality.p || str_eq(k.quality, quality)) &&
           (!k.size.p || !size.p || str_eq(k.size, size));
}

static const struct price_visual *dearest(const struct price *p, const struct visual_kind *said)
{
    const struct price_visual *most = NULL;

    for (unsigned i = 0; i < p->n_visuals; i++)
        if (may_be(&p->visual[i], said) && (!most || p->visual[i].charge > most->charge))
            most = &p->visual[i];
    return most;
}

static const struct price_visual *closest(const struct price *p, const struct visual_kind *made)
{
    const struct price_visual *best = NULL;
    int best_fit = -1;

    for (unsigned i = 0; i < p->n_visuals; i++) {
        int f = fit(&p->visual[i], made);

        if (f > best_fit) {
            best = &p->visual[i];
            best_fit = f;
        }
    }
    return best;
}

const char *price_visual_of(const struct price *p, const struct visual_kind *made)
{
    const struct price_visual *visual = closest(p, made);

    if (!visual && p->of[SERVICE_STANDARD].v[0].charge[p->visual_unit] == PRICE_NONE)
        visual = dearest(p, made);
    return visual ? visual->kind : "";
}

int64_t price_visual_most(const struct price *p, const struct visual_kind *said, int64_t plain)
{
    /* A video has no quality that a figure could name. */
    bool all_said = said_of(said->size).p &&
                    (said_of(said->quality).p || p->visual_unit == USAGE_SECOND);
    const struct price_visual *visual = all_said ? closest(p, said) : dearest(p, said);

    if (!visual)
        return plain;
    return all_said ? visual->charge : MAX(visual->charge, plain);
}
