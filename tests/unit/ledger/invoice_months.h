/* invoice_months.h: teams with months of the past, for the tests of invoices. The past is written by the
 * owner of the tables, straight into the books. */
#pragma once

#include "identity/people.h"

#include "ledger/invoice.h"

static struct people t;

/* test_post: one movement at a moment of the past; usage comes with one call, which test_move leaves out.
 * `edge` is the first moment, in UTC, of the month before this one. */
static const char helpers[] =
    "CREATE FUNCTION edge() RETURNS timestamptz LANGUAGE sql AS $$"
    "  SELECT date_trunc('month', now(), 'UTC') - interval '1 month' $$;"
    "CREATE FUNCTION test_move(p_team bigint, p_code text, p_amount bigint, p_at timestamptz)"
    " RETURNS bigint LANGUAGE plpgsql AS $$"
    " DECLARE w bigint; o bigint; b bigint; made bigint;"
    " BEGIN"
    "  SELECT id INTO w FROM account WHERE team_id = p_team AND kind = 'wallet';"
    "  SELECT id INTO o FROM account WHERE team_id = p_team AND kind = 'revenue';"
    "  SELECT coalesce((SELECT funds_nano FROM transfer WHERE team_id = p_team"
    "                    ORDER BY posted_at DESC, id DESC LIMIT 1), 0) INTO b;"
    "  INSERT INTO transfer (team_id, code, ref, debit_account, credit_account, amount_nano,"
    "                        funds_nano, reason, posted_at)"
    "  VALUES (p_team, p_code, gen_random_uuid()::text, CASE WHEN p_amount > 0 THEN o ELSE w END,"
    "          CASE WHEN p_amount > 0 THEN w ELSE o END, abs(p_amount), b + p_amount, 'because',"
    "          p_at) RETURNING id INTO made;"
    "  RETURN made;"
    " END $$;"
    "CREATE FUNCTION test_post(p_team bigint, p_code text, p_amount bigint, p_at timestamptz,"
    "                          p_key bigint DEFAULT NULL, p_model text DEFAULT 'demo-small')"
    " RETURNS void LANGUAGE plpgsql AS $$"
    " DECLARE made bigint := test_move(p_team, p_code, p_amount, p_at);"
    " BEGIN"
    "  IF p_code LIKE '%USAGE' THEN"
    "   INSERT INTO call (team_id, call_id, key_id, provider, served_model, outcome, input_tokens,"
    "                     cached_input_tokens, output_tokens, charge_nano, posted_at, transfer_id)"
    "   VALUES (p_team, gen_random_uuid(), p_key, 'demo', p_model, 'ok', 10, 5, 7, -p_amount, p_at,"
    "           made);"
    "  END IF;"
    " END $$;";

static inline int setup(void **state)
{
    people_start(&t);
    assert_int_equal(db_script(t.owner, helpers), 0);
    return 0;
}

static inline int teardown(void **state)
{
    people_stop(&t);
    return 0;
}

static inline void script(const char *fmt, ...) _printf_(1, 2);
static inline void script(const char *fmt, ...)
{
    char sql[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(sql, sizeof(sql), fmt, ap);
    va_end(ap);
    assert_int_equal(db_script(t.owner, sql), 0);
}

/* A team of long ago in that zone. */
static inline struct session team_in(const char *email, const char *zone)
{
    struct session s = people_session(&t, people_sign_up(&t, email).token);

    script("UPDATE team SET time_zone = '%s', created_at = edge() - interval '20 days'"
           " WHERE id = %lld",
           zone, (long long)s.team.v);
    return s;
}

static inline void post(struct session *s, const char *code, int64_t amount, const char *at)
{
    script("SELECT test_post(%lld, '%s', %lld, edge() + interval '%s')", (long long)s->team.v, code,
           (long long)amount, at);
}

static inline struct invoice_page invoices_of(struct team_id team)
{
    struct invoice_page page;

    people_begin(&t, DB_TEAM(team));
    assert_int_equal(invoice_list(t.db, t.a, team, &page), 0);
    people_commit(&t);
    return page;
}

static inline struct invoice whole(const struct invoice *head)
{
    struct invoice inv;

    people_begin(&t, DB_TEAM(head->team));
    assert_int_equal(invoice_get(t.db, t.a, head->team, head->id, &inv), 0);
    people_commit(&t);
    return inv;
}

static inline int64_t issue(void)
{
    int64_t issued = -1;

    assert_int_equal(invoice_issue_due(t.db, &issued), 0);
    return issued;
}
