/* What is said to come from Stripe: the signature's header, read before anything is believed, and an event,
 * read after its signature held. */
#include "fuzz.h"

#include "base/bounds.h"
#include "payments/stripe_event.h"
#include "payments/stripe_signature.h"

#define AT INT64_C(1492774577)

static bool within(struct str part, struct str whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

static void header(struct str in)
{
    const struct str secrets[] = {STR(""), STR("whsec_known")};
    struct stripe_signature s;

    if (stripe_signature_read(in, &s) != STRIPE_SIGNATURE_OK)
        return;
    HOLDS(within(s.t, in) && s.at_s >= 0 && s.n > 0 && s.n <= STRIPE_V1_MAX);
    for (size_t i = 0; i < s.n; i++)
        HOLDS(within(s.v1[i], in) && s.v1[i].n == 64);
    HOLDS(stripe_signature_check(in, STR("{}"), secrets, 1, AT) == STRIPE_SIGNATURE_E_FORGED);
    HOLDS(stripe_signature_check(in, STR("{}"), NULL, 0, AT) == STRIPE_SIGNATURE_E_FORGED);
}

static void event(struct arena *a, struct str in)
{
    struct stripe_event e = {.what = STRIPE_NOTHING};

    if (stripe_event_read(a, in, &e) != STRIPE_EVENT_OK)
        return;
    HOLDS(e.id.n > 0 && e.id.n <= 180 && str_utf8(e.note));
    if (e.what == STRIPE_NOTHING)
        return;
    HOLDS(e.payment_id.n > 0 && e.payment_id.n <= 180 && e.amount.nano >= 0);
    if (e.what <= STRIPE_EXPIRED)
        HOLDS(e.reference.n > 0 && e.currency.n == 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(str_n((const char *)data, size));
    struct arena *a = arena_new(MIB(64));

    HOLDS(a);
    header((struct str){copy, size});
    event(a, (struct str){copy, size});
    arena_free(a);
    free(copy);
    return 0;
}
