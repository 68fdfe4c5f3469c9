/* booking.c: see booking.h. */
#include "payments/booking.h"

#include <string.h>

#include "base/bounds.h"
#include "base/clock.h"
#include "base/err.h"
#include "identity/field.h"
#include "json/value.h"

#define REFERENCE_CHARS 100
#define AUDIT_BYTES KIB(8)

struct posting_actor booking_actor(const struct actor *actor)
{
    return (struct posting_actor){str_c(actor_kind_name(actor->kind)), actor->id, actor->name};
}

bool booking_refused_as(const struct db *db, const char *state)
{
    return strncmp(db_last_error(db), state, strlen(state)) == 0;
}

int booking_refusal(const struct db *db, struct identity_fault *fault)
{
    if (booking_refused_as(db, "TG003"))
        return IDENTITY_E_NONE;
    if (booking_refused_as(db, "TG002"))
        return identity_fault_set(fault, "reference",
                                  "The reference was used for another amount.");
    return identity_fault_set(fault, "amount",
                              "The ledger cannot take this amount: the account would be beyond a "
                              "billion dollars.");
}

int booking_check_reason(struct str *reason, size_t min, struct identity_fault *fault)
{
    return field_line(reason, "reason", min, 300, fault);
}

int booking_check_reference(struct str *reference, struct identity_fault *fault)
{
    return field_line(reference, "reference", 1, REFERENCE_CHARS, fault);
}

int booking_audit(struct db *db, const struct actor *actor, struct audit_entry *entry,
                  const struct booking *what)
{
    struct json_object *after = json_new_object();

    json_set_money(after, "amount", what->amount);
    json_set_str(after, "reason", what->reason);
    json_set_str(after, "reference", what->reference);
    return booking_audit_object(db, actor, entry, after);
}

int booking_audit_object(struct db *db, const struct actor *actor, struct audit_entry *entry,
                         struct json_object *object)
{
    _cleanup_json_ struct json_object *after = object;
    struct buf text;
    int r;

    buf_init(&text, AUDIT_BYTES);
    r = json_print(after, &text);
    entry->after = buf_str(&text);
    if (r == 0)
        r = audit_write(db, actor, entry);
    buf_done(&text);
    return r;
}

static int check_amount(struct money amount, bool may_be_negative, struct identity_fault *fault)
{
    if (amount.nano == 0)
        return identity_fault_set(fault, "amount", "Nothing would change.");
    if (amount.nano < 0 && !may_be_negative)
        return identity_fault_set(fault, "amount", "The amount has to be above zero.");
    if (amount.nano > BOOKING_MAX_NANO || amount.nano < -BOOKING_MAX_NANO)
        return identity_fault_set(fault, "amount", "At most $1,000,000 at a time.");
    return 0;
}

int booking_adjust(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                   const struct booking *wish, int64_t *ret_transfer, struct identity_fault *fault)
{
    struct booking b = *wish;
    struct posting_actor poster = booking_actor(actor);
    struct audit_entry entry = {.team = team, .action = "balance.adjust", .kind = "transfer"};
    bool known;
    int r = check_amount(b.amount, true, fault);

    if (r == 0)
        r = booking_check_reason(&b.reason, 3, fault);
    if (r == 0)
        r = booking_check_reference(&b.reference, fault);
    if (r == 0)
        r = statement_known(db, team, STR("ADJUST"), b.reference, &known);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    r = statement_adjust(db, team, b.amount, b.reference, b.reason, &poster, &entry.object_id);
    if (r == STATEMENT_E_REFUSED)
        return booking_refusal(db, fault);
    if (r == 0 && !known)
        r = booking_audit(db, actor, &entry, &b);
    if (r == 0 && ret_transfer)
        *ret_transfer = entry.object_id;
    return r < 0 ? err_trace(r) : r;
}

static int check_grant(struct grant_wish *w, struct identity_fault *fault)
{
    int r = check_amount(w->amount, false, fault);

    if (r == 0)
        r = field_line(&w->name, "name", 1, 80, fault);
    if (r == 0)
        r = booking_check_reason(&w->reason, 3, fault);
    if (r == 0 && (w->priority < 0 || w->priority > GRANT_PRIORITY_MAX))
        return identity_fault_set(fault, "priority", "A whole number from 0 to 1000.");
    if (r == 0 && w->expires_us != 0 && w->expires_us <= clock_wall_us())
        return identity_fault_set(fault, "expires", "The end has to lie in the future.");
    return r == 0 ? booking_check_reference(&w->reference, fault) : r;
}

static int grant_refusal(const struct db *db, struct identity_fault *fault)
{
    if (booking_refused_as(db, "TG005"))
        return identity_fault_set(fault, "expires", "The end has to lie in the future.");
    if (booking_refused_as(db, "TG006"))
        return identity_fault_set(fault, "",
                                  "The team has 100 grants that are not used up. End some first.");
    return booking_refusal(db, fault);
}

int booking_grant(struct db *db, struct arena *a, const struct actor *actor, struct team_id team,
                  const struct grant_wish *wish, int64_t *ret_transfer,
                  struct identity_fault *fault)
{
    struct grant_wish w = *wish;
    struct posting_actor poster = booking_actor(actor);
    struct audit_entry entry = {.team = team, .action = "balance.grant", .kind = "transfer"};
    bool known;
    int r = check_grant(&w, fault);

    if (r == 0)
        r = statement_known(db, team, STR("GRANT"), w.reference, &known);
    if (r == 0 && (r = grant_post(db, team, &w, &poster, &entry.object_id)) == STATEMENT_E_REFUSED)
        return grant_refusal(db, fault);
    if (r == 0 && !known)
        r = booking_audit(db, actor, &entry,
                          &(struct booking){w.amount, w.reason, w.reference});
    if (r == 0 && ret_transfer)
        *ret_transfer = entry.object_id;
    return r < 0 ? err_trace(r) : r;
}

int booking_end_grant(struct db *db, const struct actor *actor, struct team_id team, int64_t grant)
{
    struct audit_entry entry = {
        .team = team, .action = "grant.end", .kind = "grant", .object_id = grant};
    int r = grant_end(db, team, grant);

    if (r == STATEMENT_E_NONE)
        return IDENTITY_E_NONE;
    if (r == 0)
        r = audit_write(db, actor, &entry);
    return r == 0 ? 0 : err_trace(r);
}

const char *booking_only(struct arena *a, struct money left, const char *rest)
{
    struct buf b;
    struct str text;

    buf_init(&b, 512);
    buf_puts(&b, "Only $");
    money_put(&b, left, 2);
    buf_puts(&b, rest);
    text = arena_str(a, buf_str(&b));
    buf_done(&b);
    return text.p ? text.p : rest;
}

static int note_refusal(struct db *db, struct arena *a, struct money left,
                        struct identity_fault *fault)
{
    if (booking_refused_as(db, "TG023"))
        return IDENTITY_E_NONE;
    if (booking_refused_as(db, "TG021"))
        return identity_fault_set(
            fault, "amount", booking_only(a, left, " of this invoice is not credited yet."));
    return booking_refusal(db, fault);
}

int booking_credit_note(struct db *db, struct arena *a, const struct actor *actor,
                        struct team_id team, int64_t invoice_id, const struct booking *wish,
                        int64_t *ret_id, struct identity_fault *fault)
{
    struct booking b = *wish;
    struct posting_actor poster = booking_actor(actor);
    struct audit_entry entry = {.team = team, .action = "credit_note.issue", .kind = "credit_note"};
    struct money left = MONEY_ZERO;
    bool is_new = false;
    int r = check_amount(b.amount, false, fault);

    if (r == 0)
        r = booking_check_reason(&b.reason, 3, fault);
    if (r == 0)
        r = booking_check_reference(&b.reference, fault);
    if (r == 0)
        r = credit_note_left(db, team, invoice_id, &left);
    if (r != 0)
        return r < 0 ? err_trace(r) : r;
    r = credit_note_issue(
        db, a, team, &(struct credit_note_wish){invoice_id, b.amount, b.reason, b.reference},
        &poster, &entry.object_id, &is_new);
    if (r == CREDIT_NOTE_E_REFUSED)
        return note_refusal(db, a, left, fault);
    if (r == 0 && is_new)
        r = booking_audit(db, actor, &entry, &b);
    if (r == 0 && ret_id)
        *ret_id = entry.object_id;
    return r < 0 ? err_trace(r) : r;
}
