/* history.h: a team with a past: money granted, calls of every kind settled as the flusher does it.
 * The figures are fixed, so that pages can be compared with them. */
#pragma once

#include "visitor.h"

#define HISTORY_CALLS 240

/* Two providers, three models; every 7th call fell back, every 11th failed, every 13th was blocked;
 * the last 25 minutes. $1 of grant, so the balance is what is left of it. */
static const char history_sql[] =
    "BEGIN; SET LOCAL app.scope = 'system';"
    "SELECT post_grant(t.id, 'welcome', 50000000000, 'Welcome credit', 'A welcome grant', 100,"
    "                  now() + interval '90 days', 'system', NULL, 'system')"
    "  FROM team t WHERE t.name = 'Acme';"
    "CREATE TEMP TABLE made ON COMMIT DROP AS SELECT n, t.id AS team_id, k.id AS key_id,"
    " (lpad(to_hex(((extract(epoch FROM now()) * 1000)::bigint - n * 6000)), 12, '0')"
    "  || '7' || lpad(to_hex(n), 3, '0') || '8' || repeat('0', 15))::uuid AS call_id,"
    " now() - n * interval '6 seconds' AS started_at,"
    " (ARRAY['gpt-4o-mini', 'claude-sonnet-4', 'demo-chat'])[1 + n % 3] AS model,"
    " (ARRAY['openai', 'anthropic', 'demo'])[1 + n % 3] AS provider,"
    " n % 7 = 0 AS fell, n % 11 = 0 AS failed, n % 13 = 0 AS blocked,"
    " n % 17 = 0 AS gone, n % 2 = 0 AS streamed"
    " FROM generate_series(0, 239) n, team t LEFT JOIN LATERAL"
    " (SELECT id FROM api_key WHERE team_id = t.id ORDER BY id DESC LIMIT 1) k ON true"
    " WHERE t.name = 'Acme';"
    "SELECT settle_batch(session_open('test', ''),"
    " (SELECT array_agg(json_populate_record(NULL::settled_call, json_build_object("
    "   'team_id', team_id, 'call_id', call_id, 'key_id', key_id,"
    "   'started_at', started_at, 'endpoint', '/v1/chat/completions', 'requested_model', model,"
    "   'served_model', CASE WHEN NOT blocked AND NOT failed THEN model END,"
    "   'provider', CASE WHEN NOT blocked THEN provider END,"
    "   'account_name', CASE WHEN NOT blocked THEN provider || ' main' END,"
    "   'status', CASE WHEN blocked THEN 402 WHEN failed THEN 502 ELSE 200 END,"
    "   'outcome', CASE WHEN blocked THEN 'blocked' WHEN failed THEN 'upstream_error'"
    "                   WHEN gone THEN 'client_gone' ELSE 'ok' END,"
    "   'error_code', CASE WHEN blocked THEN 'insufficient_balance' WHEN failed THEN 'upstream_error' END,"
    "   'quota_source', CASE WHEN blocked THEN 'prepaid_balance' END,"
    "   'stream', streamed, 'attempts', CASE WHEN blocked THEN 0 WHEN fell OR failed THEN 2 ELSE 1 END,"
    "   'fallback', fell AND NOT blocked AND NOT failed,"
    "   'input_tokens', CASE WHEN blocked OR failed THEN 0 ELSE 180 + n END,"
    "   'cached_input_tokens', CASE WHEN blocked OR failed THEN 0 ELSE 64 * (n % 3) END,"
    "   'cache_write_5m_tokens', 0, 'cache_write_1h_tokens', 0,"
    "   'output_tokens', CASE WHEN blocked OR failed THEN 0 ELSE 420 + 3 * n END,"
    "   'reasoning_tokens', 0, 'audio_input_tokens', 0, 'audio_output_tokens', 0, 'images', 0,"
    "   'basis', CASE WHEN blocked OR failed THEN 'zero' WHEN gone THEN 'counted' ELSE 'provider' END,"
    "   'hold_nano', 25000000,"
    "   'charge_nano', CASE WHEN blocked OR failed THEN 0 ELSE (180 + n) * 150 + (420 + 3 * n) * 6000 + n END,"
    "   'cost_nano', 1000 * n, 'price_id', 7, 'latency_us', 640000 + n * 9000,"
    "   'ttfb_us', CASE WHEN blocked OR failed THEN 0 ELSE 210000 END, 'finish_reason', 'stop',"
    "   'upstream_request_id', 'req_' || n, 'client_address', '192.0.2.17',"
    "   'user_agent', 'OpenAI/Python 2.8.0',"
    "   'client_gone_at', CASE WHEN gone THEN started_at + interval '1 second' END,"
    "   'tags', json_build_object('customer', 'acme-' || n % 4),"
    "   'repeat', CASE WHEN blocked THEN 3 ELSE 1 END,"
    "   'tries', (SELECT json_agg(json_build_object('ordinal', o,"
    "   'account_name', CASE WHEN o = 1 AND (fell OR failed) THEN 'openai eu' ELSE provider || ' main' END,"
    "   'provider', provider, 'upstream_model', model || '-2026-08-06',"
    "   'status', CASE WHEN failed THEN 503 WHEN o = 1 AND fell THEN 429 ELSE 200 END,"
    "   'reason', CASE WHEN failed THEN 'server_error' WHEN o = 1 AND fell THEN 'rate_limited' ELSE 'ok' END,"
    "   'started_us', (o - 1) * 180000, 'connect_us', 21000,"
    "   'ttfb_us', CASE WHEN failed OR (o = 1 AND fell) THEN 0 ELSE 210000 END,"
    "   'latency_us', CASE WHEN failed OR (o = 1 AND fell) THEN 160000 ELSE 460000 + n * 9000 END,"
    "   'prompt_tokens', 180 + n, 'completion_tokens', CASE WHEN failed THEN 0 ELSE 420 + 3 * n END,"
    "   'cost_nano', 1000, 'served', NOT failed AND (o = 2 OR NOT fell),"
    "   'error_text', CASE WHEN failed THEN 'The engine is <overloaded>' END))"
    "     FROM generate_series(1, CASE WHEN fell OR failed THEN 2 ELSE 1 END) o"
    "    WHERE NOT blocked)))) FROM made),"
    " '{}');"
    "COMMIT;";

static inline void history_write(struct browse *b)
{
    struct db *db;

    assert_int_equal(db_open(b->pg.owner_conninfo, "history", &db), 0);
    if (db_script(db, history_sql) != 0)
        fail_msg("%s", db_last_error(db));
    db_close(db);
}
