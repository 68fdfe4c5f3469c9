/* operator_target_form.c: see operator_target_form.h. A page has one such form for each target, so
 * the template labels the fields by nesting and not by ids. */
#include "web/pages/operator_target_form.h"

#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "catalog/accounts.h"

static const struct form_field fields[TARGET_FIELDS] = {
    [TARGET_FIELD_ACCOUNT] = {"account", "Provider account", FORM_CHOICE},
    [TARGET_FIELD_UPSTREAM] = {"upstream_model", "The provider’s name for it", FORM_TEXT,
                               .required = true, .min = 1, .max = 200, .autocomplete = "off"},
    [TARGET_FIELD_LIMIT] = {"output_limit_field", "Limit is sent as", FORM_CHOICE},
    [TARGET_FIELD_PRIORITY] = {"priority", "Priority", FORM_INTEGER, .max = 1000},
    [TARGET_FIELD_WEIGHT] = {"weight", "Weight", FORM_INTEGER, .max = 1000},
    [TARGET_FIELD_CONTEXT] = {"context_tokens", "Context window here", FORM_INTEGER,
                              .max = BOUND_MODEL_TOKENS, .placeholder = "as the model"},
    [TARGET_FIELD_OUTPUT] = {"max_output_tokens", "Longest answer here", FORM_INTEGER,
                             .max = BOUND_MODEL_TOKENS, .placeholder = "as the model"},
    [TARGET_FIELD_LACKS] = {"lacks", "Not done here, though the model can", FORM_MANY},
    [TARGET_FIELD_ENABLED] = {"enabled", "Enabled", FORM_SWITCH},
};

static int open_form(struct web *w, struct form *form)
{
    static const char *const names[] = {"max_tokens", "max_completion_tokens"};
    int r = form_init(form, w->arena, fields, ARRAY_LEN(fields));

    if (r < 0)
        return err_trace(r);
    form_option(form, TARGET_FIELD_LIMIT, STR(""), STR("the provider’s usual name"));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        form_option(form, TARGET_FIELD_LIMIT, str_c(names[i]), str_c(names[i]));
    for (enum ability a = 0; a < ABILITIES; a++)
        if (ABILITY_BIT(a) & ABILITIES_ASKED)
            form_option(form, TARGET_FIELD_LACKS, str_c(ability_name(a)), str_c(ability_label(a)));
    form_set(form, TARGET_FIELD_PRIORITY, STR("0"));
    form_set(form, TARGET_FIELD_WEIGHT, STR("100"));
    form_set_on(form, TARGET_FIELD_ENABLED, true);
    return 0;
}

int target_form_new(struct web *w, struct form *form, bool *ret_any)
{
    struct account_row *rows = NULL;
    bool any = false;
    size_t n = 0;
    int r = open_form(w, form);

    if (r == 0)
        r = account_list(w->db, w->arena, &rows, &n);
    if (r != 0)
        return r;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].is.team.v)
            continue; /* a team's own key serves that team alone */
        any = true;
        form_option(form, TARGET_FIELD_ACCOUNT, arena_strf(w->arena, "%" PRId64, rows[i].id.v),
                    rows[i].is.name);
    }
    if (ret_any)
        *ret_any = any;
    return 0;
}

int target_form_open(struct web *w, struct form *form)
{
    int r = open_form(w, form);

    if (r == 0)
        form_option(form, TARGET_FIELD_ACCOUNT, STR(""), STR(""));
    return r;
}

int target_form_show(struct form *form, const struct target_draft *d)
{
    struct str words[ABILITIES];
    int r = form_set_many(form, TARGET_FIELD_LACKS, words, ability_words(d->lacks, words));

    if (r < 0)
        return err_trace(r);
    form_set_i64(form, TARGET_FIELD_CONTEXT, d->context_tokens);
    form_set_i64(form, TARGET_FIELD_OUTPUT, d->max_output_tokens);
    form_set(form, TARGET_FIELD_UPSTREAM, d->upstream_model);
    form_set(form, TARGET_FIELD_LIMIT, d->output_limit_field);
    form_set(form, TARGET_FIELD_PRIORITY, arena_strf(form->arena, "%" PRId32, d->priority));
    form_set(form, TARGET_FIELD_WEIGHT, arena_strf(form->arena, "%" PRId32, d->weight));
    form_set_on(form, TARGET_FIELD_ENABLED, d->enabled);
    return 0;
}

void target_form_draft(const struct form *form, const struct target_draft *now, struct target_draft *ret)
{
    const struct form_value *v = form->v;
    uint32_t unseen = now ? now->lacks & ~ABILITIES_ASKED : 0;

    *ret = (struct target_draft){
        .upstream_model = v[TARGET_FIELD_UPSTREAM].text,
        .output_limit_field = v[TARGET_FIELD_LIMIT].text,
        .priority = (int32_t)v[TARGET_FIELD_PRIORITY].number,
        .weight = (int32_t)v[TARGET_FIELD_WEIGHT].number,
        .enabled = v[TARGET_FIELD_ENABLED].on,
        .lacks = unseen | ability_bits_of(v[TARGET_FIELD_LACKS].many, v[TARGET_FIELD_LACKS].n_many),
        .context_tokens = v[TARGET_FIELD_CONTEXT].number,
        .max_output_tokens = v[TARGET_FIELD_OUTPUT].number,
    };
}
