/* The signature of a webhook, as anybody can work it out. */
#include "unit.h"

#include "notices/webhook.h"

static void a_signature_is_the_hmac_of_time_and_body(void **state)
{
    struct arena *a = arena_new(4096);

    (void)state;
    assert_str(webhook_signature(a, STR("tgwh-secret"), 1795917605, STR("{\"id\":\"x\"}")),
               "t=1795917605,v1="
               "e895fa3d183259ecdb1c2cabce7d78a62ae9fbca6ff59f5580ac90282670eac6");
    arena_free(a);
}

static void another_body_time_or_secret_has_another(void **state)
{
    struct arena *a = arena_new(8192);
    struct str one = webhook_signature(a, STR("s"), 1, STR("body"));

    (void)state;
    assert_false(str_eq(one, webhook_signature(a, STR("s"), 1, STR("bodY"))));
    assert_false(str_eq(one, webhook_signature(a, STR("s"), 2, STR("body"))));
    assert_false(str_eq(one, webhook_signature(a, STR("t"), 1, STR("body"))));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_the_hmac_of_time_and_body),
        cmocka_unit_test(another_body_time_or_secret_has_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
