/* operator_target.c: see operator_target.h. */
#include "web/pages/operator_target.h"

#include "base/err.h"
#include "web/links.h"
#include "web/pages/operator_model.h"
#include "web/pages/operator_target_form.h"

int page_operator_target_add(struct web *w)
{
    struct identity_fault fault = {0};
    struct account_id account = {0};
    struct target_draft draft;
    struct target_id id;
    struct model_row model;
    struct form form;
    int r = operator_model_read(w, &model);

    if (r == 0)
        r = target_form_new(w, &form, NULL);
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r != 0)
        return web_outcome(w, r);
    target_form_draft(&form, NULL, &draft);
    if (!form.wrong && str_i64(form.v[TARGET_FIELD_ACCOUNT].text, &account.v) != STR_OK)
        form_fault_at(&form, TARGET_FIELD_ACCOUNT, "Choose from the list.");
    if (!form.wrong)
        r = target_add(w->db, &w->actor, model.id, account, &draft, &id, &fault);
    if (r == CHANGE_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return operator_model_show_again(w, &model, &(struct model_told){.add_target = &form});
    return web_redirect(w, link_model(w->arena, model.id, NULL), "The target is added.");
}

/* The target in the path and the model that it serves. */
static int read_target(struct web *w, struct target_id *ret, struct model_row *ret_model)
{
    struct target_id id;
    struct model_id model;
    int r;

    if (!web_param_id(w, 0, &id.v))
        return CHANGE_E_NONE;
    r = target_model(w->db, id, &model);
    if (r == 0)
        r = model_get(w->db, w->arena, model, ret_model);
    if (r == 0)
        *ret = id;
    return r;
}

/* As it stands. */
static int read_draft(struct web *w, struct target_id id, struct model_id model, struct target_draft *ret)
{
    struct target_row *rows = NULL;
    size_t n = 0;
    int r = target_list(w->db, w->arena, model, &rows, &n);

    if (r != 0)
        return r;
    for (size_t i = 0; i < n; i++)
        if (rows[i].id.v == id.v) {
            *ret = rows[i].is;
            return 0;
        }
    return CHANGE_E_NONE;
}

/* As the partial of the edit form has it: no account. */
static int read_form(struct web *w, struct form *form)
{
    int r = target_form_open(w, form);

    if (r == 0)
        r = form_read(form, &w->submitted);
    return r;
}

int page_operator_target_update(struct web *w)
{
    struct identity_fault fault = {0};
    struct target_draft now, draft;
    struct model_row model;
    struct target_id id;
    struct form form;
    int r = read_target(w, &id, &model);

    if (r == 0)
        r = read_draft(w, id, model.id, &now);
    if (r == 0)
        r = read_form(w, &form);
    if (r != 0)
        return web_outcome(w, r);
    target_form_draft(&form, &now, &draft);
    if (!form.wrong)
        r = target_edit(w->db, &w->actor, id, &draft, &fault);
    if (r == CHANGE_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return operator_model_show_again(w, &model,
                                         &(struct model_told){.target = &form, .target_id = id});
    return web_redirect(w, link_model(w->arena, model.id, NULL), "Saved.");
}

int page_operator_target_delete(struct web *w)
{
    struct model_row model;
    struct target_id id;
    int r = read_target(w, &id, &model);

    if (r == 0)
        r = target_delete(w->db, &w->actor, id);
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_model(w->arena, model.id, NULL), "The target is deleted.");
}
