/* Words looked for in JSON: wherever they stand, and not where they only nearly do. */
#include "unit.h"

#include <stdio.h>

#include "base/random.h"
#include "json/word.h"

static bool plainly(struct str json, struct str word)
{
    return json.n && (memmem(json.p, json.n, word.p, word.n) || memmem(json.p, json.n, "\\u", 2));
}

static void found_wherever_it_stands(void **state)
{
    static const struct str words[] = {STR("earch"), STR("\"web\""), STR("ab"), STR("sixteen letters!"),
                                       STR("\\u")};
    char *text = malloc(200); /* so that a byte too many is seen by the sanitizers */

    assert_non_null(text);
    for (size_t n = 0; n <= 200; n++) {
        char *end = text + 200, *from = end - n;

        for (size_t w = 0; w < ARRAY_LEN(words); w++) {
            struct str looked_for = str_eq(words[w], STR("\\u")) ? STR("earch") : words[w];

            memset(text, '.', 200);
            assert_false(json_may_hold(str_n(from, n), looked_for));
            for (size_t at = 0; at + words[w].n <= n; at++) {
                memset(text, '.', 200);
                memcpy(from + at, words[w].p, words[w].n);
                assert_true(json_may_hold(str_n(from, n), looked_for));
                from[at + words[w].n - 1] ^= 1; /* all but the last */
                assert_false(json_may_hold(str_n(from, n), looked_for));
            }
        }
    }
    free(text);
}

static void the_same_as_one_byte_after_another(void **state)
{
    static const char letters[] = "earchu\\.";

    for (int i = 0; i < 20000; i++) {
        char text[120];
        size_t n = random_below(sizeof(text) + 1);

        for (size_t at = 0; at < n; at++)
            text[at] = letters[random_below(sizeof(letters) - 1 - (i % 2 ? 2 : 0))];
        for (size_t at = 0; i % 3 && at + 4 < n; at += 1 + random_below(12))
            memcpy(text + at, "earc", 4);
        if (json_may_hold(str_n(text, n), STR("earch")) != plainly(str_n(text, n), STR("earch")))
            fail_msg("%.*s", (int)n, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_wherever_it_stands),
        cmocka_unit_test(the_same_as_one_byte_after_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
