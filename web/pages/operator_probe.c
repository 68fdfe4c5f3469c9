/* operator_probe.c: see operator_probe.h. The probe waits for the provider, so no transaction stays
 * open meanwhile. */
#include "web/pages/operator_probe.h"

#include "gateway/operate.h"
#include "web/pages/operator_account.h"

int page_operator_account_test(struct web *w)
{
    struct operate_probe probe;
    struct account_row row;
    int r = operator_account_read(w, &row);

    if (r != 0)
        return web_outcome(w, r);
    web_leave_tx(w);
    r = operate_probe(w->services, w->db, w->arena, row.id, &probe);
    if (r == OPERATE_E_UNKNOWN)
        return web_fail_code(w, PROBLEM_NOT_FOUND);
    if (r != OPERATE_OK)
        return web_outcome(w, r < 0 ? r : DB_E_AWAY);
    r = web_again(w);
    if (r == 0)
        r = operator_account_read(w, &row);
    return r ? web_outcome(w, r)
             : operator_account_show(w, 200, &row, &(struct account_told){.probe = &probe});
}
