/* operator_account.c: see operator_account.h. */
#include "web/pages/operator_account.h"

#include "base/err.h"
#include "gateway/operate.h"
#include "providers/health.h"
#include "web/links.h"
#include "web/pages/operator_account_form.h"
#include "web/pages/operator_area.h"
#include "web/pages/probe.h"
#include "web/view.h"

int operator_account_read(struct web *w, struct account_row *ret)
{
    struct account_id id;

    if (!web_param_id(w, 0, &id.v))
        return CHANGE_E_NONE;
    return account_get(w->db, w->arena, id, ret);
}

static void links_of(struct web *w, struct account_id id, struct json_object *view)
{
    json_set_str(view, "key_link", link_provider_account(w->arena, id, "key"));
    json_set_str(view, "test_link", link_provider_account(w->arena, id, "test"));
    json_set_str(view, "adopt_link", link_provider_account(w->arena, id, "adopt"));
    json_set_str(view, "enable_link", link_provider_account(w->arena, id, "enable"));
    json_set_str(view, "disable_link", link_provider_account(w->arena, id, "disable"));
    json_set_str(view, "delete_link", link_provider_account(w->arena, id, "delete"));
}

static void put_duration(struct json_object *view, const char *key, int64_t us)
{
    if (us > 0)
        view_duration(view, key, us);
    else
        json_set_null(view, key);
}

/* What this node saw of it. */
static void health_view_of(struct web *w, const struct account_row *row, struct json_object *view)
{
    struct health_view h = {0};
    struct json_object *o;

    if (w->services->health)
        health_read(health_at(w->services->health, row->id, row->is.team.v != 0), clock_mono_ms(), &h);
    if (!h.tries) {
        json_set_null(view, "health");
        return;
    }
    o = json_new_object();
    json_set_str(o, "node", w->services->node_name);
    view_count(o, "tries", (int64_t)h.tries);
    view_percent(o, "errors", h.error_ppm, 1000000);
    json_set_i64(o, "in_a_row", h.failures_in_a_row);
    put_duration(o, "first_byte", h.first_byte_us);
    put_duration(o, "latency", h.latency_us);
    if (h.cool_for_ms > 0)
        view_duration(o, "cool_for", h.cool_for_ms * 1000);
    else
        json_set_null(o, "cool_for");
    json_set(view, "health", o);
}

int operator_account_show(struct web *w, int status, const struct account_row *row,
                          const struct account_told *told)
{
    struct json_object *view = json_new_object();
    struct form stored, empty;
    const struct form *form = told->form, *secret = told->secret;
    int r = 0;

    account_common_view(w, row, view);
    links_of(w, row->id, view);
    json_set_bool(view, "wants_key", row->provider && row->provider->auth != PROVIDER_AUTH_NONE);
    json_set_bool(view, "with_credential", false);
    json_set_bool(view, "known", row->provider != NULL);
    json_set_null(view, "form");
    if (!form && row->provider) {
        r = account_form_open(w, &stored, row->provider);
        if (r == 0)
            account_form_show(&stored, &row->is);
        form = &stored;
    }
    if (r == 0 && !secret && row->provider) {
        r = account_form_open(w, &empty, row->provider);
        secret = &empty;
    }
    if (r < 0) {
        json_unref(view);
        return err_trace(r);
    }
    if (row->provider) {
        account_form_view(form, row->provider, view);
        account_secret_view(secret, row->provider, view);
    } else {
        json_set_null(view, "secret");
    }
    health_view_of(w, row, view);
    probe_view(w, told->probe, view);
    view_time(view, "created", row->created_us, w->zone, w->now_us);
    json_set_cstr(view, "delete_fault", told->delete_fault);
    return operator_render(w, status, "operator_account", "Provider account", view);
}

/* After a refused change: the page says why. */
static int show_again(struct web *w, const struct account_row *row, const struct account_told *told)
{
    int r = web_again(w);

    return r ? web_outcome(w, r) : operator_account_show(w, 422, row, told);
}

int page_operator_account(struct web *w)
{
    struct account_row row;
    int r = operator_account_read(w, &row);

    return r ? web_outcome(w, r) : operator_account_show(w, 200, &row, &(struct account_told){0});
}

int page_operator_account_update(struct web *w)
{
    struct identity_fault fault = {0};
    struct account_draft draft;
    struct account_row row;
    struct form form;
    int r = operator_account_read(w, &row);

    if (r != 0)
        return web_outcome(w, r);
    if (!row.provider)
        return web_fail_code(w, PROBLEM_BAD_FIELD);
    r = account_form_open(w, &form, row.provider);
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r < 0)
        return err_trace(r);
    account_form_draft(&form, row.provider, &draft);
    draft.team = row.is.team;
    draft.own_only = row.is.own_only;
    if (!form.wrong)
        r = account_edit(w->db, &w->actor, row.id, &draft, &fault);
    if (r == CHANGE_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return show_again(w, &row, &(struct account_told){.form = &form});
    return web_redirect(w, link_provider_account(w->arena, row.id, NULL), "Saved.");
}

/* Only the parts of a credential are read of the form here, so only their faults count. */
static int read_secret(struct web *w, const struct provider *p, struct form *form,
                       struct str *ret)
{
    int r = account_form_open(w, form, p);

    if (r == 0)
        r = form_read(form, &w->submitted);
    form->wrong = false;
    return r < 0 ? err_trace(r) : account_form_secret(form, p, ret);
}

int page_operator_account_key(struct web *w)
{
    struct identity_fault fault = {0};
    struct str secret = STR_NONE;
    struct account_row row;
    struct form form;
    int r = operator_account_read(w, &row);

    if (r != 0)
        return web_outcome(w, r);
    if (!row.provider)
        return web_fail_code(w, PROBLEM_BAD_FIELD);
    r = read_secret(w, row.provider, &form, &secret);
    if (r == 0 && !form.wrong)
        r = account_set_key(w->db, &w->actor, w->services->seal_key, row.id, secret, &fault);
    if (r == CHANGE_E_FAULT)
        form_fault(&form, &fault);
    else if (r != 0)
        return web_outcome(w, r);
    if (form.wrong)
        return show_again(w, &row, &(struct account_told){.secret = &form});
    return web_redirect(w, link_provider_account(w->arena, row.id, NULL),
                        secret.n ? "The new credential is in use."
                                 : "The account has no credential now.");
}

int page_operator_account_adopt(struct web *w)
{
    struct account_row row;
    struct str done;
    int64_t targets;
    int r = operator_account_read(w, &row);

    if (r == 0)
        r = account_adopt_offers(w->db, &w->actor, row.id, &targets);
    if (r != 0)
        return web_outcome(w, r);
    done = targets ? arena_strf(w->arena, "It serves %.*s more now.",
                                STR_FMT(view_plural(w->arena, targets, "model", NULL)))
                   : STR("The catalogue knows nothing more that it could serve.");
    return web_redirect(w, link_provider_account(w->arena, row.id, NULL), done.p);
}

static int set_enabled(struct web *w, bool enabled)
{
    struct account_row row;
    int r = operator_account_read(w, &row);

    if (r == 0)
        r = account_enable(w->db, &w->actor, row.id, enabled);
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_provider_account(w->arena, row.id, NULL),
                        enabled ? "The account is enabled." : "The account is disabled.");
}

int page_operator_account_enable(struct web *w)
{
    return set_enabled(w, true);
}

int page_operator_account_disable(struct web *w)
{
    return set_enabled(w, false);
}

int page_operator_account_delete(struct web *w)
{
    struct account_row row;
    int r = operator_account_read(w, &row);

    if (r != 0)
        return web_outcome(w, r);
    if (!str_eq(str_trim(pairs_get(&w->submitted, "confirm")), row.is.name))
        return show_again(
            w, &row, &(struct account_told){.delete_fault = "This is not the account’s name."});
    r = account_delete(w->db, &w->actor, row.id);
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_to(LINK_operator_accounts), "The account is deleted.");
}
