/* dues.c: see dues.h. */
#include "dues.h"

#include "base/log.h"
#include "ledger/grant.h"
#include "ledger/invoice.h"
#include "payments/payment.h"
#include "responses/stored.h"

/* What fails of one kind does not hold up the other. */
int dues_expire(struct db *db)
{
    bool orders = false, grants = false;
    int r = money_due(db, &orders, &grants), grants_r = 0;

    if (r == 0 && grants)
        grants_r = grant_expire_due(db);
    if (r == 0 && orders)
        r = payment_tick(db);
    return r ? r : grants_r;
}

int dues_invoice(struct db *db)
{
    int64_t issued = 0;
    int r = invoice_issue_due(db, &issued);

    if (issued)
        log_info("invoices_issued", "count=%lld", (long long)issued);
    return r;
}

int dues_forget(struct db *db)
{
    int64_t removed = 0;
    int r = stored_expire(db, &removed);

    if (removed)
        log_info("responses_removed", "count=%lld", (long long)removed);
    return r;
}
