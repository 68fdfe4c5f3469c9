/* operator_money.c: see operator_money.h. */
#include "web/pages/operator_money.h"

#include <inttypes.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/random.h"
#include "ledger/statement.h"
#include "logs/installation.h"
#include "web/form.h"
#include "web/links.h"
#include "web/pages/operator_team.h"
#include "web/view.h"

/* A million dollars at a time, as the ledger's own limit. */
#define MOST INT64_C(1000000000000000)

enum { AMOUNT, REASON, REFERENCE, FIELDS };

static const struct form_field adjust_fields[FIELDS] = {
    [AMOUNT] = {"amount", "Amount, $", FORM_MONEY, .required = true, .min = -MOST, .max = MOST,
                .placeholder = "-12.50", .help = "Below zero takes money away.",
                .autocomplete = "off"},
    [REASON] = {"reason", "Reason", FORM_TEXT, .required = true, .min = 3, .max = 300,
                .help = "Stands in the team’s ledger and on its invoice.", .autocomplete = "off"},
    [REFERENCE] = {"reference", "Reference", FORM_TEXT, .required = true, .min = 8, .max = 100},
};
static const struct form_field grant_fields[FIELDS] = {
    [AMOUNT] = {"amount", "Amount, $", FORM_MONEY, .required = true, .min = 1, .max = MOST,
                .placeholder = "25", .help = "Promotional: it is no payment.",
                .autocomplete = "off"},
    [REASON] = {"reason", "Reason", FORM_TEXT, .required = true, .min = 3, .max = 300,
                .help = "Stands in the team’s ledger and on its invoice.", .autocomplete = "off"},
    [REFERENCE] = {"reference", "Reference", FORM_TEXT, .required = true, .min = 8, .max = 100},
};

struct movement {
    const char *code, *action, *done;
    const struct form_field *fields;
    int (*book)(struct db *, struct team_id, struct money, struct str, struct str, struct str,
                int64_t, struct str, int64_t *);
    bool grant;
};

static const struct movement adjustment = {
    "ADJUST", "balance.adjust", "The balance is adjusted.", adjust_fields, statement_adjust, false};
static const struct movement granting = {"GRANT",      "balance.grant", "The grant is booked.",
                                         grant_fields, statement_grant, true};

int operator_money_forms(struct web *w, const struct form *adjust, const struct form *grant,
                         struct json_object *view)
{
    const struct form_field *const tables[] = {adjust_fields, grant_fields};
    const struct form *const given[] = {adjust, grant};
    static const char *const keys[] = {"adjust", "grant"};

    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        struct form empty;
        int r = form_init(&empty, w->arena, tables[i], FIELDS);

        if (r < 0)
            return err_trace(r);
        form_set(&empty, REFERENCE,
                 arena_strf(w->arena, "op-%016" PRIx64 "%016" PRIx64, random_u64(), random_u64()));
        form_view(given[i] ? given[i] : &empty, view, keys[i]);
    }
    /* Number pads of telephones have no minus sign. */
    json_set_null(json_get(json_get(view, "adjust"), "amount"), "mode");
    return 0;
}

static int audit_movement(struct web *w, const struct movement *m, struct team_id team,
                          const struct form *form, int64_t transfer)
{
    _cleanup_json_ struct json_object *after = json_new_object();
    struct audit_entry entry = {
        .team = team, .action = m->action, .kind = "transfer", .object_id = transfer};
    struct buf text;
    int r;

    json_set_money(after, "amount", form->v[AMOUNT].money);
    json_set_str(after, "reason", form->v[REASON].text);
    json_set_str(after, "reference", form->v[REFERENCE].text);
    buf_init(&text, KIB(8));
    r = json_print(after, &text);
    entry.after = r == 0 ? arena_str(w->arena, buf_str(&text)) : STR_NONE;
    buf_done(&text);
    return r == 0 ? audit_write(w->db, &w->actor, &entry) : err_trace(r);
}

/* A form that was sent twice is booked, and audited, once. */
static int book(struct web *w, const struct movement *m, struct team_id team,
                const struct form *form)
{
    struct str reference = form->v[REFERENCE].text;
    int64_t transfer;
    bool known;
    int r = installation_has_transfer(w->db, team, str_c(m->code), reference, &known);

    if (r == 0)
        r = m->book(w->db, team, form->v[AMOUNT].money, reference, form->v[REASON].text,
                    str_c(actor_kind_name(w->actor.kind)), w->actor.id, w->actor.name, &transfer);
    if (r == 0 && !known)
        r = audit_movement(w, m, team, form, transfer);
    return r;
}

static int move(struct web *w, const struct movement *m)
{
    struct team_told told = {0};
    struct team team;
    struct form form;
    int r = operator_team_read(w, &team);

    if (r == 0)
        r = form_init(&form, w->arena, m->fields, FIELDS);
    if (r == 0)
        r = form_read(&form, &w->submitted);
    if (r != 0)
        return web_outcome(w, r);
    if (!form.wrong && form.v[AMOUNT].money.nano == 0)
        form_fault_at(&form, AMOUNT, "Nothing would change.");
    if (!form.wrong)
        r = book(w, m, team.id, &form);
    if (r == STATEMENT_E_REFUSED)
        form_fault_at(&form, AMOUNT,
                      "The ledger refuses this: the form was sent before with "
                      "another amount. Open the team’s page anew.");
    else if (r != 0)
        return web_outcome(w, r);
    if (!form.wrong)
        return web_redirect(w, link_operator_team(w->arena, team.id, NULL), m->done);
    told.adjust = m->grant ? NULL : &form;
    told.grant = m->grant ? &form : NULL;
    return operator_team_show_again(w, &team, &told);
}

int page_operator_team_adjust(struct web *w)
{
    return move(w, &adjustment);
}

int page_operator_team_grant(struct web *w)
{
    return move(w, &granting);
}
