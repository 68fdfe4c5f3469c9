/* operator_price_form.c: see operator_price_form.h. */
#include "web/pages/operator_price_form.h"

#include <inttypes.h>

#include "base/err.h"
#include "web/view.h"

#define PIECES 1000000 /* a price per million of what is sold by the piece */

static const struct form_field fields[PRICE_FIELDS] = {
    [PRICE_FIELD_APPLIES_TO] = {"applies_to", "For", FORM_CHOICE,
                                .help = "The most exact price counts: of the target, then of the "
                                        "kind of provider, then of the whole model."},
    [PRICE_FIELD_EFFECTIVE_FROM] = {"effective_from", "In force from", FORM_TEXT, .max = 40,
                                    .placeholder = "now", .autocomplete = "off"},
    [PRICE_FIELD_NOTE] = {"note", "Note", FORM_TEXT, .max = 500,
                          .help = "Why, for those who read the history."},
    [PRICE_FIELD_OVERRIDE] = {"override", "The figures are meant, even above the usual ceiling",
                              FORM_SWITCH},
};

static const enum usage_unit chat_units[] = {
    USAGE_INPUT,       USAGE_CACHED_INPUT, USAGE_CACHE_WRITE_5M, USAGE_CACHE_WRITE_1H,
    USAGE_OUTPUT,      USAGE_REASONING,    USAGE_AUDIO_INPUT,    USAGE_AUDIO_OUTPUT,
    USAGE_IMAGE_INPUT, USAGE_IMAGE_OUTPUT, USAGE_SEARCH,      USAGE_REQUEST,
};
static const enum usage_unit embedding_units[] = {USAGE_INPUT, USAGE_IMAGE_INPUT, USAGE_REQUEST};
static const enum usage_unit completion_units[] = {USAGE_INPUT, USAGE_CACHED_INPUT, USAGE_OUTPUT,
                                                   USAGE_REQUEST};
static const enum usage_unit image_units[] = {USAGE_IMAGE,       USAGE_INPUT,  USAGE_CACHED_INPUT,
                                              USAGE_IMAGE_INPUT, USAGE_OUTPUT, USAGE_IMAGE_OUTPUT};
static const enum usage_unit speech_units[] = {USAGE_CHARACTER, USAGE_INPUT, USAGE_AUDIO_OUTPUT};
static const enum usage_unit transcription_units[] = {USAGE_SECOND, USAGE_INPUT, USAGE_AUDIO_INPUT,
                                                      USAGE_OUTPUT};
static const enum usage_unit moderation_units[] = {USAGE_REQUEST, USAGE_INPUT};
static const enum usage_unit ocr_units[] = {USAGE_PAGE, USAGE_INPUT};
static const enum usage_unit video_units[] = {USAGE_SECOND, USAGE_REQUEST};
static const enum usage_unit rerank_units[] = {USAGE_SEARCH, USAGE_INPUT};

#define UNITS(list)             \
    {                           \
        list, ARRAY_LEN(list)   \
    }
static const struct {
    const enum usage_unit *units;
    size_t n;
} usual[MODEL_KINDS] = {
    [MODEL_CHAT] = UNITS(chat_units),
    [MODEL_EMBEDDING] = UNITS(embedding_units),
    [MODEL_COMPLETION] = UNITS(completion_units),
    [MODEL_IMAGE] = UNITS(image_units),
    [MODEL_SPEECH] = UNITS(speech_units),
    [MODEL_TRANSCRIPTION] = UNITS(transcription_units),
    [MODEL_MODERATION] = UNITS(moderation_units),
    [MODEL_RERANK] = UNITS(rerank_units),
    [MODEL_OCR] = UNITS(ocr_units),
    [MODEL_VIDEO] = UNITS(video_units),
};
/* Those whose price depends on the length of the input, or on the service tier. */
static const enum usage_unit step_units[] = {USAGE_INPUT,          USAGE_CACHED_INPUT,
                                             USAGE_CACHE_WRITE_5M, USAGE_CACHE_WRITE_1H,
                                             USAGE_OUTPUT,         USAGE_REASONING};

/* --- lines --- */

/* < 0: a stands before b, in order of service tier, step, unit and kind. */
static int compare(const struct price_line *a, const struct price_line *b)
{
    if (a->service != b->service)
        return a->service < b->service ? -1 : 1;
    if (a->above != b->above)
        return a->above < b->above ? -1 : 1;
    if (a->unit != b->unit)
        return a->unit < b->unit ? -1 : 1;
    return strcmp(a->visual_kind, b->visual_kind);
}

/* The line of that place, made if need be; NULL: more than a price can have. */
static struct price_line *put_line(struct price_form *f, const struct price_line *place)
{
    struct price_line line = *place;
    size_t at = 0;

    line.charge = line.cost = STR("");
    line.fault = NULL;

    while (at < f->n_lines && compare(&f->lines[at], &line) < 0)
        at++;
    if (at < f->n_lines && compare(&f->lines[at], &line) == 0)
        return &f->lines[at];
    if (f->n_lines == PRICE_LINES)
        return NULL;
    memmove(&f->lines[at + 1], &f->lines[at], (f->n_lines - at) * sizeof(f->lines[0]));
    f->n_lines++;
    f->lines[at] = line;
    return &f->lines[at];
}

static struct str dollars(struct arena *a, enum usage_unit unit, int64_t nano_per_million)
{
    bool piece = usage_unit_is_piece(unit) && nano_per_million % PIECES == 0;
    struct buf text;
    struct str copy;

    buf_init(&text, 40);
    money_put(&text, (struct money){piece ? nano_per_million / PIECES : nano_per_million}, 0);
    copy = arena_str(a, buf_str(&text));
    buf_done(&text);
    return copy;
}

/* --- opening --- */

static void add_options(struct web *w, struct price_form *f, const struct model_row *model,
                        const struct target_row *targets, size_t n)
{
    form_option(&f->form, PRICE_FIELD_APPLIES_TO, STR(""),
                arena_strf(w->arena, "the whole model %.*s", STR_FMT(model->is.name)));
    for (size_t i = 0; i < n; i++) {
        bool seen = false;

        for (size_t k = 0; k < i; k++)
            seen |= str_eq(targets[k].account_kind, targets[i].account_kind);
        if (!seen)
            form_option(&f->form, PRICE_FIELD_APPLIES_TO,
                        arena_strf(w->arena, "kind:%.*s", STR_FMT(targets[i].account_kind)),
                        arena_strf(w->arena, "every account of kind %.*s",
                                   STR_FMT(targets[i].account_kind)));
    }
    for (size_t i = 0; i < n; i++)
        form_option(&f->form, PRICE_FIELD_APPLIES_TO,
                    arena_strf(w->arena, "target:%" PRId64, targets[i].id.v),
                    arena_strf(w->arena, "target %.*s · %.*s", STR_FMT(targets[i].account_name),
                               STR_FMT(targets[i].is.upstream_model)));
}

int price_form_open(struct web *w, struct price_form *f, const struct model_row *model,
                    const struct target_row *targets, size_t n_targets)
{
    int r;

    f->n_lines = f->n_figures = 0;
    f->figures_fault = NULL;
    f->wrong = false;
    r = form_init(&f->form, w->arena, fields, ARRAY_LEN(fields));
    if (r < 0)
        return err_trace(r);
    add_options(w, f, model, targets, n_targets);
    return 0;
}

void price_form_show(struct price_form *f, const struct price_version *v)
{
    struct arena *a = f->form.arena;

    for (size_t i = 0; i < v->n_figures; i++) {
        const struct price_figure *p = &v->figures[i];
        struct price_line place = {
            .service = p->service, .above = p->above_input_tokens, .unit = p->unit};
        struct price_line *line;

        memcpy(place.visual_kind, p->visual_kind, sizeof(place.visual_kind));
        line = put_line(f, &place);
        if (!line)
            return;
        line->charge = dollars(a, p->unit, p->charge);
        line->cost = dollars(a, p->unit, p->cost);
    }
    if (v->target.v)
        form_set(&f->form, PRICE_FIELD_APPLIES_TO, arena_strf(a, "target:%" PRId64, v->target.v));
    else if (v->kind.n)
        form_set(&f->form, PRICE_FIELD_APPLIES_TO, arena_strf(a, "kind:%.*s", STR_FMT(v->kind)));
}

void price_form_add_usual(struct price_form *f, enum model_kind kind, enum service_tier service,
                          int64_t above)
{
    const enum usage_unit *units = usual[kind].units;
    size_t n = usual[kind].n;

    if (kind == MODEL_CHAT && (above || service != SERVICE_STANDARD)) {
        units = step_units;
        n = ARRAY_LEN(step_units);
    }
    for (size_t i = 0; i < n; i++)
        (void)put_line(f, &(struct price_line){
                              .service = service, .above = above, .unit = units[i]});
}

void price_form_add(struct price_form *f, enum usage_unit unit, const char *visual_kind,
                    enum service_tier service)
{
    struct price_line place = {.service = service, .unit = unit};

    if (price_visual_kind_parse(str_c(visual_kind), place.visual_kind))
        (void)put_line(f, &place);
}

/* --- reading --- */

/* "input", "output_above_200000", "flex_input", "image:high/1024x1024". */
static bool parse_place(struct str name, struct price_line *ret)
{
    static const struct str mark = {"_above_", 7};
    size_t end = 0;

    *ret = (struct price_line){.service = SERVICE_STANDARD};
    for (enum service_tier s = 0; s < SERVICE_TIERS; s++) {
        struct str tier = str_c(service_tier_name(s));

        if (str_starts(name, tier) && name.n > tier.n && name.p[tier.n] == '_') {
            ret->service = s;
            name = str_n(name.p + tier.n + 1, name.n - tier.n - 1);
        }
    }
    while (end < name.n && !str_starts(str_n(name.p + end, name.n - end), mark))
        end++;
    if (end < name.n &&
        (str_i64(str_n(name.p + end + mark.n, name.n - end - mark.n), &ret->above) != STR_OK ||
         ret->above <= 0 || ret->above > BOUND_MODEL_TOKENS))
        return false;
    return price_unit_parse(str_n(name.p, end), &ret->unit, ret->visual_kind);
}

/* "charge_input", "cost_priority_output". */
static bool parse_name(struct str name, bool *ret_cost, struct price_line *ret)
{
    bool cost = str_starts(name, STR("cost_"));
    size_t skip = cost ? 5 : 7;

    if (!cost && !str_starts(name, STR("charge_")))
        return false;
    *ret_cost = cost;
    return parse_place(str_n(name.p + skip, name.n - skip), ret);
}

static const char *parse_figure(enum usage_unit unit, struct str text, int64_t *ret)
{
    struct money m;
    int r;

    if (text.n && text.p[0] == '$')
        text = str_n(text.p + 1, text.n - 1);
    r = money_parse(text, &m);
    if (r == MONEY_E_DIGITS)
        return "At most nine decimals.";
    if (r != MONEY_OK)
        return "An amount in dollars, such as 2.50.";
    if (m.nano < 0)
        return "A price cannot be below zero.";
    if (usage_unit_is_piece(unit) && __builtin_mul_overflow(m.nano, (int64_t)PIECES, &m.nano))
        return "This price is absurd: is the point in the wrong place?";
    *ret = m.nano;
    return NULL;
}

static void read_lines(struct web *w, struct price_form *f)
{
    for (size_t i = 0; i < w->submitted.n; i++) {
        const struct pair *p = &w->submitted.v[i];
        struct price_line place, *line;
        bool cost;

        if (!parse_name(p->name, &cost, &place))
            continue;
        line = put_line(f, &place);
        if (!line)
            f->figures_fault = "A price has at most four steps of input length.";
        else if (cost)
            line->cost = str_trim(p->value);
        else
            line->charge = str_trim(p->value);
    }
}

static const char *read_figure(const struct price_line *line, bool override,
                               struct price_figure *ret)
{
    struct identity_fault fault = {0};
    const char *wrong;

    *ret = (struct price_figure){
        .service = line->service, .unit = line->unit, .above_input_tokens = line->above};
    memcpy(ret->visual_kind, line->visual_kind, sizeof(ret->visual_kind));
    if (!line->charge.n)
        return "What is charged? 0 is an answer, too.";
    wrong = parse_figure(line->unit, line->charge, &ret->charge);
    if (!wrong && line->cost.n)
        wrong = parse_figure(line->unit, line->cost, &ret->cost);
    if (!wrong && price_figure_check(ret, override, &fault) != CHANGE_OK)
        wrong = fault.sentence;
    return wrong;
}

/* A cost left out is 0: a machine of one's own. */
static void read_figures(struct price_form *f)
{
    for (size_t i = 0; i < f->n_lines; i++) {
        struct price_line *line = &f->lines[i];

        if (!line->charge.n && !line->cost.n)
            continue;
        line->fault =
            read_figure(line, f->form.v[PRICE_FIELD_OVERRIDE].on, &f->figures[f->n_figures++]);
        f->wrong |= line->fault != NULL;
    }
    f->wrong |= f->figures_fault != NULL;
}

static bool two_digits(struct str s, size_t at, int max, int *ret)
{
    if (at + 2 > s.n || s.p[at] < '0' || s.p[at] > '9' || s.p[at + 1] < '0' || s.p[at + 1] > '9')
        return false;
    *ret = (s.p[at] - '0') * 10 + (s.p[at + 1] - '0');
    return *ret <= max;
}

/* "06:27" or "06:27:33". */
static bool parse_clock(struct str text, struct civil *c)
{
    if (text.n != 5 && text.n != 8)
        return false;
    if (!two_digits(text, 0, 23, &c->hour) || text.p[2] != ':' ||
        !two_digits(text, 3, 59, &c->minute))
        return false;
    return text.n == 5 || (text.p[5] == ':' && two_digits(text, 6, 59, &c->second));
}

/* "2026-11-21", "2026-11-21 06:27" in the page's time zone, or with a zone of its own. */
static bool parse_moment(const struct zone *zone, struct str text, int64_t *ret)
{
    struct civil c;

    if (text.n > 16 && clock_parse_rfc3339(text, ret))
        return true;
    if (text.n < 10 || !civil_parse_day(str_n(text.p, 10), &c))
        return false;
    if (text.n > 10 && ((text.p[10] != 'T' && text.p[10] != ' ') ||
                        !parse_clock(str_n(text.p + 11, text.n - 11), &c)))
        return false;
    *ret = zone_unix_us(zone, &c);
    return true;
}

static void read_scope(const struct price_form *f, struct price_draft *draft)
{
    struct str text = f->form.v[PRICE_FIELD_APPLIES_TO].text;

    if (str_starts(text, STR("kind:")))
        draft->kind = str_n(text.p + 5, text.n - 5);
    else if (str_starts(text, STR("target:")) &&
             str_i64(str_n(text.p + 7, text.n - 7), &draft->target.v) != STR_OK)
        draft->target.v = 0;
}

int price_form_read(struct web *w, struct price_form *f, struct model_id model,
                    struct price_draft *ret)
{
    const struct form_value *v = f->form.v;
    struct price_draft draft = {.model = model, .source = PRICE_BY_OPERATOR};
    struct str from;
    int r = form_read(&f->form, &w->submitted);

    if (r < 0)
        return err_trace(r);
    read_lines(w, f);
    read_figures(f);
    read_scope(f, &draft);
    from = v[PRICE_FIELD_EFFECTIVE_FROM].text;
    if (from.n && !parse_moment(w->zone, from, &draft.effective_from_us))
        form_fault_at(&f->form, PRICE_FIELD_EFFECTIVE_FROM,
                      "A day or a moment, such as 2026-11-21 or 2026-11-21 06:00.");
    draft.note = v[PRICE_FIELD_NOTE].text;
    draft.override = v[PRICE_FIELD_OVERRIDE].on;
    draft.figures = f->figures;
    draft.n_figures = f->n_figures;
    f->wrong |= f->form.wrong;
    *ret = draft;
    return 0;
}

void price_form_fault(struct price_form *f, const struct identity_fault *fault)
{
    struct price_line place, *line;

    f->wrong = true;
    if (parse_place(str_c(fault->field), &place)) {
        line = put_line(f, &place);
        if (line)
            line->fault = fault->sentence;
    } else if (strcmp(fault->field, "above_input_tokens") == 0) {
        f->figures_fault = fault->sentence;
    } else if (strcmp(fault->field, "target") == 0 || strcmp(fault->field, "kind") == 0) {
        form_fault_at(&f->form, PRICE_FIELD_APPLIES_TO, fault->sentence);
    } else {
        form_fault(&f->form, fault);
    }
}

/* --- showing --- */

static void set_name(struct arena *a, struct json_object *o, const char *key,
                     const struct price_line *line)
{
    const char *unit = usage_unit_info(line->unit)->name;
    const char *tier = line->service == SERVICE_STANDARD ? "" : service_tier_name(line->service);
    const char *mark = *tier ? "_" : "";

    if (line->visual_kind[0])
        json_set_str(o, key, arena_strf(a, "%s_%s:%s", key, unit, line->visual_kind));
    else
        json_set_str(o, key,
                     line->above ? arena_strf(a, "%s_%s%s%s_above_%" PRId64, key, tier, mark, unit,
                                              line->above)
                                 : arena_strf(a, "%s_%s%s%s", key, tier, mark, unit));
}

static struct json_object *line_view(struct arena *a, const struct price_line *line)
{
    struct json_object *o = json_new_object(), *names = json_new_object();

    set_name(a, names, "charge", line);
    set_name(a, names, "cost", line);
    json_set(o, "name", names);
    json_set_str(o, "label",
                 arena_strf(a, "%s%s%s", usage_unit_info(line->unit)->label,
                            line->visual_kind[0] ? " " : "", line->visual_kind));
    json_set_cstr(o, "per", usage_unit_is_piece(line->unit) ? "each" : "per million");
    json_set_str(o, "charge", line->charge);
    json_set_str(o, "cost", line->cost);
    json_set_cstr(o, "fault", line->fault);
    return o;
}

/* What the lines of one step have in common: "Priority · above 200,000 input tokens". */
static struct str step_title(struct arena *a, const struct price_line *line)
{
    const char *tier = service_tier_label(line->service);

    if (!line->above)
        return line->service == SERVICE_STANDARD ? STR("") : str_c(tier);
    return line->service == SERVICE_STANDARD
               ? arena_strf(a, "Above %.*s input tokens", STR_FMT(view_count_text(a, line->above)))
               : arena_strf(a, "%s · above %.*s input tokens", tier,
                            STR_FMT(view_count_text(a, line->above)));
}

static bool same_step(const struct price_line *a, const struct price_line *b)
{
    return a->service == b->service && a->above == b->above;
}

static void options_view(struct json_object *view)
{
    struct json_object *tiers = json_new_array(), *units = json_new_array();

    for (enum service_tier s = 0; s < SERVICE_TIERS; s++)
        view_choice(tiers, str_c(service_tier_name(s)), str_c(service_tier_label(s)),
                    s == SERVICE_STANDARD);
    view_choice(units, STR(""), STR("the usual units"), true);
    for (enum usage_unit u = 0; u < USAGE_UNITS; u++)
        view_choice(units, str_c(usage_unit_info(u)->name), str_c(usage_unit_info(u)->label), false);
    json_set(view, "tiers", tiers);
    json_set(view, "units", units);
}

void price_form_view(struct web *w, const struct price_form *f, struct json_object *view)
{
    struct json_object *steps = json_new_array(), *step = NULL, *lines = NULL;

    for (size_t i = 0; i < f->n_lines; i++) {
        const struct price_line *line = &f->lines[i];

        if (i == 0 || !same_step(line, &f->lines[i - 1])) {
            step = json_new_object();
            lines = json_new_array();
            json_set_str(step, "title", step_title(w->arena, line));
            json_set(step, "lines", lines);
            json_push(steps, step);
        }
        json_push(lines, line_view(w->arena, line));
    }
    options_view(view);
    json_set(view, "steps", steps);
    json_set_cstr(view, "figures_fault", f->figures_fault);
    form_view(&f->form, view, "form");
    json_set_str(json_get(json_get(view, "form"), "effective_from"), "help",
                 arena_strf(w->arena,
                            "Empty: at once. A day or a moment such as 2026-12-01 08:00, in %.*s.",
                            STR_FMT(zone_name(w->zone))));
}
