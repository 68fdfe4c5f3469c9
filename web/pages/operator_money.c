/* operator_money.c: see operator_money.h. */
#include "web/pages/operator_money.h"

#include <errno.h>
#include <inttypes.h>

#include "base/err.h"
#include "base/random.h"
#include "payments/booking.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/operator_team.h"
#include "web/view.h"

#define MOST BOOKING_MAX_NANO

enum { AMOUNT, REASON, REFERENCE, ADJUST_FIELDS, NAME = ADJUST_FIELDS, PRIORITY, EXPIRES, GRANT_FIELDS };

#define AMOUNT_FIELD(least, hint, note)                                                            \
    {                                                                                              \
        "amount", "Amount, $", FORM_MONEY, .required = true, .min = least, .max = MOST,            \
                                           .placeholder = hint, .help = note,                      \
                                           .autocomplete = "off"                                   \
    }
#define REASON_FIELD                                                                               \
    {                                                                                              \
        "reason", "Reason", FORM_TEXT, .required = true, .min = 3, .max = 300,                     \
                                       .help = "Stands in the team’s ledger and on its invoice.",  \
                                       .autocomplete = "off"                                       \
    }
#define REFERENCE_FIELD                                                                            \
    {                                                                                              \
        "reference", "Reference", FORM_TEXT, .required = true, .min = 8, .max = 100                \
    }

static const struct form_field adjust_fields[ADJUST_FIELDS] = {
    [AMOUNT] = AMOUNT_FIELD(-MOST, "-12.50", "Below zero takes money away."),
    [REASON] = REASON_FIELD,
    [REFERENCE] = REFERENCE_FIELD,
};
static const struct form_field grant_fields[GRANT_FIELDS] = {
    [AMOUNT] = AMOUNT_FIELD(1, "25", "Promotional: used before what was paid in."),
    [REASON] = REASON_FIELD,
    [REFERENCE] = REFERENCE_FIELD,
    [NAME] = {"name", "Name", FORM_TEXT, .required = true, .min = 1, .max = 80,
              .placeholder = "Welcome credit", .help = "What the team sees it as.",
              .autocomplete = "off"},
    [PRIORITY] = {"priority", "Priority", FORM_INTEGER, .required = true, .min = 0,
                  .max = GRANT_PRIORITY_MAX, .help = "The smallest is used first.",
                  .autocomplete = "off"},
    [EXPIRES] = {"expires", "Ends after", FORM_DAY,
                 .help = "A day of the team’s time zone; empty: never.", .autocomplete = "off"},
};

struct str operator_new_reference(struct arena *a)
{
    return arena_strf(a, "op-%016" PRIx64 "%016" PRIx64, random_u64(), random_u64());
}

int operator_money_forms(struct web *w, const struct form *adjust, const struct form *grant,
                         struct json_object *view)
{
    static const struct {
        const struct form_field *fields;
        size_t n;
        const char *key;
    } tables[] = {{adjust_fields, ADJUST_FIELDS, "adjust"}, {grant_fields, GRANT_FIELDS, "grant"}};
    const struct form *const given[] = {adjust, grant};

    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        struct form empty;
        int r = form_init(&empty, w->arena, tables[i].fields, tables[i].n);

        if (r < 0)
            return err_trace(r);
        form_set(&empty, REFERENCE, operator_new_reference(w->arena));
        if (tables[i].n > PRIORITY)
            form_set_i64(&empty, PRIORITY, GRANT_PRIORITY_USUAL);
        form_view(given[i] ? given[i] : &empty, view, tables[i].key);
    }
    /* Number pads of telephones have no minus sign. */
    json_set_null(json_get(json_get(view, "adjust"), "amount"), "mode");
    return 0;
}

static int read_form(struct web *w, struct team *team, struct form *form,
                     const struct form_field *fields, size_t n)
{
    int r = operator_team_read(w, team);

    if (r == 0)
        r = form_init(form, w->arena, fields, n);
    if (r == 0)
        r = form_read(form, &w->submitted);
    return r;
}

/* A refused booking goes back to its form. Its hidden reference, once used, asks for a new page. */
static int refused(struct web *w, const struct team *team, struct form *form,
                   const struct identity_fault *fault, const struct team_told *told)
{
    if (!form->wrong && str_eq_c(str_c(fault->field), "reference"))
        form_fault_at(form, AMOUNT,
                      "This form was sent before with another amount. Open the team’s page anew.");
    else if (!form->wrong)
        form_fault(form, fault);
    return operator_team_show_again(w, team, told);
}

int page_operator_team_adjust(struct web *w)
{
    struct identity_fault fault = {0};
    struct team team;
    struct form form;
    int r = read_form(w, &team, &form, adjust_fields, ADJUST_FIELDS);

    if (r != 0)
        return web_outcome(w, r);
    if (!form.wrong)
        r = booking_adjust(w->db, w->arena, &w->actor, team.id,
                           &(struct booking){form.v[AMOUNT].money, form.v[REASON].text,
                                             form.v[REFERENCE].text},
                           NULL, &fault);
    if (form.wrong || r == IDENTITY_E_FAULT)
        return refused(w, &team, &form, &fault, &(struct team_told){.adjust = &form});
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_operator_team(w->arena, team.id, NULL), "The balance is adjusted.");
}

int page_operator_team_grant(struct web *w)
{
    struct identity_fault fault = {0};
    struct team team;
    struct form form;
    int r = read_form(w, &team, &form, grant_fields, GRANT_FIELDS);
    struct zone *zone = r == 0 ? zone_open(w->arena, team.settings.time_zone) : NULL;

    if (r == 0 && !zone)
        r = err_origin(-ENOMEM);
    if (r != 0)
        return web_outcome(w, r);
    if (!form.wrong)
        r = booking_grant(w->db, w->arena, &w->actor, team.id,
                          &(struct grant_wish){
                              .amount = form.v[AMOUNT].money,
                              .name = form.v[NAME].text,
                              .reason = form.v[REASON].text,
                              .priority = (int32_t)form.v[PRIORITY].number,
                              .expires_us = zone_end_of_day_us(zone, form.v[EXPIRES].text),
                              .reference = form.v[REFERENCE].text,
                          },
                          NULL, &fault);
    if (form.wrong || r == IDENTITY_E_FAULT)
        return refused(w, &team, &form, &fault, &(struct team_told){.grant = &form});
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_operator_team(w->arena, team.id, NULL), "The grant is booked.");
}

int page_operator_team_end_grant(struct web *w)
{
    struct team team;
    int64_t grant;
    int r = operator_team_read(w, &team);

    if (r == 0)
        r = web_param_id(w, 1, &grant) ? booking_end_grant(w->db, &w->actor, team.id, grant)
                                       : IDENTITY_E_NONE;
    if (r != 0)
        return web_outcome(w, r);
    return web_redirect(w, link_operator_team(w->arena, team.id, NULL),
                        "The grant ends: what is left of it is moved back within seconds.");
}
