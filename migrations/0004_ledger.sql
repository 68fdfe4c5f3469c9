-- 0004_ledger: the books, what may still be spent, and the record of every call.
--
-- Why: a balance that is read and then written is lost under concurrency, and a charge without its
-- row (or a row without its charge) cannot be explained. So money is only ever a transfer between two
-- accounts of a team, written together with the calls it pays for; and what nodes may spend without
-- asking is leased to them from purses.
--
-- account   double entry, debits and credits only grow; posted balance of the wallet = credits - debits
-- transfer  append-only, two legs, idempotent by (team, code, ref)
-- purse     anything that runs out: the wallet, a budget's window, a minute's requests or tokens, permits
-- lease     a slice of a purse that one node session may use without asking
-- call      one row per client request whose key is known; attempt: one row per try
-- usage_day the calls summed by day, written in the same transaction
--
-- Lock order, everywhere: account rows by (team, id), then purse rows by (team, id), then leases.

CREATE TABLE account (
    team_id bigint NOT NULL REFERENCES team,
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL CHECK (kind IN ('wallet', 'revenue', 'cash', 'promo', 'adjustment', 'refund')),
    debits_nano bigint NOT NULL DEFAULT 0 CHECK (debits_nano BETWEEN 0 AND 1000000000000000000),
    credits_nano bigint NOT NULL DEFAULT 0 CHECK (credits_nano BETWEEN 0 AND 1000000000000000000),
    PRIMARY KEY (team_id, id),
    UNIQUE (team_id, kind)
) WITH (fillfactor = 40);
COMMENT ON TABLE account IS 'The books of each team. debits_nano and credits_nano only grow; the wallet is a liability: balance = credits - debits.';

CREATE TABLE transfer (
    team_id bigint NOT NULL REFERENCES team,
    id bigint GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL CHECK (code IN ('TOPUP', 'USAGE', 'LATE_USAGE', 'GRANT', 'REFUND', 'CHARGEBACK', 'ADJUST')),
    ref text NOT NULL CHECK (length(ref) BETWEEN 1 AND 200),
    debit_account bigint NOT NULL,
    credit_account bigint NOT NULL CHECK (credit_account <> debit_account),
    amount_nano bigint NOT NULL CHECK (amount_nano > 0),
    wallet_nano bigint NOT NULL,
    reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 300),
    actor_kind text NOT NULL DEFAULT 'system',
    actor_id bigint,
    actor_name text NOT NULL DEFAULT 'system',
    calls integer NOT NULL DEFAULT 0,
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (team_id, id),
    UNIQUE (team_id, code, ref),
    FOREIGN KEY (team_id, debit_account) REFERENCES account (team_id, id),
    FOREIGN KEY (team_id, credit_account) REFERENCES account (team_id, id)
);
CREATE INDEX transfer_posted ON transfer (team_id, posted_at);
COMMENT ON TABLE transfer IS 'Append-only. Exactly two legs, so the books balance by construction; corrections are new transfers.';
COMMENT ON COLUMN transfer.ref IS 'What it is for: the order, the batch of calls, the operator''s reference. Once per code.';
COMMENT ON COLUMN transfer.wallet_nano IS 'The wallet''s balance after this transfer; exact, because the wallet row is locked meanwhile.';
COMMENT ON COLUMN transfer.calls IS 'For usage: how many call rows name this transfer.';

CREATE TABLE purse (
    team_id bigint NOT NULL REFERENCES team,
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL CHECK (kind IN ('wallet', 'budget', 'requests', 'tokens', 'permits')),
    scope text NOT NULL CHECK (scope IN ('team', 'project', 'key', 'user', 'model')),
    scope_id bigint NOT NULL,
    turns text NOT NULL CHECK (turns IN ('never', 'minute', 'day', 'week', 'month')),
    capacity bigint NOT NULL CHECK (capacity >= 0),
    used bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
    leased bigint NOT NULL DEFAULT 0 CHECK (leased >= 0),
    window_start timestamptz NOT NULL DEFAULT '-infinity',
    window_end timestamptz NOT NULL DEFAULT 'infinity',
    recall_until timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (team_id, id),
    UNIQUE (team_id, kind, scope, scope_id)
) WITH (fillfactor = 40);
COMMENT ON TABLE purse IS 'What may still be used: available = capacity - used - leased. Nano-dollars, requests, tokens or permits.';
COMMENT ON COLUMN purse.turns IS 'When it fills again: windows of the team''s time zone; minutes are of the clock.';
COMMENT ON COLUMN purse.recall_until IS 'Somebody was refused: until then nodes give idle slack back.';

CREATE TABLE node_session (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node_name text NOT NULL,
    version text NOT NULL DEFAULT '',
    hb bigint NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'closed', 'reaped')),
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 40);
CREATE INDEX node_session_live ON node_session (id) WHERE state = 'live';
COMMENT ON TABLE node_session IS 'One row per run of a node. hb counts up; another node that sees it stand still for its lease time reaps the session.';

CREATE TABLE lease (
    team_id bigint NOT NULL,
    purse_id bigint NOT NULL,
    session_id bigint NOT NULL REFERENCES node_session,
    remaining bigint NOT NULL CHECK (remaining >= 0),
    window_start timestamptz NOT NULL,
    PRIMARY KEY (team_id, purse_id, session_id),
    FOREIGN KEY (team_id, purse_id) REFERENCES purse (team_id, id)
) WITH (fillfactor = 40);
CREATE INDEX lease_session ON lease (session_id);
COMMENT ON TABLE lease IS 'What a session may still use of a purse without asking. purse.leased is their sum over live sessions and the running window.';

-- The fields are those of model/record.def.
CREATE TABLE call (
    team_id bigint NOT NULL REFERENCES team,
    call_id uuid NOT NULL,
    project_id bigint, key_id bigint, user_id bigint,
    started_at timestamptz,
    endpoint text, requested_model text, served_model text,
    model_id bigint, target_id bigint, account_id bigint,
    provider text, account_name text,
    status integer NOT NULL DEFAULT 0,
    outcome text NOT NULL,
    error_code text, quota_source text,
    stream boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    fallback boolean NOT NULL DEFAULT false,
    input_tokens bigint NOT NULL DEFAULT 0, cached_input_tokens bigint NOT NULL DEFAULT 0,
    cache_write_5m_tokens bigint NOT NULL DEFAULT 0, cache_write_1h_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0, reasoning_tokens bigint NOT NULL DEFAULT 0,
    audio_input_tokens bigint NOT NULL DEFAULT 0, audio_output_tokens bigint NOT NULL DEFAULT 0,
    images bigint NOT NULL DEFAULT 0,
    basis text,
    hold_nano bigint NOT NULL DEFAULT 0 CHECK (hold_nano >= 0),
    charge_nano bigint NOT NULL DEFAULT 0 CHECK (charge_nano >= 0),
    cost_nano bigint NOT NULL DEFAULT 0 CHECK (cost_nano >= 0),
    price_id bigint,
    latency_us bigint NOT NULL DEFAULT 0, ttfb_us bigint NOT NULL DEFAULT 0,
    finish_reason text, upstream_request_id text, client_address text, user_agent text,
    client_gone_at timestamptz,
    tags jsonb,
    repeat integer NOT NULL DEFAULT 1 CHECK (repeat >= 1),
    posted_at timestamptz NOT NULL,
    transfer_id bigint,
    PRIMARY KEY (team_id, call_id)
) PARTITION BY RANGE (call_id);
CREATE INDEX call_by_time ON call (call_id);
CREATE INDEX call_by_transfer ON call (team_id, transfer_id) WHERE transfer_id IS NOT NULL;
CREATE INDEX call_posted ON call (team_id, posted_at);
COMMENT ON TABLE call IS 'The log and the usage events in one: written only by settle_batch, in the transaction of their transfer. Partitioned by the time-ordered call id.';
COMMENT ON COLUMN call.posted_at IS 'The database''s clock at settlement: the day and month that the call belongs to.';
COMMENT ON COLUMN call.transfer_id IS 'The USAGE transfer that charged it; NULL when it cost nothing.';
COMMENT ON COLUMN call.repeat IS 'A blocked call may stand for several of its kind within one second.';

CREATE TABLE attempt (
    team_id bigint NOT NULL,
    call_id uuid NOT NULL,
    ordinal integer NOT NULL,
    target_id bigint, account_id bigint,
    account_name text, provider text, upstream_model text,
    status integer NOT NULL DEFAULT 0,
    reason text,
    started_us bigint NOT NULL DEFAULT 0, connect_us bigint NOT NULL DEFAULT 0,
    ttfb_us bigint NOT NULL DEFAULT 0, latency_us bigint NOT NULL DEFAULT 0,
    input_tokens bigint NOT NULL DEFAULT 0, output_tokens bigint NOT NULL DEFAULT 0,
    cost_nano bigint NOT NULL DEFAULT 0,
    served boolean NOT NULL DEFAULT false,
    upstream_request_id text, error_text text,
    PRIMARY KEY (team_id, call_id, ordinal)
) PARTITION BY RANGE (call_id);
COMMENT ON TABLE attempt IS 'Each try at an upstream within a call, in order. cost_nano is the operator''s and never part of the charge.';

CREATE TABLE usage_day (
    team_id bigint NOT NULL REFERENCES team,
    day date NOT NULL,
    model text NOT NULL,
    key_id bigint NOT NULL,
    project_id bigint NOT NULL,
    provider text NOT NULL,
    account_id bigint NOT NULL,
    calls bigint NOT NULL DEFAULT 0,
    blocked bigint NOT NULL DEFAULT 0,
    errors bigint NOT NULL DEFAULT 0,
    fallbacks bigint NOT NULL DEFAULT 0,
    input_tokens bigint NOT NULL DEFAULT 0,
    cached_input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    charge_nano bigint NOT NULL DEFAULT 0,
    cost_nano bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (team_id, day, model, key_id, project_id, provider, account_id)
) WITH (fillfactor = 70);
COMMENT ON TABLE usage_day IS 'The calls summed by the day of posted_at in the team''s time zone, written with them; '''' and 0 stand for none. input_tokens is the whole prompt without its cached part.';

CREATE TABLE recon_finding (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    invariant text NOT NULL,
    team_id bigint,
    detail text NOT NULL,
    closed_at timestamptz,
    closed_by text
);
COMMENT ON TABLE recon_finding IS 'Every check of the books that failed, until a person closes it.';

CALL tenant_table('account');
CALL tenant_table('transfer');
CALL tenant_table('purse');
CALL tenant_table('lease');
CALL tenant_table('call');
CALL tenant_table('attempt');
CALL tenant_table('usage_day');
CALL money_table('account');
CALL money_table('transfer');
CALL money_table('purse');
CALL money_table('node_session');
CALL money_table('lease');
GRANT DELETE ON lease TO tollgate_money;
CALL money_table('call');
CALL money_table('attempt');
CALL money_table('usage_day');
CALL money_table('recon_finding');
CALL append_only('transfer');
CALL append_only('call');
CALL append_only('attempt');
GRANT SELECT ON team TO tollgate_money;

-- The smallest call id of a moment (UUIDv7 begins with 48 bits of Unix milliseconds).
CREATE FUNCTION call_id_floor(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;
GRANT EXECUTE ON FUNCTION call_id_floor(timestamptz) TO tollgate_app, tollgate_money;

-- Weekly partitions from the last week to four weeks ahead. Owned by the schema's owner, since making
-- a partition takes owning its table.
CREATE FUNCTION ensure_call_partitions() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    made integer := 0;
    week timestamptz := date_trunc('week', now() - interval '7 days', 'UTC');
    tab text;
    part text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('ensure_call_partitions'));
    FOR n IN 0..5 LOOP
        FOREACH tab IN ARRAY ARRAY['call', 'attempt'] LOOP
            part := format('%s_%s', tab, to_char(week AT TIME ZONE 'UTC', 'YYYYMMDD'));
            IF to_regclass(part) IS NULL THEN
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', part, tab,
                               call_id_floor(week), call_id_floor(week + interval '7 days'));
                made := made + 1;
            END IF;
        END LOOP;
        week := week + interval '7 days';
    END LOOP;
    RETURN made;
END
$$;
GRANT EXECUTE ON FUNCTION ensure_call_partitions() TO tollgate_app;
CREATE TABLE call_default PARTITION OF call DEFAULT;
CREATE TABLE attempt_default PARTITION OF attempt DEFAULT;
SELECT ensure_call_partitions();

-- Bounds of the window that a moment falls into.
CREATE FUNCTION purse_window(turns text, zone text, at timestamptz, OUT starts timestamptz, OUT ends timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT CASE turns WHEN 'never' THEN '-infinity'::timestamptz
                      WHEN 'minute' THEN date_trunc('minute', at)
                      ELSE date_trunc(turns, at, zone) END,
           CASE turns WHEN 'never' THEN 'infinity'::timestamptz
                      WHEN 'minute' THEN date_trunc('minute', at) + interval '1 minute'
                      ELSE (date_trunc(turns, at AT TIME ZONE zone) + ('1 ' || turns)::interval) AT TIME ZONE zone END
$$;
GRANT EXECUTE ON FUNCTION purse_window(text, text, timestamptz) TO tollgate_app, tollgate_money;

CREATE FUNCTION open_team_books(p_team bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO account (team_id, kind)
    SELECT p_team, k FROM unnest(ARRAY['wallet', 'revenue', 'cash', 'promo', 'adjustment', 'refund']) AS k
    ON CONFLICT DO NOTHING;
    INSERT INTO purse (team_id, kind, scope, scope_id, turns, capacity)
    VALUES (p_team, 'wallet', 'team', p_team, 'never', 0)
    ON CONFLICT DO NOTHING;
END
$$;
CALL money_function('open_team_books(bigint)');

-- One movement of money other than usage. Direction by the wallet's side: into it or out of it. The
-- same (code, ref) again gives the first transfer's id, or TG002 when its amount was another.
CREATE FUNCTION post_transfer(p_team bigint, p_into boolean, p_other text, p_amount bigint, p_code text,
                              p_ref text, p_reason text, p_actor_kind text, p_actor_id bigint,
                              p_actor_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    wallet account;
    other account;
    known transfer;
    made bigint;
BEGIN
    IF p_amount <= 0 OR p_amount > 1000000000000000 THEN
        RAISE EXCEPTION 'amount out of range' USING ERRCODE = 'TG001';
    END IF;
    PERFORM FROM account WHERE team_id = p_team ORDER BY id FOR UPDATE;
    SELECT * INTO wallet FROM account WHERE team_id = p_team AND kind = 'wallet';
    SELECT * INTO other FROM account WHERE team_id = p_team AND kind = p_other;
    IF wallet.id IS NULL OR other.id IS NULL THEN
        RAISE EXCEPTION 'team has no books' USING ERRCODE = 'TG003';
    END IF;
    SELECT * INTO known FROM transfer WHERE team_id = p_team AND code = p_code AND ref = p_ref;
    IF FOUND THEN
        IF known.amount_nano <> p_amount OR (known.credit_account = wallet.id) <> p_into THEN
            RAISE EXCEPTION 'reference was used for another amount' USING ERRCODE = 'TG002';
        END IF;
        RETURN known.id;
    END IF;
    UPDATE account SET credits_nano = credits_nano + p_amount
     WHERE team_id = p_team AND id = CASE WHEN p_into THEN wallet.id ELSE other.id END;
    UPDATE account SET debits_nano = debits_nano + p_amount
     WHERE team_id = p_team AND id = CASE WHEN p_into THEN other.id ELSE wallet.id END;
    UPDATE purse SET capacity = capacity + CASE WHEN p_into THEN p_amount ELSE 0 END,
                     used = used + CASE WHEN p_into THEN 0 ELSE p_amount END
     WHERE team_id = p_team AND kind = 'wallet';
    INSERT INTO transfer (team_id, code, ref, debit_account, credit_account, amount_nano, wallet_nano,
                          reason, actor_kind, actor_id, actor_name, posted_at)
    VALUES (p_team, p_code, p_ref,
            CASE WHEN p_into THEN other.id ELSE wallet.id END,
            CASE WHEN p_into THEN wallet.id ELSE other.id END, p_amount,
            wallet.credits_nano - wallet.debits_nano + CASE WHEN p_into THEN p_amount ELSE -p_amount END,
            p_reason, p_actor_kind, p_actor_id, p_actor_name, clock_timestamp())
    RETURNING id INTO made;
    RETURN made;
END
$$;
CALL money_function('post_transfer(bigint, boolean, text, bigint, text, text, text, text, bigint, text)', false);

CREATE FUNCTION post_topup(p_team bigint, p_ref text, p_amount bigint, p_reason text, p_actor_kind text,
                           p_actor_id bigint, p_actor_name text) RETURNS bigint LANGUAGE sql AS $$
    SELECT post_transfer(p_team, true, 'cash', p_amount, 'TOPUP', p_ref, p_reason, p_actor_kind,
                         p_actor_id, p_actor_name)
$$;
CALL money_function('post_topup(bigint, text, bigint, text, text, bigint, text)');

CREATE FUNCTION post_grant(p_team bigint, p_ref text, p_amount bigint, p_reason text, p_actor_kind text,
                           p_actor_id bigint, p_actor_name text) RETURNS bigint LANGUAGE sql AS $$
    SELECT post_transfer(p_team, true, 'promo', p_amount, 'GRANT', p_ref, p_reason, p_actor_kind,
                         p_actor_id, p_actor_name)
$$;
CALL money_function('post_grant(bigint, text, bigint, text, text, bigint, text)');

-- p_amount is signed. A reason is wanted.
CREATE FUNCTION post_adjustment(p_team bigint, p_ref text, p_amount bigint, p_reason text,
                                p_actor_kind text, p_actor_id bigint, p_actor_name text)
RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF length(trim(p_reason)) < 3 THEN
        RAISE EXCEPTION 'a reason is wanted' USING ERRCODE = 'TG004';
    END IF;
    RETURN post_transfer(p_team, p_amount > 0, 'adjustment', abs(p_amount), 'ADJUST', p_ref, p_reason,
                         p_actor_kind, p_actor_id, p_actor_name);
END
$$;
CALL money_function('post_adjustment(bigint, text, bigint, text, text, bigint, text)');

CREATE FUNCTION post_refund(p_team bigint, p_ref text, p_amount bigint, p_reason text, p_actor_kind text,
                            p_actor_id bigint, p_actor_name text) RETURNS bigint LANGUAGE sql AS $$
    SELECT post_transfer(p_team, false, 'refund', p_amount, 'REFUND', p_ref, p_reason, p_actor_kind,
                         p_actor_id, p_actor_name)
$$;
CALL money_function('post_refund(bigint, text, bigint, text, text, bigint, text)');

-- Makes or brings up to date the purse of a limit; its id.
CREATE FUNCTION purse_open(p_team bigint, p_kind text, p_scope text, p_scope_id bigint, p_turns text,
                           p_capacity bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found_id bigint;
BEGIN
    SELECT id INTO found_id FROM purse
     WHERE team_id = p_team AND kind = p_kind AND scope = p_scope AND scope_id = p_scope_id
       AND turns = p_turns AND capacity = p_capacity;
    IF found_id IS NULL THEN
        INSERT INTO purse (team_id, kind, scope, scope_id, turns, capacity)
        VALUES (p_team, p_kind, p_scope, p_scope_id, p_turns, p_capacity)
        ON CONFLICT (team_id, kind, scope, scope_id) DO UPDATE
           SET capacity = excluded.capacity, turns = excluded.turns,
               window_start = CASE WHEN purse.turns = excluded.turns THEN purse.window_start ELSE '-infinity' END,
               window_end = CASE WHEN purse.turns = excluded.turns THEN purse.window_end ELSE '-infinity' END
        RETURNING id INTO found_id;
    END IF;
    RETURN found_id;
END
$$;
CALL money_function('purse_open(bigint, text, text, bigint, text, bigint)');

-- Turns a locked purse's window when it is over: nothing used, nothing leased; leases of the window
-- before are void by their window_start.
CREATE FUNCTION purse_turn(p purse, p_now timestamptz) RETURNS purse LANGUAGE plpgsql AS $$
BEGIN
    IF p.turns <> 'never' AND p_now >= p.window_end OR p.turns <> 'never' AND p.window_start = '-infinity' THEN
        SELECT w.starts, w.ends INTO p.window_start, p.window_end
          FROM team t, purse_window(p.turns, t.time_zone, p_now) w WHERE t.id = p.team_id;
        p.used := 0;
        p.leased := 0;
        UPDATE purse SET used = 0, leased = 0, window_start = p.window_start, window_end = p.window_end
         WHERE team_id = p.team_id AND id = p.id;
    END IF;
    RETURN p;
END
$$;
CALL money_function('purse_turn(purse, timestamptz)', false);

-- Leases to a session: for each ask at least need, at most want; all of them or none. `short` marks
-- those that had too little; they are marked for recall.
CREATE FUNCTION lease_grant(p_session bigint, p_teams bigint[], p_purses bigint[], p_needs bigint[], p_wants bigint[])
RETURNS TABLE (team_id bigint, purse_id bigint, granted bigint, short boolean, capacity bigint, used bigint,
               leased bigint, window_start timestamptz, window_end timestamptz, elsewhere boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    ask record;
    p purse;
    rows purse[] := '{}';
    needs bigint[] := '{}';
    wants bigint[] := '{}';
    any_short boolean := false;
    now_at timestamptz := clock_timestamp();
BEGIN
    PERFORM FROM node_session s WHERE s.id = p_session AND s.state = 'live' FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'session is not live' USING ERRCODE = 'TG010';
    END IF;
    FOR ask IN SELECT a.team, a.purse, a.need, a.want
                 FROM unnest(p_teams, p_purses, p_needs, p_wants) AS a(team, purse, need, want)
                ORDER BY a.team, a.purse LOOP
        SELECT * INTO p FROM purse q WHERE q.team_id = ask.team AND q.id = ask.purse FOR UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no such purse' USING ERRCODE = 'TG011';
        END IF;
        p := purse_turn(p, now_at);
        any_short := any_short OR p.capacity - p.used - p.leased < ask.need;
        rows := rows || p;
        needs := needs || ask.need;
        wants := wants || ask.want;
    END LOOP;
    FOR i IN 1 .. coalesce(array_length(rows, 1), 0) LOOP
        p := rows[i];
        team_id := p.team_id;
        purse_id := p.id;
        short := p.capacity - p.used - p.leased < needs[i];
        elsewhere := short AND EXISTS (SELECT FROM lease l JOIN node_session n ON n.id = l.session_id
                                        WHERE l.team_id = p.team_id AND l.purse_id = p.id AND l.session_id <> p_session
                                          AND l.remaining > 0 AND l.window_start = p.window_start AND n.state = 'live');
        -- Near the end exactly what is needed, so that no slack lies about; else at most a quarter.
        granted := CASE WHEN any_short THEN 0
                        WHEN p.capacity - p.used - p.leased < 20 * needs[i]
                          OR p.kind = 'wallet' AND p.capacity - p.used - p.leased < 1000000000 THEN needs[i]
                        ELSE greatest(needs[i], least(wants[i], (p.capacity - p.used - p.leased) / 4)) END;
        IF granted > 0 THEN
            UPDATE purse q SET leased = q.leased + granted WHERE q.team_id = p.team_id AND q.id = p.id;
            INSERT INTO lease AS l (team_id, purse_id, session_id, remaining, window_start)
            VALUES (p.team_id, p.id, p_session, granted, p.window_start)
            ON CONFLICT (team_id, purse_id, session_id) DO UPDATE
               SET remaining = CASE WHEN l.window_start = excluded.window_start THEN l.remaining ELSE 0 END + excluded.remaining,
                   window_start = excluded.window_start;
        ELSIF short THEN
            UPDATE purse q SET recall_until = now_at + interval '5 seconds'
             WHERE q.team_id = p.team_id AND q.id = p.id AND q.recall_until < now_at;
        END IF;
        capacity := p.capacity;
        used := p.used;
        leased := p.leased + granted;
        window_start := p.window_start;
        window_end := p.window_end;
        RETURN NEXT;
    END LOOP;
END
$$;
CALL money_function('lease_grant(bigint, bigint[], bigint[], bigint[], bigint[])');

-- Gives slack back. Amounts beyond what the lease still has, or of an older window, are void.
CREATE FUNCTION lease_return(p_session bigint, p_teams bigint[], p_purses bigint[], p_amounts bigint[],
                             p_windows timestamptz[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    back record;
    back_amount bigint;
BEGIN
    PERFORM FROM node_session s WHERE s.id = p_session FOR KEY SHARE;
    FOR back IN SELECT b.team, b.purse, b.amount, b.win
                  FROM unnest(p_teams, p_purses, p_amounts, p_windows) AS b(team, purse, amount, win)
                 ORDER BY b.team, b.purse LOOP
        PERFORM FROM purse q WHERE q.team_id = back.team AND q.id = back.purse FOR UPDATE;
        UPDATE lease l SET remaining = l.remaining - least(l.remaining, back.amount)
          FROM lease old
         WHERE l.team_id = back.team AND l.purse_id = back.purse AND l.session_id = p_session
           AND old.team_id = l.team_id AND old.purse_id = l.purse_id AND old.session_id = l.session_id
           AND l.window_start = back.win
        RETURNING old.remaining - l.remaining INTO back_amount;
        IF FOUND THEN
            UPDATE purse q SET leased = q.leased - back_amount
             WHERE q.team_id = back.team AND q.id = back.purse AND q.window_start = back.win;
        END IF;
    END LOOP;
END
$$;
CALL money_function('lease_return(bigint, bigint[], bigint[], bigint[], timestamptz[])');

CREATE FUNCTION session_open(p_node text, p_version text) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO node_session (node_name, version) VALUES (p_node, p_version) RETURNING id
$$;
CALL money_function('session_open(text, text)');

-- False: the session was reaped; the node opens another.
CREATE FUNCTION session_heartbeat(p_session bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE node_session SET hb = hb + 1, seen_at = clock_timestamp() WHERE id = p_session AND state = 'live';
    RETURN FOUND;
END
$$;
CALL money_function('session_heartbeat(bigint)');

-- What a session still has goes back to its purses. The caller holds the session row FOR UPDATE.
CREATE FUNCTION session_release(p_session bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    l record;
    total bigint := 0;
BEGIN
    FOR l IN SELECT q.team_id, q.id FROM purse q JOIN lease x ON x.team_id = q.team_id AND x.purse_id = q.id
              WHERE x.session_id = p_session ORDER BY q.team_id, q.id FOR UPDATE OF q LOOP
        NULL;
    END LOOP;
    UPDATE purse q SET leased = q.leased - x.remaining FROM lease x
     WHERE x.session_id = p_session AND x.team_id = q.team_id AND x.purse_id = q.id
       AND x.window_start = q.window_start;
    SELECT coalesce(sum(x.remaining), 0) INTO total FROM lease x WHERE x.session_id = p_session;
    DELETE FROM lease WHERE session_id = p_session;
    RETURN total;
END
$$;
CALL money_function('session_release(bigint)', false);

CREATE FUNCTION session_close(p_session bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE node_session SET state = 'closed', seen_at = clock_timestamp() WHERE id = p_session AND state = 'live';
    IF FOUND THEN
        PERFORM session_release(p_session);
    END IF;
END
$$;
CALL money_function('session_close(bigint)');

-- Acts only if the heartbeat still stands where the observer saw it stand.
CREATE FUNCTION session_reap(p_session bigint, p_hb bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE node_session SET state = 'reaped' WHERE id = p_session AND state = 'live' AND hb = p_hb;
    IF FOUND THEN
        PERFORM session_release(p_session);
        RETURN true;
    END IF;
    RETURN false;
END
$$;
CALL money_function('session_reap(bigint, bigint)');

-- Books a batch of finished calls: call rows, attempts, one USAGE transfer per team, roll-up, purses.
-- Idempotent by (team, call id): everything is computed from the rows that are new. p_draws says what
-- each call used of which purse, and of which window. A session that was reaped meanwhile books all
-- the same, as LATE_USAGE.
CREATE FUNCTION settle_batch(p_session bigint, p_ref text, p_calls jsonb, p_attempts jsonb, p_draws jsonb)
RETURNS TABLE (team_id bigint, purse_id bigint, recall boolean, fenced boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    live boolean;
    now_at timestamptz;
    code_used text;
    t record;
    d record;
    wallet account;
    revenue account;
    made bigint;
    taken bigint;
    base call;
BEGIN
    PERFORM FROM node_session s WHERE s.id = p_session AND s.state = 'live' FOR KEY SHARE;
    live := FOUND;
    code_used := CASE WHEN live THEN 'USAGE' ELSE 'LATE_USAGE' END;
    PERFORM FROM account a WHERE a.team_id IN (SELECT (c->>'team_id')::bigint FROM jsonb_array_elements(p_calls) c)
      ORDER BY a.team_id, a.id FOR UPDATE;
    now_at := clock_timestamp();
    base.posted_at := now_at; -- what the batch does not say

    IF to_regclass('pg_temp.settling') IS NULL THEN
        CREATE TEMP TABLE settling (LIKE call) ON COMMIT DELETE ROWS;
    END IF;
    TRUNCATE settling;
    INSERT INTO settling SELECT DISTINCT ON (c.team_id, c.call_id) c.*
      FROM jsonb_populate_recordset(base, p_calls) c
     WHERE NOT EXISTS (SELECT FROM call o WHERE o.team_id = c.team_id AND o.call_id = c.call_id)
     ORDER BY c.team_id, c.call_id;

    FOR t IN SELECT s.team_id, sum(s.charge_nano)::bigint AS amount, count(*) FILTER (WHERE s.charge_nano > 0)::integer AS calls
               FROM settling s GROUP BY s.team_id ORDER BY s.team_id LOOP
        CONTINUE WHEN t.amount = 0;
        UPDATE account a SET debits_nano = a.debits_nano + t.amount
         WHERE a.team_id = t.team_id AND a.kind = 'wallet' RETURNING a.* INTO wallet;
        UPDATE account a SET credits_nano = a.credits_nano + t.amount
         WHERE a.team_id = t.team_id AND a.kind = 'revenue' RETURNING a.* INTO revenue;
        INSERT INTO transfer (team_id, code, ref, debit_account, credit_account, amount_nano, wallet_nano, calls, posted_at)
        VALUES (t.team_id, code_used, p_ref, wallet.id, revenue.id, t.amount,
                wallet.credits_nano - wallet.debits_nano, t.calls, now_at)
        RETURNING id INTO made;
        UPDATE settling s SET transfer_id = made WHERE s.team_id = t.team_id AND s.charge_nano > 0;
        UPDATE purse q SET used = q.used + t.amount WHERE q.team_id = t.team_id AND q.kind = 'wallet';
    END LOOP;

    INSERT INTO call SELECT * FROM settling;
    INSERT INTO attempt SELECT x.* FROM jsonb_populate_recordset(NULL::attempt, p_attempts) x
      JOIN settling s ON s.team_id = x.team_id AND s.call_id = x.call_id
        ON CONFLICT DO NOTHING;
    INSERT INTO usage_day AS u (team_id, day, model, key_id, project_id, provider, account_id, calls, blocked, errors,
                                fallbacks, input_tokens, cached_input_tokens, output_tokens, charge_nano, cost_nano)
    SELECT s.team_id, (now_at AT TIME ZONE m.time_zone)::date, coalesce(s.served_model, ''), coalesce(s.key_id, 0),
           coalesce(s.project_id, 0), coalesce(s.provider, ''), coalesce(s.account_id, 0),
           sum(s.repeat), coalesce(sum(s.repeat) FILTER (WHERE s.outcome = 'blocked'), 0),
           count(*) FILTER (WHERE s.outcome IN ('client_error', 'upstream_error', 'cut', 'internal')),
           count(*) FILTER (WHERE s.fallback),
           sum(s.input_tokens + s.cache_write_5m_tokens + s.cache_write_1h_tokens), sum(s.cached_input_tokens),
           sum(s.output_tokens), sum(s.charge_nano), sum(s.cost_nano)
      FROM settling s JOIN team m ON m.id = s.team_id
     GROUP BY 1, 2, 3, 4, 5, 6, 7
     ORDER BY 1, 2, 3, 4, 5, 6, 7
        ON CONFLICT (team_id, day, model, key_id, project_id, provider, account_id) DO UPDATE
       SET calls = u.calls + excluded.calls, blocked = u.blocked + excluded.blocked,
           errors = u.errors + excluded.errors, fallbacks = u.fallbacks + excluded.fallbacks,
           input_tokens = u.input_tokens + excluded.input_tokens,
           cached_input_tokens = u.cached_input_tokens + excluded.cached_input_tokens,
           output_tokens = u.output_tokens + excluded.output_tokens,
           charge_nano = u.charge_nano + excluded.charge_nano, cost_nano = u.cost_nano + excluded.cost_nano;

    FOR d IN SELECT x.team_id AS team, x.purse_id AS purse, x.window_start AS win, sum(x.amount)::bigint AS amount
               FROM jsonb_to_recordset(p_draws) AS x(team_id bigint, call_id uuid, purse_id bigint,
                                                     window_start timestamptz, amount bigint)
               JOIN settling s ON s.team_id = x.team_id AND s.call_id = x.call_id
              GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LOOP
        UPDATE purse q SET used = q.used + CASE WHEN q.kind <> 'wallet' AND q.window_start = d.win THEN d.amount ELSE 0 END
         WHERE q.team_id = d.team AND q.id = d.purse
        RETURNING q.recall_until > now_at INTO recall;
        CONTINUE WHEN NOT FOUND;
        UPDATE lease l SET remaining = l.remaining - least(l.remaining, d.amount)
          FROM lease old
         WHERE l.team_id = d.team AND l.purse_id = d.purse AND l.session_id = p_session AND l.window_start = d.win
           AND old.team_id = l.team_id AND old.purse_id = l.purse_id AND old.session_id = l.session_id
        RETURNING old.remaining - l.remaining INTO taken;
        IF FOUND THEN
            UPDATE purse q SET leased = q.leased - taken
             WHERE q.team_id = d.team AND q.id = d.purse AND q.window_start = d.win;
        END IF;
        team_id := d.team;
        purse_id := d.purse;
        fenced := NOT live;
        RETURN NEXT;
    END LOOP;
    IF NOT live THEN
        team_id := 0;
        purse_id := 0;
        recall := false;
        fenced := true;
        RETURN NEXT;
    END IF;
END
$$;
CALL money_function('settle_batch(bigint, text, jsonb, jsonb, jsonb)');
