/* invoice.c: the kinds of lines. */
#include "ledger/invoice.h"

static const char *const kinds[] = {
    [INVOICE_TOPUP] = "topup",           [INVOICE_GRANT] = "grant", [INVOICE_REFUND] = "refund",
    [INVOICE_ADJUSTMENT] = "adjustment", [INVOICE_USAGE] = "usage",
};

const char *invoice_line_kind_name(enum invoice_line_kind kind)
{
    return kinds[kind];
}
