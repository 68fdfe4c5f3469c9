/* operator_model.c: see operator_model.h. */
#include "web/pages/operator_model.h"

#include "base/err.h"
#include "web/links.h"
#include "web/pages/operator_model_form.h"
#include "web/pages/operator_model_view.h"

int operator_model_read(struct web *w, struct model_row *ret)
{
    struct model_id id;

    if (!web_param_id(w, 0, &id.v))
        return CHANGE_E_NONE;
    return model_get(w->db, w->arena, id, ret);
}

int operator_model_show_again(struct web *w, const struct model_row *row,
                              const struct model_told *told)
{
    int r = web_again(w);

    return r ? web_outcome(w, r) : operator_model_show(w, 422, row, told);
}

int page_operator_model(struct web *w)
{
    struct model_row row;
    int r = operator_model_read(w, &row);

    return r ? web_outcome(w, r) : operator_model_show(w, 200, &row, &(struct model_told){0});
}

int page_operator_model_update(struct web *w)
{
    struct identity_fault fault = {0};
    struct model_draft draft;
    struct model_row row;
    struct form form;
    int r = operator_model_read(w, &row);

    if (r != 0)
        return web_outcome(w, r);
    draft = row.is;
    r = model_form_open(w, &form, &draft);
    if (r == 0)
        r = model_form_read(w, &form, false, &draft);
    if (r < 0)
        return err_trace(r);
    if (!form.wrong)
        r = model_edit(w->db, &w->actor, row.id, &draft, &fault);
    if (r == CHANGE_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return operator_model_show_again(w, &row, &(struct model_told){.form = &form});
    return web_redirect(w, link_model(w->arena, row.id, NULL), "Saved.");
}

/* --- incident switches --- */

int page_operator_model_pin(struct web *w)
{
    struct str text = str_trim(pairs_get(&w->submitted, "target"));
    struct target_id target = {0};
    struct model_row row;
    int r = operator_model_read(w, &row);

    if (text.n && str_i64(text, &target.v) != STR_OK)
        return web_fail_code(w, PROBLEM_BAD_FIELD);
    if (r == 0)
        r = model_pin(w->db, &w->actor, row.id, target);
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_model(w->arena, row.id, NULL),
                        target.v ? "Every call of this model goes to that target now."
                                 : "The pin is taken away.");
}

int page_operator_model_off(struct web *w)
{
    struct str reason = pairs_get(&w->submitted, "reason");
    struct identity_fault fault = {0};
    struct model_row row;
    int r = operator_model_read(w, &row);

    if (r == 0)
        r = model_switch_off(w->db, &w->actor, row.id, reason.p ? reason : STR(""), &fault);
    if (r == CHANGE_E_FAULT)
        return operator_model_show_again(w, &row,
                                         &(struct model_told){.off_fault = fault.sentence});
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_model(w->arena, row.id, NULL), "The model is switched off.");
}

int page_operator_model_on(struct web *w)
{
    struct model_row row;
    int r = operator_model_read(w, &row);

    if (r == 0)
        r = model_switch_off(w->db, &w->actor, row.id, STR_NONE, NULL);
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_model(w->arena, row.id, NULL), "The model is switched on again.");
}

/* --- aliases --- */

int page_operator_model_add_alias(struct web *w)
{
    struct str alias = str_trim(pairs_get(&w->submitted, "alias"));
    struct identity_fault fault = {0};
    struct model_row row;
    int r = operator_model_read(w, &row);

    if (r == 0)
        r = model_add_alias(w->db, &w->actor, row.id, alias, &fault);
    if (r == CHANGE_E_FAULT)
        return operator_model_show_again(
            w, &row, &(struct model_told){.alias = alias, .alias_fault = fault.sentence});
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_model(w->arena, row.id, NULL), "The alias is added.");
}

int page_operator_model_drop_alias(struct web *w)
{
    struct str alias = pairs_get(&w->submitted, "alias");
    struct model_row row;
    int r = operator_model_read(w, &row);

    if (r == 0)
        r = alias.n ? model_drop_alias(w->db, &w->actor, row.id, alias) : CHANGE_E_NONE;
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_model(w->arena, row.id, NULL), "The alias is taken away.");
}
