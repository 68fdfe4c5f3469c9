/* operator_rule_form.c: see operator_rule_form.h. */
#include "web/pages/operator_rule_form.h"

#include <errno.h>
#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "catalog/words.h"

enum { NAME, SERVES, POSITION, TAGS, TEAMS, PROJECTS, KEYS, MIN_TOKENS, MAX_TOKENS, ASKS, ASKS_NOT, SHARE, SHARE_TAG,
       ENABLED };

static const struct form_field fields[] = {
    [NAME] = {"name", "Name", FORM_TEXT, .required = true, .min = 1, .max = RULE_NAME_MAX,
              .placeholder = "free-plan", .autocomplete = "off",
              .help = "Told to clients in x-tollgate-rule, and to the log."},
    [SERVES] = {"serves", "Model that serves", FORM_TEXT, .required = true, .min = 1, .max = 128, .list = "serving",
                .autocomplete = "off", .help = "Another one of the same kind, with its own route, prices and limits."},
    [POSITION] = {"position", "Place", FORM_CHOICE},
    [TAGS] = {"tags", "Tags", FORM_LINES, .placeholder = "plan=free",
              .help = "Of the key or of the request, NAME=VALUE, one a line. Of one name any of its values will do."},
    [TEAMS] = {"team_ids", "Teams", FORM_TEXT, .max = 2000, .placeholder = "any", .autocomplete = "off",
               .help = "Their numbers, with commas between them."},
    [PROJECTS] = {"project_ids", "Projects", FORM_TEXT, .max = 2000, .placeholder = "any", .autocomplete = "off"},
    [KEYS] = {"key_ids", "Keys", FORM_TEXT, .max = 2000, .placeholder = "any", .autocomplete = "off"},
    [MIN_TOKENS] = {"min_input_tokens", "Input tokens from", FORM_INTEGER, .max = BOUND_MODEL_TOKENS,
                    .placeholder = "0"},
    [MAX_TOKENS] = {"max_input_tokens", "Input tokens to", FORM_INTEGER, .max = BOUND_MODEL_TOKENS,
                    .placeholder = "no limit", .help = "Of the text, at four bytes a token."},
    [ASKS] = {"asks", "Asks for all of", FORM_MANY},
    [ASKS_NOT] = {"asks_not", "Asks for none of", FORM_MANY},
    [SHARE] = {"share_percent", "Share, %", FORM_INTEGER, .max = 99, .placeholder = "all",
               .help = "Of the calls that meet the rest."},
    [SHARE_TAG] = {"share_tag", "Kept together by tag", FORM_TEXT, .max = 40, .placeholder = "user",
                   .autocomplete = "off", .help = "Calls with one value of this tag get one model. Empty: by chance."},
    [ENABLED] = {"enabled", "Switched on", FORM_SWITCH},
};

static void add_asks(struct form *form, size_t field)
{
    for (enum ability a = 0; a < ABILITIES; a++)
        if (ABILITY_BIT(a) & ABILITIES_ASKED)
            form_option(form, field, str_c(ability_name(a)), str_c(ability_label(a)));
}

/* "first", or behind which one; chosen is its own place, or the last. */
static void add_places(struct web *w, struct form *form, const struct rule_row *rules, size_t n, struct rule_id own)
{
    struct str before = STR_NONE, chosen = STR_NONE;
    int64_t place = 0;

    for (size_t i = 0; i <= n; i++) {
        bool is_own = i < n && rules[i].id.v == own.v;
        struct str number = arena_strf(w->arena, "%" PRId64, place + 1);

        if (is_own)
            chosen = number;
        if (i == 0 || rules[i - 1].id.v != own.v) {
            form_option(form, POSITION, number,
                        before.p ? arena_strf(w->arena, "%" PRId64 ", behind %.*s", place + 1, STR_FMT(before))
                                 : STR("1, the first"));
            if (!own.v)
                chosen = number;
        }
        if (i < n && !is_own) {
            before = rules[i].is.name;
            place++;
        }
    }
    form_set(form, POSITION, chosen);
}

int rule_form_open(struct web *w, struct form *form, const struct rule_row *rules, size_t n, struct rule_id own)
{
    int r = form_init(form, w->arena, fields, ARRAY_LEN(fields));

    if (r < 0)
        return err_trace(r);
    add_asks(form, ASKS);
    add_asks(form, ASKS_NOT);
    add_places(w, form, rules, n, own);
    form_set_on(form, ENABLED, true);
    return 0;
}

static struct str ids_text(struct arena *a, const struct rule_ids *ids)
{
    struct buf out;
    struct str text;

    buf_init(&out, KIB(4));
    for (size_t i = 0; i < ids->n; i++)
        buf_printf(&out, "%s%" PRId64, i ? ", " : "", ids->v[i]);
    text = arena_str(a, buf_str(&out));
    buf_done(&out);
    return text;
}

int rule_form_show(struct form *form, const struct rule_draft *d)
{
    const struct rule_conditions *w = &d->when;
    struct str words[ABILITIES];
    int r = form_set_many(form, ASKS, words, ability_words(w->asks, words));

    if (r == 0)
        r = form_set_many(form, ASKS_NOT, words, ability_words(w->asks_not, words));
    if (r < 0)
        return err_trace(r);
    form_set(form, NAME, d->name);
    form_set(form, SERVES, d->serves);
    form_set(form, TEAMS, ids_text(form->arena, &w->teams));
    form_set(form, PROJECTS, ids_text(form->arena, &w->projects));
    form_set(form, KEYS, ids_text(form->arena, &w->keys));
    form_set_lines(form, TAGS, w->tags, w->n_tags);
    form_set_i64(form, MIN_TOKENS, w->min_input_tokens);
    form_set_i64(form, MAX_TOKENS, w->max_input_tokens);
    form_set_i64(form, SHARE, w->share_percent);
    form_set(form, SHARE_TAG, w->share_tag);
    form_set_on(form, ENABLED, d->enabled);
    return 0;
}

/* "3, 7" */
static int read_ids(struct form *form, size_t field, struct rule_ids *ret)
{
    struct str rest = form->v[field].text, part;
    int64_t *v = arena_array(form->arena, int64_t, rest.n + 1);
    size_t n = 0;

    if (!v)
        return err_origin(-ENOMEM);
    while (rest.n && str_split(&rest, ',', &part)) {
        part = str_trim(part);
        if (part.n && str_i64(part, &v[n++]) != STR_OK)
            form_fault_at(form, field, "Numbers, with commas between them.");
    }
    *ret = (struct rule_ids){v, n};
    return 0;
}

static uint32_t asked(const struct form *form, size_t field)
{
    return ability_bits_of(form->v[field].many, form->v[field].n_many);
}

int rule_form_draft(struct form *form, struct rule_draft *ret)
{
    const struct form_value *v = form->v;
    struct rule_conditions w = {
        .asks = asked(form, ASKS),
        .asks_not = asked(form, ASKS_NOT),
        .min_input_tokens = v[MIN_TOKENS].number,
        .max_input_tokens = v[MAX_TOKENS].number,
        .share_percent = (int32_t)v[SHARE].number,
        .share_tag = v[SHARE_TAG].text,
    };
    int64_t position = 0;
    int r = form_lines(form, TAGS, &w.tags, &w.n_tags);

    if (r == 0)
        r = read_ids(form, TEAMS, &w.teams);
    if (r == 0)
        r = read_ids(form, PROJECTS, &w.projects);
    if (r == 0)
        r = read_ids(form, KEYS, &w.keys);
    if (r == 0 && str_i64(v[POSITION].text, &position) != STR_OK)
        position = 0;
    *ret = (struct rule_draft){.name = v[NAME].text, .serves = v[SERVES].text, .enabled = v[ENABLED].on,
                               .position = position, .when = w};
    return r;
}

/* --- a request to try the rules with --- */

enum { TRY_TAGS, TRY_TEAM, TRY_PROJECT, TRY_KEY, TRY_TOKENS, TRY_ASKS };

static const struct form_field try_fields[] = {
    [TRY_TAGS] = {"try_tags", "Its tags", FORM_LINES, .placeholder = "plan=free"},
    [TRY_TEAM] = {"try_team", "Team", FORM_INTEGER, .placeholder = "its number"},
    [TRY_PROJECT] = {"try_project", "Project", FORM_INTEGER},
    [TRY_KEY] = {"try_key", "Key", FORM_INTEGER},
    [TRY_TOKENS] = {"try_tokens", "Input tokens", FORM_INTEGER, .max = BOUND_MODEL_TOKENS, .placeholder = "0"},
    [TRY_ASKS] = {"try_asks", "Asks for", FORM_MANY},
};

int rule_try_open(struct web *w, struct form *form)
{
    int r = form_init(form, w->arena, try_fields, ARRAY_LEN(try_fields));

    if (r < 0)
        return err_trace(r);
    add_asks(form, TRY_ASKS);
    return 0;
}

int rule_try_read(struct form *form, struct rule_conditions *ret_said, struct rule_request *ret)
{
    const struct form_value *v = form->v;
    struct identity_fault fault = {0};
    int r;

    *ret_said = (struct rule_conditions){.asks = asked(form, TRY_ASKS)};
    r = form_lines(form, TRY_TAGS, &ret_said->tags, &ret_said->n_tags);
    if (r < 0)
        return err_trace(r);
    if (rule_conditions_check(ret_said, &fault) == IDENTITY_E_FAULT)
        form_fault_at(form, TRY_TAGS, fault.sentence);
    *ret = (struct rule_request){
        .team = {v[TRY_TEAM].number},
        .project = {v[TRY_PROJECT].number},
        .key = {v[TRY_KEY].number},
        .asks = ret_said->asks,
        .input_tokens = v[TRY_TOKENS].number,
        .tag = rule_tag_among,
        .ctx = ret_said,
    };
    return 0;
}
