/* Invoices of many lines, and of many teams of which one fails; against a real PostgreSQL. */
#include "ledger/invoice_months.h"

#include "ledger/invoice_csv.h"

/* Usage by p_keys keys of three models, each dearer than the one before; and of p_models models that cost
 * least, every second by a key of the team's own. */
static const char many[] =
    "CREATE FUNCTION test_many(p_team bigint, p_keys integer, p_models integer) RETURNS void"
    " LANGUAGE plpgsql AS $$"
    " DECLARE at timestamptz := edge() - interval '1 day';"
    " BEGIN"
    "  PERFORM test_move(p_team, 'USAGE', -p_models - sum(1000 + i), at) FROM generate_series(1, p_keys) i;"
    "  WITH made AS ("
    "   INSERT INTO api_key (team_id, name, prefix, last4, digest)"
    "   SELECT p_team, 'key ' || i, 'tg-', lpad(i::text, 4, '0'), sha256(convert_to('k' || i, 'UTF8'))"
    "     FROM generate_series(1, p_keys) i RETURNING id, substr(name, 5)::integer AS i)"
    "  INSERT INTO call (team_id, call_id, key_id, provider, served_model, outcome, input_tokens,"
    "                    output_tokens, charge_nano, posted_at)"
    "  SELECT p_team, gen_random_uuid(), id, 'demo', 'm' || i % 3, 'ok', 3, 2, 1000 + i, at FROM made;"
    "  INSERT INTO call (team_id, call_id, provider, served_model, outcome, input_tokens, output_tokens,"
    "                    charge_nano, posted_at, own_key, own_fee_bp)"
    "  SELECT p_team, gen_random_uuid(), 'demo', 'rare' || i, 'ok', 3, 2, 1, at, i % 2 = 1, i % 2 * 500"
    "    FROM generate_series(1, p_models) i;"
    " END $$";

static int setup_many(void **state)
{
    int r = setup(state);

    assert_int_equal(db_script(t.owner, many), 0);
    return r;
}

/* Every line adds up to the totals, exactly. */
static void lines_add_up(const struct invoice *inv)
{
    int64_t balance = inv->opening.nano, usage = 0, calls = 0;

    for (size_t i = 0; i < inv->n_lines; i++) {
        balance += inv->lines[i].amount.nano;
        calls += inv->lines[i].calls;
        if (inv->lines[i].kind == INVOICE_USAGE)
            usage -= inv->lines[i].amount.nano;
    }
    assert_int_equal(balance, inv->closing.nano);
    assert_int_equal(usage, inv->usage.nano);
    assert_int_equal(calls, inv->calls);
}

/* How many lines of that kind begin so, and what they amount to. */
static size_t lines_of(const struct invoice *inv, enum invoice_line_kind kind, const char *begin,
                       struct invoice_line *ret_sum)
{
    size_t n = 0;

    *ret_sum = (struct invoice_line){0};
    for (size_t i = 0; i < inv->n_lines; i++) {
        const struct invoice_line *l = &inv->lines[i];
        struct str says = kind != INVOICE_USAGE ? l->text : l->key.n ? l->key : l->model;

        if (l->kind != kind || !str_starts(says, str_c(begin)))
            continue;
        n++;
        ret_sum->calls += l->calls;
        ret_sum->input_tokens += l->input_tokens;
        ret_sum->amount.nano += l->amount.nano;
    }
    return n;
}

static void the_smallest_usage_is_put_together(const struct invoice *inv)
{
    struct invoice_line sum;

    assert_int_equal(lines_of(inv, INVOICE_USAGE, "", &sum),
                     INVOICE_KEYS + INVOICE_MODELS + 2);
    assert_int_equal(lines_of(inv, INVOICE_USAGE, "key ", &sum), INVOICE_KEYS);
    assert_int_equal(lines_of(inv, INVOICE_USAGE, "Other keys: 10", &sum), 3);
    assert_int_equal(sum.calls, 30);
    assert_int_equal(sum.input_tokens, 90);
    assert_int_equal(sum.amount.nano, -(30 * 1000 + 30 * 31 / 2));
    assert_int_equal(lines_of(inv, INVOICE_USAGE, "Other models: ", &sum), 2);
    assert_int_equal(sum.calls, 23);
    assert_int_equal(sum.amount.nano, -23);
}

static void the_smallest_movements_are_put_together(const struct invoice *inv)
{
    struct invoice_line sum;

    assert_int_equal(lines_of(inv, INVOICE_TOPUP, "", &sum), 1);
    assert_int_equal(lines_of(inv, INVOICE_ADJUSTMENT, "", &sum), INVOICE_MOVEMENTS);
    assert_int_equal(lines_of(inv, INVOICE_ADJUSTMENT, "Smaller adjustments: 9", &sum), 1);
    assert_int_equal(sum.amount.nano, 45);
    assert_int_equal(lines_of(inv, INVOICE_GRANT, "Smaller grants: 1", &sum), 1);
    assert_int_equal(sum.amount.nano, 1);
}

static void a_month_of_many_lines_is_invoiced_whole(void **state)
{
    struct session s = team_in("large@example.org", "UTC"), next = team_in("next@example.org", "UTC");
    struct invoice inv;
    struct str pdf;
    struct buf csv;

    post(&s, "TOPUP", 1000000000, "-5 days");
    post(&s, "GRANT", 1, "-4 days");
    script("SELECT test_post(%lld, 'ADJUST', i, edge() - interval '3 days') FROM generate_series(1, %d) i",
           (long long)s.team.v, INVOICE_MOVEMENTS + 8);
    script("SELECT test_many(%lld, %d, %d)", (long long)s.team.v, INVOICE_KEYS + 30,
           INVOICE_MODELS + 20);
    post(&next, "TOPUP", 1000000000, "-5 days");
    assert_int_equal(issue(), 2);
    assert_int_equal(invoices_of(next.team).n, 1);

    inv = whole(&invoices_of(s.team).v[0]);
    assert_true(inv.n_lines <= BOUND_INVOICE_LINES);
    assert_int_equal(inv.calls, INVOICE_KEYS + 30 + INVOICE_MODELS + 20);
    lines_add_up(&inv);
    the_smallest_usage_is_put_together(&inv);
    the_smallest_movements_are_put_together(&inv);
    people_begin(&t, DB_TEAM(s.team));
    assert_int_equal(invoice_get_pdf(t.db, t.a, s.team, inv.id, &pdf), 0);
    people_commit(&t);
    assert_true(str_starts(pdf, STR("%PDF-1.5")));
    buf_init(&csv, MIB(4));
    invoice_csv(&inv, &csv);
    assert_int_equal(buf_finish(&csv), 0);
    assert_non_null(memmem(csv.p, csv.n, "Other keys: 10", 14));
    buf_done(&csv);
}

static void a_team_that_fails_holds_up_no_other(void **state)
{
    struct session s = team_in("cursed@example.org", "UTC"), next = team_in("after@example.org", "UTC");
    int64_t issued = 0;

    post(&s, "TOPUP", 1000000000, "-5 days");
    post(&next, "TOPUP", 1000000000, "-5 days");
    script("ALTER TABLE invoice ADD CONSTRAINT cursed CHECK (team_id <> %lld)", (long long)s.team.v);
    assert_true(invoice_issue_due(t.db, &issued) < 0);
    assert_int_equal(issued, 1);
    assert_int_equal(invoices_of(s.team).n, 0);
    assert_int_equal(invoices_of(next.team).n, 1);
    script("ALTER TABLE invoice DROP CONSTRAINT cursed");
    assert_int_equal(issue(), 1);
    assert_int_equal(invoices_of(s.team).n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_month_of_many_lines_is_invoiced_whole),
        cmocka_unit_test(a_team_that_fails_holds_up_no_other),
    };

    return cmocka_run_group_tests(tests, setup_many, teardown);
}
