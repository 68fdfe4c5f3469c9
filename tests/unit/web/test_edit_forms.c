/* What a form that changes something does not touch stays as it is stored, also where it can no longer be
 * chosen or is finer than the form shows; and what was refused stands where it was typed. */
#include "team_pages.h"

static void sql(const char *fmt, ...) _printf_(1, 2);
static void sql(const char *fmt, ...)
{
    char text[512];
    struct db *db;
    va_list args;

    va_start(args, fmt);
    assert_in_range(vsnprintf(text, sizeof(text), fmt, args), 1, sizeof(text) - 1);
    va_end(args);
    assert_int_equal(db_open(site.pg.owner_conninfo, "edit forms", &db), 0);
    if (db_script(db, text) != 0)
        fail_msg("%s: %s", text, db_last_error(db));
    db_close(db);
}

/* Fails where no row fits. */
#define assert_stored(from, ...) sql("SELECT 1 / count(*) FROM " from, __VA_ARGS__)

/* What a browser sends of a select: the chosen option, else the first one. */
static const char *select_of(const char *page, const char *name)
{
    const char *select = strstr(page, path_of("name=\"%s\">", name));
    const char *end = select ? strstr(select, "</select>") : NULL, *chosen;

    if (!end)
        fail_msg("no select %s in: %.3000s", name, page);
    chosen = strstr(select, "\" selected");
    if (!chosen || chosen > end)
        return between(select, "<option value=\"", "\"");
    while (strncmp(chosen, "value=\"", 7) != 0)
        chosen--;
    return between(chosen, "value=\"", "\"");
}

static void send_ok(const char *from, const char *path, const char *fields)
{
    _cleanup_(freep) char *answer = browse_send(&site, from, path, fields);

    assert_status(answer, 303);
}

static long id_behind(const char *page, const char *text)
{
    return strtol(between(page, text, "\""), NULL, 10);
}

static long add_project(const char *name)
{
    _cleanup_(freep) char *page = NULL;

    send_ok("/settings", "/settings/projects", path_of("name=%s", name));
    page = browse_get(&site, "/settings");
    return id_behind(strstr(page, path_of("<span class=\"clip\">%s</span>", name)), "/settings/projects/");
}

static long mint(const char *fields)
{
    _cleanup_(freep) char *minted = browse_send(&site, "/keys/new", "/keys", fields);

    assert_status(minted, 200);
    return id_behind(minted, "<a href=\"/keys/");
}

static void archive(long project)
{
    send_ok("/settings", path_of("/settings/projects/%ld/archive", project), "");
}

static void a_key_of_an_archived_project_keeps_it(void **state)
{
    long project = add_project("Winter");
    long key = mint(path_of("name=Snow&budget_window=month&project=%ld", project));
    const char *path = path_of("/keys/%ld", key);
    _cleanup_(freep) char *page = NULL, *refused = NULL, *fresh = NULL;

    (void)state;
    archive(project);
    page = browse_get(&site, path);
    assert_has(page, "Winter (archived)</option>");
    assert_string_equal(select_of(page, "project"), path_of("%ld", project));
    send_ok(path, path, path_of("name=Sleet&budget_window=month&project=%s", select_of(page, "project")));
    assert_stored("api_key WHERE id = %ld AND name = 'Sleet' AND project_id = %ld", key, project);
    fresh = browse_get(&site, "/keys/new");
    assert_has_not(fresh, "Winter");
    refused = browse_send(&site, "/keys/new", "/keys",
                          path_of("name=Late&budget_window=month&project=%ld", project));
    assert_status(refused, 422);
}

/* The form takes what the API takes, so that no key is there that it cannot save. */
static void a_key_of_the_widest_limits_is_saved(void **state)
{
    const char *limits = "&rpm=1000000000000&tpm=1000000000000&concurrency=1000000000000"
                         "&budget=1000000000&budget_window=month&project=";
    long key = mint(path_of("name=Wide%s", limits));
    const char *path = path_of("/keys/%ld", key);

    (void)state;
    send_ok(path, path, path_of("name=Wider%s", limits));
    assert_stored("api_key WHERE id = %ld AND name = 'Wider' AND rpm = 1000000000000 AND tpm = 1000000000000"
                  " AND concurrency = 1000000000000 AND budget_nano = 1000000000000000000", key);
}

static void add_rule(const char *name, const char *place)
{
    send_ok("/guardrails", "/guardrails",
            path_of("name=%s&finds=email&where=request&action=block&place=%s", name, place));
}

/* Opens a rule and saves it as it is shown, but for its name. */
static void rename_rule(const char *from, const char *to, const char *label)
{
    _cleanup_(freep) char *list = browse_get(&site, "/guardrails"), *page = NULL;
    const char *row = strstr(list, path_of("title=\"%s\"", from)), *path;

    assert_non_null(row);
    path = path_of("/guardrails/%s", between(row, "href=\"/guardrails/", "\""));
    page = browse_get(&site, path);
    assert_has(page, label);
    send_ok(path, path,
            path_of("name=%s&finds=email&where=request&action=%s&place=%s", to, select_of(page, "action"),
                    select_of(page, "place")));
}

static void a_rule_keeps_an_archived_project_and_a_deleted_key(void **state)
{
    long project = add_project("Autumn"), key = mint("name=Leaf&budget_window=month&project=");
    _cleanup_(freep) char *fresh = NULL, *refused = NULL;

    (void)state;
    add_rule("of-project", path_of("project:%ld", project));
    add_rule("of-key", path_of("key:%ld", key));
    archive(project);
    send_ok("/settings", path_of("/keys/%ld/delete", key), "confirm=Leaf");
    rename_rule("of-project", "of-project-2", ">project Autumn (archived)</option>");
    rename_rule("of-key", "of-key-2", ">key Leaf (deleted)</option>");
    assert_stored("guardrail WHERE name = 'of-project-2' AND project_id = %ld AND key_id IS NULL", project);
    assert_stored("guardrail WHERE name = 'of-key-2' AND key_id = %ld AND project_id IS NULL", key);
    fresh = browse_get(&site, "/guardrails");
    assert_has_not(fresh, "(archived)</option>");
    assert_has_not(fresh, "(deleted)</option>");
    refused = browse_send(&site, "/guardrails", "/guardrails",
                          path_of("name=late&finds=email&where=request&action=block&place=key:%ld", key));
    assert_status(refused, 422);
    free(refused);
    refused = browse_send(&site, "/guardrails", "/guardrails", "name=late&finds=email&action=block&place=all");
    assert_status(refused, 422);
    assert_has(refused, "Choose at least one.");
}

static void an_expiry_that_is_left_alone_stays(void **state)
{
    static const char stored[] = "2020-05-06 10:11:12.345678+00";
    long key = mint("name=Old&budget_window=month&project=&expires_at=2099-12-31");
    const char *path = path_of("/keys/%ld", key), *day;
    _cleanup_(freep) char *page = NULL, *past = NULL;

    (void)state;
    sql("UPDATE api_key SET expires_at = '%s' WHERE id = %ld", stored, key);
    page = browse_get(&site, path);
    day = between(strstr(page, "name=\"expires_at\""), "value=\"", "\"");
    assert_string_equal(day, "2020-05-06");
    send_ok(path, path, path_of("name=Older&budget_window=month&project=&expires_at=%s", day));
    assert_stored("api_key WHERE id = %ld AND name = 'Older' AND expires_at = '%s'", key, stored);
    past = browse_send(&site, path, path, "name=Older&budget_window=month&project=&expires_at=2020-05-07");
    assert_status(past, 422);
    send_ok(path, path, "name=Older&budget_window=month&project=&expires_at=2099-12-30");
    assert_stored("api_key WHERE id = %ld AND expires_at = '2099-12-31 00:00 UTC'", key);
    send_ok(path, path, "name=Older&budget_window=month&project=&expires_at=");
    assert_stored("api_key WHERE id = %ld AND expires_at IS NULL", key);
}

static void lines_end_as_they_are_stored(void **state)
{
    (void)state;
    send_ok("/settings", "/settings/buyer",
            "legal_name=&address=Weg+1%0D%0ABerlin&country=&tax_id=DE9&billing_email=");
    assert_stored("team WHERE name = '%s' AND address = E'Weg 1\\nBerlin' AND tax_id = 'DE9'", "Acme");
}

static void as_many_tags_as_a_key_may_have_fit_its_form(void **state)
{
    char fields[2048] = "name=Tagged&budget_window=month&project=&tags=";
    size_t n = strlen(fields);

    (void)state;
    for (int i = 0; i < BOUND_KEY_TAGS; i++)
        n += (size_t)snprintf(fields + n, sizeof(fields) - n, "t%d%%3D%0100d%%0A", i, i);
    assert_true(n < sizeof(fields));
    assert_stored("api_key WHERE id = %ld AND length(tags::text) > 1600", mint(fields));
}

static void a_refused_name_stands_in_the_row_of_its_project(void **state)
{
    long taken = add_project("Spring"), other = add_project("Summer");
    _cleanup_(freep) char *refused = NULL;
    const char *row;

    (void)state;
    refused = browse_send(&site, "/settings", path_of("/settings/projects/%ld/rename", other), "name=spring");
    assert_status(refused, 422);
    row = strstr(refused, path_of("id=\"rename-%ld\">", other)); /* it is open */
    assert_non_null(row);
    row = between(row, "id=\"project-", "</p>");
    assert_has(row, "value=\"spring\"");
    assert_has(row, "aria-invalid=\"true\"");
    assert_has(row, path_of("id=\"project-%ld-fault\"", other));
    assert_has(refused, path_of("id=\"rename-%ld\" popover", taken));
    assert_has_not(refused, "class=\"note bad\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_of_an_archived_project_keeps_it),
        cmocka_unit_test(a_key_of_the_widest_limits_is_saved),
        cmocka_unit_test(a_rule_keeps_an_archived_project_and_a_deleted_key),
        cmocka_unit_test(an_expiry_that_is_left_alone_stays),
        cmocka_unit_test(lines_end_as_they_are_stored),
        cmocka_unit_test(as_many_tags_as_a_key_may_have_fit_its_form),
        cmocka_unit_test(a_refused_name_stands_in_the_row_of_its_project),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
