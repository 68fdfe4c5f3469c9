/* Every page as a visitor without scripts meets it: the guards around it, the forms, and that no
 * template asks for a name that its view does not have (the templates are strict here). */
#include "visitor.h"

#include <liboath/oath.h>

static struct browse site;

static int setup(void **state)
{
    (void)state;
    browse_start(&site);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    browse_stop(&site);
    return 0;
}

#define SIGN_UP "name=Ada+Lovelace&email=ada%40example.org&password=correct+horse+staple&team_name=Acme"
#define SIGN_IN "email=ada%40example.org&password=correct+horse+staple"

static void signed_up(void)
{
    _cleanup_(freep) char *answer = NULL;

    forget_cookies(&site);
    answer = browse_send(&site, "/sign-in", "/sign-in", SIGN_IN);
    if (status_of(answer) == 303)
        return;
    free(answer);
    answer = browse_send(&site, "/sign-up", "/sign-up", SIGN_UP);
    assert_status(answer, 303);
}

static void pages_carry_the_policy(void **state)
{
    _cleanup_(freep) char *page = browse_get(&site, "/sign-in");

    (void)state;
    assert_status(page, 200);
    assert_has(page, "default-src 'none'; script-src 'self'; style-src 'self'");
    assert_has(page, "frame-ancestors 'none'");
    assert_has(page, "referrer-policy: same-origin");
    assert_has_not(page, "<script>");
    assert_has_not(page, " style=");
    assert_has_not(page, " onclick=");
}

static void anonymous_visitors_are_asked_to_sign_in_and_brought_back(void **state)
{
    _cleanup_(freep) char *answer = NULL, *page = NULL, *in = NULL;

    (void)state;
    signed_up();
    forget_cookies(&site);
    answer = browse_get(&site, "/account");
    assert_status(answer, 303);
    assert_has(answer, "location: /sign-in?next=%2Faccount");
    page = browse_get(&site, "/sign-in?next=%2Faccount");
    assert_has(page, "name=\"next\" value=\"/account\"");
    in = browse_send(&site, "/sign-in", "/sign-in", SIGN_IN "&next=%2Faccount");
    assert_has(in, "location: /account");
}

static void a_filter_is_brought_back_too(void **state)
{
    _cleanup_(freep) char *answer = NULL, *page = NULL, *in = NULL, *path = NULL, *long_one = NULL;
    char tag[3000];

    (void)state;
    signed_up();
    forget_cookies(&site);
    answer = browse_get(&site, "/log?model=a%20b&status=4xx");
    assert_status(answer, 303);
    assert_has(answer, "location: /sign-in?next=%2Flog%3Fmodel%3Da%2520b%26status%3D4xx\r\n");
    page = browse_get(&site, "/sign-in?next=%2Flog%3Fmodel%3Da%2520b%26status%3D4xx");
    assert_has(page, "name=\"next\" value=\"/log?model=a%20b&amp;status=4xx\"");
    in = browse_send(&site, "/sign-in", "/sign-in",
                     SIGN_IN "&next=%2Flog%3Fmodel%3Da%2520b%26status%3D4xx");
    assert_has(in, "location: /log?model=a%20b&status=4xx\r\n");
    forget_cookies(&site);
    memset(tag, 'x', sizeof(tag) - 1);
    tag[sizeof(tag) - 1] = '\0';
    assert_true(asprintf(&path, "/log?tag=%s", tag) > 0);
    long_one = browse_get(&site, path);
    assert_has(long_one, "location: /sign-in?next=%2Flog\r\n");
}

static void next_leads_nowhere_else(void **state)
{
    static const char *const traps[] = {"https%3A%2F%2Fevil.example", "%2F%2Fevil.example",
                                        "%2F%5Cevil.example", "javascript%3Aalert%281%29"};

    (void)state;
    forget_cookies(&site);
    for (size_t i = 0; i < ARRAY_LEN(traps); i++) {
        _cleanup_(freep) char *page = NULL, *path = NULL;

        assert_true(asprintf(&path, "/sign-in?next=%s", traps[i]) > 0);
        page = browse_get(&site, path);
        assert_has(page, "name=\"next\" value=\"/overview\"");
    }
}

static void wrong_passwords_are_told_the_same_as_unknown_people(void **state)
{
    _cleanup_(freep) char *wrong = NULL, *unknown = NULL;

    (void)state;
    signed_up();
    forget_cookies(&site);
    wrong = browse_send(&site, "/sign-in", "/sign-in",
                        "email=ada%40example.org&password=not+this+one+at+all");
    unknown = browse_send(&site, "/sign-in", "/sign-in",
                          "email=nobody%40example.org&password=not+this+one+at+all");
    assert_status(wrong, 422);
    assert_status(unknown, 422);
    assert_has(wrong, "E-mail or password is wrong.");
    assert_has(unknown, "E-mail or password is wrong.");
    assert_has(wrong, "value=\"ada@example.org\"");
    assert_has_not(wrong, "not this one");
}

static void faults_stand_beside_the_field_and_typing_is_kept(void **state)
{
    _cleanup_(freep) char *page = NULL;

    (void)state;
    forget_cookies(&site);
    page = browse_send(&site, "/sign-up", "/sign-up",
                       "name=%3Cb%3EEve&email=eve&password=short&team_name=Eve+%26+Co");
    assert_status(page, 422);
    assert_has(page, "value=\"&lt;b&gt;Eve\"");
    assert_has(page, "value=\"Eve &amp; Co\"");
    assert_has(page, "This is not an e-mail address.");
    assert_has(page, "At least 12 characters.");
    assert_has_not(page, "value=\"short\"");
}

static void forms_of_strangers_are_refused(void **state)
{
    _cleanup_(freep) char *none = NULL, *other = NULL, *no_token = NULL, *fine = NULL;
    char origin[64];

    (void)state;
    signed_up();
    snprintf(origin, sizeof(origin), "http://127.0.0.1:%u", site.served.port);
    none = browse_ask(&site, "POST", "/account", "name=Eve", NULL);
    other = browse_ask(&site, "POST", "/account", "name=Eve", "https://evil.example");
    no_token = browse_ask(&site, "POST", "/account", "name=Eve", origin);
    assert_status(none, 403);
    assert_status(other, 403);
    assert_status(no_token, 403);
    fine = browse_send(&site, "/account", "/account", "name=Ada+King");
    assert_status(fine, 303);
}

static void account_shows_and_changes(void **state)
{
    _cleanup_(freep) char *page = NULL, *done = NULL, *told = NULL, *empty = NULL;

    (void)state;
    signed_up();
    page = browse_get(&site, "/account");
    assert_status(page, 200);
    assert_has(page, "ada@example.org");
    done = browse_send(&site, "/account", "/account", "name=Countess");
    assert_status(done, 303);
    told = browse_get(&site, "/account");
    assert_has(told, "value=\"Countess\"");
    assert_has(told, "Saved.");
    empty = browse_send(&site, "/account", "/account", "name=+");
    assert_status(empty, 422);
    assert_has(empty, "This is needed.");
}

static void the_flash_is_told_once(void **state)
{
    _cleanup_(freep) char *done = NULL, *first = NULL, *second = NULL;

    (void)state;
    signed_up();
    done = browse_send(&site, "/account", "/account", "name=Ada");
    first = browse_get(&site, "/account");
    second = browse_get(&site, "/account");
    assert_has(first, "class=\"toast\"");
    assert_has_not(second, "class=\"toast\"");
}

static void signing_out_ends_the_session(void **state)
{
    _cleanup_(freep) char *out = NULL, *after = NULL;
    char kept[sizeof(site.cookies)];

    (void)state;
    signed_up();
    memcpy(kept, site.cookies, sizeof(kept));
    out = browse_send(&site, "/account", "/sign-out", "");
    assert_status(out, 303);
    memcpy(site.cookies, kept, sizeof(kept));
    after = browse_get(&site, "/account");
    assert_status(after, 303);
}

static void a_new_password_signs_in_afresh(void **state)
{
    _cleanup_(freep) char *wrong = NULL, *changed = NULL, *page = NULL, *back = NULL;

    (void)state;
    signed_up();
    wrong = browse_send(&site, "/account", "/account/password",
                        "current_password=nonsense+nonsense&password=another+good+password");
    assert_status(wrong, 422);
    changed = browse_send(&site, "/account", "/account/password",
                          "current_password=correct+horse+staple&password=another+good+password");
    assert_status(changed, 303);
    page = browse_get(&site, "/account");
    assert_status(page, 200);
    back = browse_send(&site, "/account", "/account/password",
                       "current_password=another+good+password&password=correct+horse+staple");
    assert_status(back, 303);
}

/* What stands between start and end on a page. */
static void cut_out(const char *page, const char *start, char end, char *out, size_t size)
{
    const char *p = strstr(page, start);
    size_t n = 0;

    assert_non_null(p);
    p += strlen(start);
    while (p[n] && p[n] != end)
        n++;
    assert_true(n < size);
    memcpy(out, p, n);
    out[n] = '\0';
}

/* What an app makes of the secret that a page shows. */
static const char *app_code(const char *page)
{
    static char code[7];
    char typed[64], *secret = NULL;
    size_t n = 0;

    cut_out(page, "<code id=\"typed\">", '<', typed, sizeof(typed));
    assert_int_equal(oath_base32_decode(typed, strlen(typed), &secret, &n), OATH_OK);
    assert_int_equal(oath_totp_generate(secret, n, time(NULL), 30, 0, 6, code), OATH_OK);
    free(secret);
    return code;
}

/* The tests before have tried often, all from one address. */
static void forget_tries(void)
{
    struct db *owner;

    assert_int_equal(db_open(site.pg.owner_conninfo, "owner", &owner), 0);
    assert_int_equal(db_script(owner, "DELETE FROM login_attempt"), 0);
    db_close(owner);
}

static void a_second_factor_has_its_pages(void **state)
{
    _cleanup_(freep) char *wrong = NULL, *begun = NULL, *late = NULL, *on = NULL, *page = NULL;
    _cleanup_(freep) char *step = NULL, *bad = NULL, *in = NULL, *refused = NULL, *again = NULL, *off = NULL;
    char fields[400], ticket[200], first[12];

    (void)state;
    signed_up();
    forget_tries();
    wrong = browse_send(&site, "/account", "/account/second-factor", "factor_password=nonsense");
    assert_status(wrong, 422);
    assert_has(wrong, "This is not your password.");
    begun = browse_send(&site, "/account", "/account/second-factor", "factor_password=correct+horse+staple");
    assert_status(begun, 200);
    late = browse_send(&site, "/account", "/account/second-factor/confirm", "code=12");
    assert_status(late, 422);
    assert_has(late, "class=\"qr\"");
    snprintf(fields, sizeof(fields), "code=%s", app_code(late));
    on = browse_send(&site, "/account", "/account/second-factor/confirm", fields);
    assert_status(on, 200);
    cut_out(on, "<code id=\"secret\">", '\n', first, sizeof(first));
    page = browse_get(&site, "/account");
    assert_has(page, "10 recovery codes left");
    again = browse_send(&site, "/account", "/account/second-factor", "factor_password=");
    assert_status(again, 422);
    forget_cookies(&site);
    step = browse_send(&site, "/sign-in", "/sign-in", SIGN_IN);
    assert_has(step, "One more step");
    cut_out(step, "name=\"ticket\" value=\"", '"', ticket, sizeof(ticket));
    snprintf(fields, sizeof(fields), "ticket=%s&code=000", ticket);
    bad = browse_send(&site, "/sign-in", "/sign-in/code", fields);
    assert_status(bad, 422);
    snprintf(fields, sizeof(fields), "ticket=%s&code=%s&next=%%2Fkeys", ticket, first);
    in = browse_send(&site, "/sign-in", "/sign-in/code", fields);
    assert_has(in, "location: /keys");
    refused = browse_send(&site, "/account", "/account/second-factor/codes", "code=000");
    assert_status(refused, 422);
    snprintf(fields, sizeof(fields), "code=%s", strstr(on, first) + strlen(first) + 1);
    fields[strlen("code=") + strlen(first)] = '\0';
    off = browse_send(&site, "/account", "/account/second-factor/end", fields);
    assert_has(off, "location: /account");
    assert_status(off, 303);
}

static void dead_links_say_what_to_do(void **state)
{
    _cleanup_(freep) char *invite = NULL, *reset = NULL, *nothing = NULL;

    (void)state;
    forget_cookies(&site);
    invite = browse_get(&site, "/invite/nonsense");
    reset = browse_get(&site, "/reset/nonsense");
    nothing = browse_get(&site, "/nothing/here");
    assert_status(invite, 404);
    assert_has(invite, "Ask for a new link.");
    assert_status(reset, 404);
    assert_has(reset, "Ask your operator for a new one.");
    assert_status(nothing, 404);
    assert_has(nothing, "Nothing here");
}

static void files_are_kept_for_ever_under_their_version(void **state)
{
    _cleanup_(freep) char *page = browse_get(&site, "/sign-in");
    _cleanup_(freep) char *css = NULL, *old = NULL, *missing = NULL;
    char path[128];
    const char *at = strstr(page, "/assets/");

    (void)state;
    assert_non_null(at);
    snprintf(path, sizeof(path), "%.*s/tokens.css", (int)strcspn(at + 8, "/") + 8, at);
    css = browse_get(&site, path);
    assert_status(css, 200);
    assert_has(css, "immutable");
    assert_has(css, "text/css");
    old = browse_get(&site, "/assets/0123456789ab/tokens.css");
    assert_has(old, "no-cache");
    missing = browse_get(&site, "/assets/0123456789ab/nothing.css");
    assert_status(missing, 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_carry_the_policy),
        cmocka_unit_test(anonymous_visitors_are_asked_to_sign_in_and_brought_back),
        cmocka_unit_test(a_filter_is_brought_back_too),
        cmocka_unit_test(next_leads_nowhere_else),
        cmocka_unit_test(wrong_passwords_are_told_the_same_as_unknown_people),
        cmocka_unit_test(faults_stand_beside_the_field_and_typing_is_kept),
        cmocka_unit_test(forms_of_strangers_are_refused),
        cmocka_unit_test(account_shows_and_changes),
        cmocka_unit_test(the_flash_is_told_once),
        cmocka_unit_test(signing_out_ends_the_session),
        cmocka_unit_test(a_new_password_signs_in_afresh),
        cmocka_unit_test(a_second_factor_has_its_pages),
        cmocka_unit_test(dead_links_say_what_to_do),
        cmocka_unit_test(files_are_kept_for_ever_under_their_version),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
