-- log_rows: a past of calls, as if settled over the last weeks; for measuring what reads the log.
--
-- Run by the owner in one transaction, with these settings:
--   bench.rows   calls of the large team, which is the one with the smallest id; twenty other teams
--                that are made here have a two-hundredth of it each
--   bench.weeks  how far back the past goes
-- The rows are what settling would have left: batches of up to a hundred calls with one posted_at and
-- one transfer, accounts, purses and roll-ups that agree with them. Nothing is random: the same
-- settings make the same rows, but for the moment they end at.
--   40 keys, 8 projects, 12 models of 5 providers; 8 % of the calls failed, 4 % were refused, 5 % fell
--   back, half streamed; charges from nothing to some cents, one in a thousand above a dollar.

SELECT set_config('app.scope', 'system', true);

CREATE FUNCTION pg_temp.dice(n bigint, salt integer, sides integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (hashint8extended(n, salt) & 2147483647)::integer % sides $$;

SELECT count(make_call_partitions(now() - n * interval '7 days'))
  FROM generate_series(0, current_setting('bench.weeks')::integer + 1) n;

INSERT INTO team (name, time_zone) SELECT 'Bench ' || n, 'UTC' FROM generate_series(1, 20) n;
SELECT count(open_team_books(id)) FROM team
 WHERE NOT EXISTS (SELECT FROM account a WHERE a.team_id = team.id);
INSERT INTO project (team_id, name)
SELECT t.id, 'project ' || n FROM team t, generate_series(1, 8) n ORDER BY t.id, n;
INSERT INTO api_key (team_id, name, prefix, last4, digest)
SELECT t.id, 'key ' || n, 'tg-', lpad(n::text, 4, '0'), sha256((t.id || '/' || n)::bytea)
  FROM team t, generate_series(1, 40) n ORDER BY t.id, n;

CREATE TEMP TABLE bench_team ON COMMIT DROP AS
SELECT t.id, t.id = min(t.id) OVER () AS large,
       CASE WHEN t.id = min(t.id) OVER () THEN current_setting('bench.rows')::bigint
            ELSE current_setting('bench.rows')::bigint / 200 END AS calls,
       (SELECT array_agg(k.id ORDER BY k.id) FROM api_key k WHERE k.team_id = t.id) AS keys,
       (SELECT array_agg(p.id ORDER BY p.id) FROM project p WHERE p.team_id = t.id) AS projects
  FROM team t WHERE t.name LIKE 'Bench %' OR t.id = (SELECT min(id) FROM team);

-- Money first, before all usage: a hundred thousand dollars each.
INSERT INTO transfer (team_id, code, ref, debit_account, credit_account, amount_nano, funds_nano, reason,
                      actor_name, posted_at)
SELECT t.id, 'TOPUP', 'bench-' || t.id, c.id, w.id, 100000000000000, 100000000000000, 'bench', 'bench',
       now() - (current_setting('bench.weeks')::integer + 1) * interval '7 days'
  FROM bench_team t JOIN account w ON w.team_id = t.id AND w.kind = 'wallet'
  JOIN account c ON c.team_id = t.id AND c.kind = 'cash';
UPDATE account a SET credits_nano = credits_nano + CASE WHEN a.kind = 'wallet' THEN 100000000000000 ELSE 0 END,
                     debits_nano = debits_nano + CASE WHEN a.kind = 'cash' THEN 100000000000000 ELSE 0 END
 WHERE a.team_id IN (SELECT id FROM bench_team) AND a.kind IN ('wallet', 'cash');
UPDATE purse p SET capacity = capacity + 100000000000000
 WHERE p.team_id IN (SELECT id FROM bench_team) AND p.kind = 'wallet';

CREATE TEMP TABLE bench_batch ON COMMIT DROP AS
SELECT b.team_id, b.first, b.size, nextval('transfer_id_seq') AS transfer_id, b.posted_at
  FROM (SELECT t.id AS team_id, g * 100 AS first, least(t.calls - g * 100, 100) AS size,
               now() - interval '3 seconds'
               - (1 - (g * 100 + 100) / (t.calls + 100.0)) * current_setting('bench.weeks')::integer
                 * interval '7 days' AS posted_at
          FROM bench_team t, generate_series(0, (t.calls - 1) / 100) g
         ORDER BY posted_at, t.id) b;

INSERT INTO call (team_id, call_id, project_id, key_id, started_at, endpoint, requested_model, served_model,
                  account_id, provider, account_name, status, outcome, error_code, quota_source, stream,
                  attempts, fallback, input_tokens, cached_input_tokens, output_tokens, basis, hold_nano,
                  charge_nano, cost_nano, price_id, latency_us, ttfb_us, finish_reason, upstream_request_id,
                  client_address, user_agent, tags, repeat, tries, posted_at, transfer_id)
SELECT r.team_id,
       (lpad(to_hex((extract(epoch FROM r.posted_at) * 1000)::bigint - r.ms), 12, '0') || '7'
        || lpad(to_hex(r.seq % 4096), 3, '0') || '8' || lpad(to_hex(r.team_id), 5, '0')
        || lpad(to_hex(r.n), 10, '0'))::uuid,
       r.projects[1 + d.key % 8], r.keys[1 + d.key], r.posted_at - r.ms * interval '1 millisecond',
       '/v1/chat/completions', m.name, CASE WHEN d.bad >= 12 THEN m.name END,
       CASE WHEN d.bad >= 4 THEN m.id END, CASE WHEN d.bad >= 4 THEN m.provider END,
       CASE WHEN d.bad >= 4 THEN m.provider || ' main' END,
       CASE WHEN d.bad < 2 THEN 402 WHEN d.bad < 4 THEN 429 WHEN d.bad < 6 THEN 400
            WHEN d.bad < 12 THEN 502 ELSE 200 END,
       CASE WHEN d.bad < 4 THEN 'blocked' WHEN d.bad < 6 THEN 'client_error'
            WHEN d.bad < 12 THEN 'upstream_error' WHEN d.bad = 12 THEN 'client_gone' ELSE 'ok' END,
       CASE WHEN d.bad < 4 THEN 'rate_limited' WHEN d.bad < 12 THEN 'upstream_error' END,
       CASE WHEN d.bad < 4 THEN 'key_rate_limit' END,
       r.n % 2 = 0, CASE WHEN d.bad < 4 THEN 0 WHEN d.fell THEN 2 ELSE 1 END, d.fell,
       CASE WHEN d.bad < 12 THEN 0 ELSE 40 + d.tokens END, CASE WHEN d.bad < 12 THEN 0 ELSE d.tokens / 3 END,
       CASE WHEN d.bad < 12 THEN 0 ELSE 10 + d.tokens / 4 END,
       CASE WHEN d.bad < 12 THEN 'zero' ELSE 'provider' END, 5000000000,
       c.charge, c.charge * 3 / 4, 7, (r.ms - 50) * 1000, CASE WHEN d.bad < 12 THEN 0 ELSE 180000 END,
       'stop', 'req_' || r.n, '192.0.2.' || r.n % 200, 'OpenAI/Python 2.8.0',
       CASE WHEN r.n % 10 = 0 THEN jsonb_build_object('customer', 'acme-' || d.key) END,
       CASE WHEN d.bad < 4 THEN 1 + d.key % 3 ELSE 1 END,
       CASE WHEN d.fell THEN (
           SELECT array_agg(json_populate_record(NULL::call_attempt, json_build_object(
                      'ordinal', o, 'account_name', m.provider || ' main', 'provider', m.provider,
                      'upstream_model', m.name, 'status', CASE WHEN o = 1 THEN 503 ELSE 200 END,
                      'reason', CASE WHEN o = 1 THEN 'server_error' ELSE 'ok' END, 'latency_us', 100000,
                      'served', o = 2)))
             FROM generate_series(1, 2) o) END, r.posted_at,
       CASE WHEN c.charge > 0 THEN r.transfer_id END
  FROM (SELECT b.team_id, b.posted_at, b.transfer_id, t.keys, t.projects, s AS seq, b.first + s AS n,
               (300 + pg_temp.dice(b.first + s, 1, 20000))::bigint AS ms
          FROM bench_batch b JOIN bench_team t ON t.id = b.team_id, generate_series(0, b.size - 1) s
         ORDER BY b.posted_at) r
 CROSS JOIN LATERAL (SELECT pg_temp.dice(r.n, 2, 100) AS bad, pg_temp.dice(r.n, 3, 20) = 0
                            AND pg_temp.dice(r.n, 2, 100) >= 12 AS fell,
                            pg_temp.dice(r.n, 4, 40) AS key, pg_temp.dice(r.n, 5, 12) AS model,
                            pg_temp.dice(r.n, 6, 4000) AS tokens) d
  JOIN (VALUES (0, 'gpt-4o', 'openai'), (1, 'gpt-4o-mini', 'openai'), (2, 'gpt-5', 'openai'),
               (3, 'claude-sonnet-4', 'anthropic'), (4, 'claude-haiku-4', 'anthropic'),
               (5, 'gemini-2.5-pro', 'google'), (6, 'gemini-2.5-flash', 'google'),
               (7, 'mistral-large', 'mistral'), (8, 'mistral-small', 'mistral'),
               (9, 'deepseek-chat', 'deepseek'), (10, 'deepseek-reasoner', 'deepseek'),
               (11, 'text-embedding-3-small', 'openai')) AS m(id, name, provider) ON m.id = d.model
 CROSS JOIN LATERAL (SELECT CASE WHEN d.bad < 12 THEN 0::bigint
                                 WHEN pg_temp.dice(r.n, 7, 1000) = 0 THEN 1000000001 + r.n % 1000
                                 ELSE (40 + d.tokens) * (150 + 37 * d.model) END AS charge) c;

INSERT INTO transfer (team_id, id, code, ref, debit_account, credit_account, amount_nano, funds_nano, calls,
                      posted_at)
OVERRIDING SYSTEM VALUE
SELECT s.team_id, s.transfer_id, 'USAGE', s.transfer_id::text, w.id, r.id, s.charge,
       100000000000000 - sum(s.charge) OVER (PARTITION BY s.team_id ORDER BY s.transfer_id), s.calls, s.posted_at
  FROM (SELECT c.team_id, c.transfer_id, c.posted_at, sum(c.charge_nano) AS charge, count(*) AS calls
          FROM call c WHERE c.transfer_id IS NOT NULL GROUP BY 1, 2, 3) s
  JOIN account w ON w.team_id = s.team_id AND w.kind = 'wallet'
  JOIN account r ON r.team_id = s.team_id AND r.kind = 'revenue';

UPDATE account a SET debits_nano = debits_nano + CASE WHEN a.kind = 'wallet' THEN s.charge ELSE 0 END,
                     credits_nano = credits_nano + CASE WHEN a.kind = 'revenue' THEN s.charge ELSE 0 END
  FROM (SELECT t.team_id, sum(t.amount_nano)::bigint AS charge FROM transfer t WHERE t.code = 'USAGE'
         GROUP BY 1) s
 WHERE a.team_id = s.team_id AND a.kind IN ('wallet', 'revenue');
UPDATE purse p SET used = used + s.charge
  FROM (SELECT t.team_id, sum(t.amount_nano)::bigint AS charge FROM transfer t WHERE t.code = 'USAGE'
         GROUP BY 1) s
 WHERE p.team_id = s.team_id AND p.kind = 'wallet';

INSERT INTO usage_day (team_id, day, model, key_id, project_id, provider, account_id, calls, blocked, errors,
                       fallbacks, input_tokens, cached_input_tokens, output_tokens, charge_nano, cost_nano)
SELECT c.team_id, (c.posted_at AT TIME ZONE t.time_zone)::date, coalesce(c.served_model, ''), c.key_id,
       c.project_id, coalesce(c.provider, ''), coalesce(c.account_id, 0), sum(c.repeat),
       coalesce(sum(c.repeat) FILTER (WHERE c.outcome = 'blocked'), 0),
       count(*) FILTER (WHERE c.outcome IN ('client_error', 'upstream_error')),
       count(*) FILTER (WHERE c.fallback), sum(c.input_tokens), sum(c.cached_input_tokens),
       sum(c.output_tokens), sum(c.charge_nano), sum(c.cost_nano)
  FROM call c JOIN team t ON t.id = c.team_id GROUP BY 1, 2, 3, 4, 5, 6, 7;
