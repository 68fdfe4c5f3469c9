/* stripe_form.c: see stripe_form.h. */
#include "payments/stripe_form.h"

#include <stdio.h>

#define NANO_PER_CENT INT64_C(10000000)

static void put_encoded(struct buf *out, struct str s)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            (c && strchr("-._~", c))) {
            buf_putc(out, (char)c);
        } else {
            buf_putc(out, '%');
            buf_putc(out, digits[c >> 4]);
            buf_putc(out, digits[c & 15]);
        }
    }
}

void stripe_form_put(struct buf *out, const char *name, struct str value)
{
    if (out->n > 0)
        buf_putc(out, '&');
    put_encoded(out, str_c(name));
    buf_putc(out, '=');
    put_encoded(out, value);
}

static void put_number(struct buf *out, const char *name, int64_t v)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)v);
    stripe_form_put(out, name, str_c(text));
}

void stripe_session_form(const struct stripe_session_wish *w, struct buf *out)
{
    stripe_form_put(out, "mode", STR("payment"));
    stripe_form_put(out, "client_reference_id", w->reference);
    stripe_form_put(out, "metadata[" STRIPE_ORDER_KEY "]", w->reference);
    stripe_form_put(out, "payment_intent_data[metadata][" STRIPE_ORDER_KEY "]", w->reference);
    stripe_form_put(out, "line_items[0][quantity]", STR("1"));
    stripe_form_put(out, "line_items[0][price_data][currency]", STR("usd"));
    put_number(out, "line_items[0][price_data][unit_amount]", w->cents);
    stripe_form_put(out, "line_items[0][price_data][product_data][name]", STR("Top-up"));
    stripe_form_put(out, "line_items[0][price_data][product_data][description]", w->reference);
    /* What is paid has to be the dollars of the order, not another currency's. */
    stripe_form_put(out, "adaptive_pricing[enabled]", STR("false"));
    stripe_form_put(out, "success_url", w->return_url);
    stripe_form_put(out, "cancel_url", w->return_url);
    put_number(out, "expires_at", w->expires_at_s);
}

bool stripe_cents(struct money amount, int64_t *ret)
{
    if (amount.nano <= 0 || amount.nano % NANO_PER_CENT != 0)
        return false;
    *ret = amount.nano / NANO_PER_CENT;
    return true;
}

bool stripe_money(int64_t cents, struct money *ret)
{
    int64_t nano;

    if (__builtin_mul_overflow(cents, NANO_PER_CENT, &nano))
        return false;
    *ret = (struct money){nano};
    return true;
}
