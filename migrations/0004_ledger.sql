-- 0004_ledger: the books, what may still be spent, and the record of every call.
--
-- Why: a balance that is read and then written is lost under concurrency, and a charge without its
-- row (or a row without its charge) cannot be explained. So money is only ever a transfer between two
-- accounts of a team, written together with the calls it pays for; and what nodes may spend without
-- asking is leased to them from purses.
--
-- account   double entry, debits and credits only grow; posted balance of the wallet = credits - debits
-- grant     promotional credit, each in an account of its own; usage is covered by it before the wallet
-- transfer  append-only, two legs, idempotent by (team, code, ref)
-- purse     anything that runs out: the wallet, a budget's window, a minute's requests or tokens, permits
-- lease     a slice of a purse that one node session may use without asking
-- call      one row per client request whose key is known, with its tries; attempt: a view, one row per try
-- usage_day the calls summed by day, written in the same transaction
--
-- Lock order, everywhere: account rows by (team, id), then purse rows by (team, id), then leases.

CREATE TABLE account (
    team_id bigint NOT NULL REFERENCES team,
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL CHECK (kind IN ('wallet', 'grant', 'revenue', 'cash', 'promo', 'adjustment', 'refund')),
    debits_nano bigint NOT NULL DEFAULT 0 CHECK (debits_nano BETWEEN 0 AND 1000000000000000000),
    credits_nano bigint NOT NULL DEFAULT 0 CHECK (credits_nano BETWEEN 0 AND 1000000000000000000),
    PRIMARY KEY (team_id, id)
) WITH (fillfactor = 40);
CREATE UNIQUE INDEX account_kind ON account (team_id, kind) WHERE kind <> 'grant';
COMMENT ON TABLE account IS 'The books of each team: one account of each kind, and one for each grant. debits_nano and credits_nano only grow; wallet and grants are liabilities: balance = credits - debits.';

CREATE TABLE transfer (
    team_id bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL CHECK (code IN ('TOPUP', 'USAGE', 'LATE_USAGE', 'GRANT', 'GRANT_USE', 'GRANT_EXPIRE', 'REFUND',
                                       'REFUND_REVERSED', 'CHARGEBACK', 'CHARGEBACK_REVERSED', 'CREDIT_NOTE', 'ADJUST')),
    ref text NOT NULL CHECK (length(ref) BETWEEN 1 AND 200),
    debit_account bigint NOT NULL,
    credit_account bigint NOT NULL CHECK (credit_account <> debit_account),
    amount_nano bigint NOT NULL CHECK (amount_nano > 0),
    funds_nano bigint NOT NULL,
    reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 300),
    actor_kind text NOT NULL DEFAULT 'system',
    actor_id bigint,
    actor_name text NOT NULL DEFAULT 'system',
    calls integer NOT NULL DEFAULT 0,
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (team_id, id)
);
CREATE UNIQUE INDEX transfer_ref ON transfer (team_id, code, ref) WHERE code NOT IN ('USAGE', 'LATE_USAGE');
CREATE INDEX transfer_posted ON transfer (team_id, posted_at);
COMMENT ON TABLE transfer IS 'Append-only. Exactly two legs, so the books balance by construction; corrections are new transfers.';
COMMENT ON COLUMN transfer.ref IS 'What it is for: the order, the operator''s reference. Once per code. Of usage it is the id, which the key keeps.';
COMMENT ON COLUMN transfer.debit_account IS 'Of the team, as credit_account is: whoever writes a transfer has both locked, and ledger_findings() looks for those that are not there.';
COMMENT ON COLUMN transfer.funds_nano IS 'The team''s balance after this transfer, wallet and grants together; exact, because the accounts are locked meanwhile. GRANT_USE moves money within it.';
COMMENT ON COLUMN transfer.calls IS 'For usage: how many call rows name this transfer.';

CREATE TABLE credit_grant (
    team_id bigint NOT NULL,
    account_id bigint NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    reason text NOT NULL CHECK (length(reason) <= 300),
    priority integer NOT NULL CHECK (priority BETWEEN 0 AND 1000),
    expires_at timestamptz,
    amount_nano bigint NOT NULL CHECK (amount_nano > 0),
    transfer_id bigint NOT NULL,
    PRIMARY KEY (team_id, account_id),
    FOREIGN KEY (team_id, account_id) REFERENCES account (team_id, id),
    FOREIGN KEY (team_id, transfer_id) REFERENCES transfer (team_id, id)
);
COMMENT ON TABLE credit_grant IS 'Promotional credit: what was given, and until when. What is left of it is its account''s balance.';
COMMENT ON COLUMN credit_grant.name IS 'What the team sees it as.';
COMMENT ON COLUMN credit_grant.priority IS 'The smallest is used first; among equals the one that expires first, then the oldest.';
COMMENT ON COLUMN credit_grant.expires_at IS 'NULL: never. It covers usage until what is left is moved back by GRANT_EXPIRE.';
COMMENT ON COLUMN credit_grant.transfer_id IS 'The GRANT that filled it.';

CREATE TABLE live_grant (
    team_id bigint NOT NULL,
    account_id bigint NOT NULL,
    priority integer NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (team_id, account_id),
    FOREIGN KEY (team_id, account_id) REFERENCES credit_grant (team_id, account_id)
);
CREATE INDEX live_grant_expires ON live_grant (expires_at) WHERE expires_at IS NOT NULL;
COMMENT ON TABLE live_grant IS 'The grants that have something left, so that settling looks at no others. expires_at comes earlier here than in credit_grant when an operator has ended it.';

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
    window_start timestamptz NOT NULL DEFAULT '-infinity'
        CHECK (window_start = date_trunc('milliseconds', window_start)),
    window_end timestamptz NOT NULL DEFAULT 'infinity',
    recall_until timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (team_id, id),
    UNIQUE (team_id, kind, scope, scope_id)
) WITH (fillfactor = 40);
COMMENT ON TABLE purse IS 'What may still be used: available = capacity - used - leased. Nano-dollars, requests, tokens or permits. The one of kind wallet counts the wallet and the live grants together.';
COMMENT ON COLUMN purse.turns IS 'When it fills again: windows of the team''s time zone; minutes are of the clock.';
COMMENT ON COLUMN purse.window_start IS 'Whole milliseconds: in the last bit of its microseconds nodes note something of their own (CELL_SHARE_US in server/lease/cell.h).';
COMMENT ON COLUMN purse.recall_until IS 'Somebody was refused: until then nodes give idle slack back.';

CREATE TABLE node_session (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node_name text NOT NULL,
    version text NOT NULL DEFAULT '',
    hb bigint NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'closed', 'reaped')),
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    exposed_nano bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 40);
CREATE INDEX node_session_live ON node_session (id) WHERE state = 'live';
COMMENT ON TABLE node_session IS 'One row per run of a node. hb counts up; another node that sees it stand still for its lease time reaps the session.';
COMMENT ON COLUMN node_session.exposed_nano IS 'Money that was leased to it when it was reaped: as much as may still be settled late.';

CREATE TABLE lease (
    team_id bigint NOT NULL,
    purse_id bigint NOT NULL,
    session_id bigint NOT NULL REFERENCES node_session,
    remaining bigint NOT NULL CHECK (remaining >= 0),
    window_start timestamptz NOT NULL,
    grant_no bigint NOT NULL DEFAULT 0,
    grant_amount bigint NOT NULL DEFAULT 0,
    return_no bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (team_id, purse_id, session_id),
    FOREIGN KEY (team_id, purse_id) REFERENCES purse (team_id, id)
) WITH (fillfactor = 40);
CREATE INDEX lease_session ON lease (session_id);
COMMENT ON COLUMN lease.grant_no IS 'Number of the node''s last grant here, with its amount: a grant whose answer was lost is told again, one that comes late is not made.';
COMMENT ON COLUMN lease.return_no IS 'Number of the node''s last return here: the same one sent again gives nothing back twice.';
COMMENT ON TABLE lease IS 'What a session may still use of a purse without asking. purse.leased is their sum over live sessions and the running window.';

-- The fields of both are those of model/record.def. Absent numbers are 0.
CREATE TYPE call_attempt AS (
    ordinal integer,
    target_id bigint, account_id bigint,
    account_name text, provider text, upstream_model text,
    status integer,
    reason text,
    started_us bigint, connect_us bigint, ttfb_us bigint, latency_us bigint,
    prompt_tokens bigint, completion_tokens bigint,
    cost_nano bigint,
    served boolean,
    upstream_request_id text, error_text text
);
COMMENT ON TYPE call_attempt IS 'A try at an upstream within a call. cost_nano is the operator''s and never part of the charge; of its tokens the two sums. Of the one that served, what its call says is NULL (under the same name, or as make_settlement() lists them), and what is none though the call has some is 0 or empty: the view attempt tells all.';

CREATE TABLE call (
    team_id bigint NOT NULL,
    call_id uuid NOT NULL,
    project_id bigint, key_id bigint, user_id bigint,
    started_at timestamptz,
    endpoint text, requested_model text, served_model text,
    model_id bigint, target_id bigint, account_id bigint,
    provider text, account_name text,
    status integer NOT NULL DEFAULT 0,
    outcome text NOT NULL CHECK (outcome IN ('ok', 'blocked', 'client_error', 'upstream_error',
                                             'client_gone', 'cut', 'internal')),
    error_code text, quota_source text,
    stream boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    fallback boolean NOT NULL DEFAULT false,
    input_tokens bigint NOT NULL DEFAULT 0, cached_input_tokens bigint,
    cache_write_5m_tokens bigint, cache_write_1h_tokens bigint,
    audio_input_tokens bigint, image_input_tokens bigint,
    output_tokens bigint NOT NULL DEFAULT 0, reasoning_tokens bigint,
    audio_output_tokens bigint, image_output_tokens bigint,
    images bigint, seconds bigint, characters bigint, pages bigint, searches bigint, requests bigint,
    service_tier text, image_kind text,
    basis text,
    hold_nano bigint NOT NULL DEFAULT 0 CHECK (hold_nano >= 0),
    charge_nano bigint NOT NULL DEFAULT 0 CHECK (charge_nano >= 0),
    cost_nano bigint NOT NULL DEFAULT 0 CHECK (cost_nano >= 0),
    price_id bigint,
    latency_us bigint NOT NULL DEFAULT 0, ttfb_us bigint NOT NULL DEFAULT 0,
    finish_reason text, upstream_request_id text, client_address text, user_agent text,
    client_gone_at timestamptz,
    tags json,
    repeat integer NOT NULL DEFAULT 1 CHECK (repeat >= 1),
    dropped text,
    cache text,
    saved_nano bigint NOT NULL DEFAULT 0 CHECK (saved_nano >= 0),
    own_key boolean NOT NULL DEFAULT false,
    own_fee_bp integer NOT NULL DEFAULT 0 CHECK (own_fee_bp BETWEEN 0 AND 10000),
    guardrails text,
    rule text,
    similarity_bp integer CHECK (similarity_bp BETWEEN 1 AND 10000),
    for_call_id uuid,
    tries call_attempt[],
    posted_at timestamptz NOT NULL,
    transfer_id bigint,
    PRIMARY KEY (call_id, team_id)
) PARTITION BY RANGE (call_id);
-- The key begins with the id, since ids come nearly in order: what is written then lies together,
-- however many teams a batch is of.
-- The log reads a team's calls by posted_at, and so do invoices; a transfer's calls are those of its
-- posted_at. Rows come in the order of posted_at and nearly in that of call_id, so that for reading the
-- calls of all teams summaries of page ranges do, one for both, which costs a settlement next to nothing.
-- They are made by whoever vacuums, and by summarize_calls() each minute: of the ranges that fill at
-- thousands of calls a second vacuum hears of some only.
CREATE INDEX call_posted ON call (team_id, posted_at);
CREATE INDEX call_range ON call USING brin (posted_at, call_id uuid_minmax_multi_ops)
    WITH (pages_per_range = 128, autosummarize = on);
-- From a call to the one that the gateway made for it. Few calls have a row in it: those that embed.
CREATE INDEX call_made_for ON call (for_call_id) WHERE for_call_id IS NOT NULL;
COMMENT ON COLUMN call.team_id IS 'A team that has books: settle_batch locks them, so each row need not ask for its team again.';
COMMENT ON TABLE call IS 'The log and the usage events in one: written only by settle_batch, in the transaction of their transfer. Partitioned by the time-ordered call id.';
COMMENT ON COLUMN call.input_tokens IS 'Usage in disjoint classes, up to requests: cached, written, audio and image tokens are not also in input_tokens, nor reasoning in output_tokens. Those that most calls have none of are NULL for 0.';
COMMENT ON COLUMN call.image_kind IS 'Which figure of the price the images are charged at (price_unit.image_kind); NULL: the one for all others.';
COMMENT ON COLUMN call.service_tier IS 'The tier that the charge is of (server/model/service.h).';
COMMENT ON COLUMN call.posted_at IS 'The database''s clock at settlement: the day and month that the call belongs to.';
COMMENT ON COLUMN call.transfer_id IS 'The USAGE transfer that charged it; NULL when it cost nothing.';
COMMENT ON COLUMN call.dropped IS 'What the served target''s format could not express and was left out, where the route says so.';
COMMENT ON COLUMN call.cache IS 'hit: the answer was one that this node had kept, nothing was used and nothing charged; miss: none was kept; NULL: answers are not kept for this call.';
COMMENT ON COLUMN call.saved_nano IS 'Of a hit: what the call that made the answer was charged.';
COMMENT ON COLUMN call.own_key IS 'An account of the team''s own served it: the charge is own_fee_bp hundredths of a percent of the list charge, rounded up, and it cost the operator nothing.';
COMMENT ON COLUMN call.guardrails IS 'Which guardrails found something, and how often: "name=2, other=1"; never what. NULL: none did, or there are none.';
COMMENT ON COLUMN call.rule IS 'The rule of the requested model that had another one serve (route_rule.name); NULL: none did.';
COMMENT ON COLUMN call.similarity_bp IS 'Of a hit whose question was another one: how near the two were, in hundredths of a percent of the cosine; NULL: it was the same, or no hit.';
COMMENT ON COLUMN call.for_call_id IS 'The call that the gateway made this one for: it embedded that one''s question. NULL: a client made it.';
COMMENT ON COLUMN call.tries IS 'Its attempts in order, as the rows of the view attempt; NULL: there was none. Within the call, since a table of them with a key of its own cost a tenth of a settlement more.';
COMMENT ON COLUMN call.repeat IS 'A blocked call may stand for several of its kind within one second.';

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
    input_tokens bigint NOT NULL DEFAULT 0, cached_input_tokens bigint NOT NULL DEFAULT 0,
    cache_write_5m_tokens bigint NOT NULL DEFAULT 0, cache_write_1h_tokens bigint NOT NULL DEFAULT 0,
    audio_input_tokens bigint NOT NULL DEFAULT 0, image_input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0, reasoning_tokens bigint NOT NULL DEFAULT 0,
    audio_output_tokens bigint NOT NULL DEFAULT 0, image_output_tokens bigint NOT NULL DEFAULT 0,
    images bigint NOT NULL DEFAULT 0, seconds bigint NOT NULL DEFAULT 0,
    characters bigint NOT NULL DEFAULT 0, pages bigint NOT NULL DEFAULT 0,
    searches bigint NOT NULL DEFAULT 0, requests bigint NOT NULL DEFAULT 0,
    charge_nano bigint NOT NULL DEFAULT 0,
    cost_nano bigint NOT NULL DEFAULT 0,
    cache_hits bigint NOT NULL DEFAULT 0,
    saved_nano bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (team_id, day, model, key_id, project_id, provider, account_id)
) WITH (fillfactor = 70);
CREATE INDEX usage_day_menu ON usage_day (team_id, model, provider, day);
COMMENT ON INDEX usage_day_menu IS 'What a team has used at all, for filters to choose from.';
COMMENT ON TABLE usage_day IS 'The calls summed by the day of posted_at in the team''s time zone, written with them; '''' and 0 stand for none. Usage in the classes of call. The figures are summed again, in this order, by call_figures() and ledger_findings().';

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
CALL tenant_table('credit_grant');
CALL tenant_table('live_grant');
CALL tenant_table('purse');
CALL tenant_table('lease');
CALL tenant_table('call');
CALL tenant_table('usage_day');
CALL money_table('account');
CALL money_table('transfer');
CALL money_table('credit_grant');
CALL money_table('live_grant');
GRANT DELETE ON live_grant TO tollgate_money;
CALL money_table('purse');
CALL money_table('node_session');
CALL money_table('lease');
GRANT DELETE ON lease TO tollgate_money;
CALL money_table('call');
CALL money_table('usage_day');
CALL money_table('recon_finding');
CALL append_only('transfer');
CALL append_only('credit_grant');
CALL append_only('call');
GRANT SELECT ON team TO tollgate_money;
GRANT USAGE ON SEQUENCE transfer_id_seq TO tollgate_money;

-- The smallest call id of a moment (UUIDv7 begins with 48 bits of Unix milliseconds).
CREATE FUNCTION call_id_floor(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;
GRANT EXECUTE ON FUNCTION call_id_floor(timestamptz) TO tollgate_app, tollgate_money;

-- The name of the partition that a moment's calls go to.
CREATE FUNCTION call_partition(tab text, at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT tab || '_' || to_char(date_trunc('week', at, 'UTC') AT TIME ZONE 'UTC', 'YYYYMMDD')
$$;
GRANT EXECUTE ON FUNCTION call_partition(text, timestamptz) TO tollgate_app, tollgate_money;

-- Makes the weekly partition of a moment; how many were made. Attached rather than made in place: that
-- leaves the parent writable meanwhile. None is made while rows of that week lie in the DEFAULT
-- partition: they would be in the wrong one, and a finding tells of them. The lock that attaching takes on
-- the DEFAULT partition keeps out whoever reads the log from when it is asked for: where a long reading is
-- on it is not waited for long. NULL: it was not to be had.
CREATE FUNCTION make_call_partitions(at timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    week timestamptz := date_trunc('week', at, 'UTC');
    part text := call_partition('call', week);
BEGIN
    IF to_regclass(part) IS NOT NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE call INCLUDING ALL)', part);
    EXECUTE format('ALTER TABLE call ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part,
                   call_id_floor(week), call_id_floor(week + interval '7 days'));
    CALL append_only_truncate(part);
    RETURN 1;
EXCEPTION
    WHEN check_violation THEN
        RETURN 0;
    WHEN lock_not_available THEN
        RETURN NULL;
END
$$;

-- Weekly partitions from the last week to eight weeks ahead; what could not be made is made another time.
-- Owned by the schema's owner, since making a partition takes owning its table.
CREATE FUNCTION ensure_call_partitions() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    made integer := 0;
    more integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('ensure_call_partitions')) THEN
        RETURN 0;
    END IF;
    FOR n IN -1..8 LOOP
        more := make_call_partitions(now() + n * interval '7 days');
        EXIT WHEN more IS NULL;
        made := made + more;
    END LOOP;
    RETURN made;
END
$$;
GRANT EXECUTE ON FUNCTION ensure_call_partitions() TO tollgate_app;

-- Summarises the pages of calls that were filled lately; owned by the schema's owner, whose indexes they
-- are. A partition that is being vacuumed is left to the vacuum, which does the same.
CREATE FUNCTION summarize_calls() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    summary regclass;
BEGIN
    FOR summary IN
        SELECT i.indexrelid FROM pg_index i
          JOIN pg_class c ON c.oid = i.indexrelid
          JOIN pg_am m ON m.oid = c.relam AND m.amname = 'brin'
         WHERE i.indrelid IN (to_regclass(call_partition('call', now())),
                              to_regclass(call_partition('call', now() - interval '7 days'))) LOOP
        PERFORM brin_summarize_new_values(summary);
    END LOOP;
EXCEPTION WHEN lock_not_available THEN
    NULL;
END
$$;
REVOKE ALL ON FUNCTION summarize_calls() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION summarize_calls() TO tollgate_money;

CREATE TABLE call_default PARTITION OF call DEFAULT;
CALL append_only_truncate('call_default');
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

-- Money is moved for a team by operators and by the system, never in the team's own name.
CREATE FUNCTION ledger_guard() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF app_scope() IN ('operator', 'system') THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'not in this scope' USING ERRCODE = 'TG403';
END
$$;
CALL money_function('ledger_guard()', false);

-- One movement between two accounts of a team, which the caller has locked. What enters or leaves
-- wallet and grants changes what may be spent; what moves between them does not. The same (code, ref)
-- again gives the first transfer's id, or TG002 when its amount was another.
CREATE FUNCTION post_between(p_team bigint, p_debit bigint, p_credit bigint, p_amount bigint, p_code text,
                             p_ref text, p_reason text, p_actor_kind text, p_actor_id bigint,
                             p_actor_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    known transfer;
    takes boolean;
    gives boolean;
    funds bigint;
    made bigint;
BEGIN
    IF p_amount IS NULL OR p_amount <= 0 OR p_amount > 1000000000000000 THEN
        RAISE EXCEPTION 'amount out of range' USING ERRCODE = 'TG001';
    END IF;
    SELECT * INTO known FROM transfer
     WHERE team_id = p_team AND code = p_code AND ref = p_ref AND code NOT IN ('USAGE', 'LATE_USAGE');
    IF FOUND THEN
        IF known.amount_nano <> p_amount OR known.credit_account <> p_credit
           OR known.debit_account <> p_debit THEN
            RAISE EXCEPTION 'reference was used for another amount' USING ERRCODE = 'TG002';
        END IF;
        RETURN known.id;
    END IF;
    UPDATE account SET debits_nano = debits_nano + p_amount WHERE team_id = p_team AND id = p_debit
    RETURNING kind IN ('wallet', 'grant') INTO takes;
    UPDATE account SET credits_nano = credits_nano + p_amount WHERE team_id = p_team AND id = p_credit
    RETURNING kind IN ('wallet', 'grant') INTO gives;
    UPDATE purse
       SET capacity = capacity + CASE WHEN gives AND NOT takes THEN p_amount
                                      WHEN takes AND p_code = 'GRANT_EXPIRE' THEN -p_amount ELSE 0 END,
           used = used + CASE WHEN takes AND NOT gives AND p_code <> 'GRANT_EXPIRE' THEN p_amount ELSE 0 END
     WHERE team_id = p_team AND kind = 'wallet'
    RETURNING capacity - used INTO funds;
    INSERT INTO transfer (team_id, code, ref, debit_account, credit_account, amount_nano, funds_nano,
                          reason, actor_kind, actor_id, actor_name, posted_at)
    VALUES (p_team, p_code, p_ref, p_debit, p_credit, p_amount, funds, p_reason, p_actor_kind, p_actor_id,
            p_actor_name, clock_timestamp())
    RETURNING id INTO made;
    RETURN made;
END
$$;
CALL money_function('post_between(bigint, bigint, bigint, bigint, text, text, text, text, bigint, text)', false);

-- Locks a team's accounts, in the one order, and gives the id of the one of that kind.
CREATE FUNCTION books_lock(p_team bigint, p_kind text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found_id bigint;
BEGIN
    PERFORM FROM account WHERE team_id = p_team ORDER BY id FOR UPDATE;
    SELECT id INTO found_id FROM account WHERE team_id = p_team AND kind = p_kind;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'team has no books' USING ERRCODE = 'TG003';
    END IF;
    RETURN found_id;
END
$$;
CALL money_function('books_lock(bigint, text)', false);

-- One movement into the wallet or out of it.
CREATE FUNCTION post_transfer(p_team bigint, p_into boolean, p_other text, p_amount bigint, p_code text,
                              p_ref text, p_reason text, p_actor_kind text, p_actor_id bigint,
                              p_actor_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    other bigint;
    wallet bigint;
BEGIN
    PERFORM ledger_guard();
    wallet := books_lock(p_team, 'wallet');
    other := books_lock(p_team, p_other);
    RETURN post_between(p_team, CASE WHEN p_into THEN other ELSE wallet END,
                        CASE WHEN p_into THEN wallet ELSE other END, p_amount, p_code, p_ref, p_reason,
                        p_actor_kind, p_actor_id, p_actor_name);
END
$$;
CALL money_function('post_transfer(bigint, boolean, text, bigint, text, text, text, text, bigint, text)', false);

CREATE FUNCTION post_topup(p_team bigint, p_ref text, p_amount bigint, p_reason text, p_actor_kind text,
                           p_actor_id bigint, p_actor_name text) RETURNS bigint LANGUAGE sql AS $$
    SELECT post_transfer(p_team, true, 'cash', p_amount, 'TOPUP', p_ref, p_reason, p_actor_kind,
                         p_actor_id, p_actor_name)
$$;
CALL money_function('post_topup(bigint, text, bigint, text, text, bigint, text)');

-- Gives promotional credit, in an account of its own; the transfer's id. p_expires_at NULL: it does not
-- expire. TG005 when it would have expired already, TG006 when a hundred grants of the team are live:
-- settling locks them all.
CREATE FUNCTION post_grant(p_team bigint, p_ref text, p_amount bigint, p_name text, p_reason text,
                           p_priority integer, p_expires_at timestamptz, p_actor_kind text,
                           p_actor_id bigint, p_actor_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    promo bigint;
    grant_account bigint;
    made bigint;
BEGIN
    PERFORM ledger_guard();
    promo := books_lock(p_team, 'promo');
    SELECT credit_account INTO grant_account FROM transfer
     WHERE team_id = p_team AND code = 'GRANT' AND ref = p_ref;
    IF FOUND THEN
        RETURN post_between(p_team, promo, grant_account, p_amount, 'GRANT', p_ref, p_reason, p_actor_kind,
                            p_actor_id, p_actor_name);
    END IF;
    IF p_expires_at <= clock_timestamp() THEN
        RAISE EXCEPTION 'the grant would have expired already' USING ERRCODE = 'TG005';
    END IF;
    IF (SELECT count(*) FROM live_grant WHERE team_id = p_team) >= 100 THEN
        RAISE EXCEPTION 'the team has a hundred grants that are not used up' USING ERRCODE = 'TG006';
    END IF;
    INSERT INTO account (team_id, kind) VALUES (p_team, 'grant') RETURNING id INTO grant_account;
    made := post_between(p_team, promo, grant_account, p_amount, 'GRANT', p_ref, p_reason, p_actor_kind,
                         p_actor_id, p_actor_name);
    INSERT INTO credit_grant (team_id, account_id, name, reason, priority, expires_at, amount_nano,
                              transfer_id)
    VALUES (p_team, grant_account, p_name, p_reason, p_priority, p_expires_at, p_amount, made);
    INSERT INTO live_grant (team_id, account_id, priority, expires_at)
    VALUES (p_team, grant_account, p_priority, p_expires_at);
    RETURN made;
END
$$;
CALL money_function('post_grant(bigint, text, bigint, text, text, integer, timestamptz, text, bigint, text)');

-- Covers what a batch has charged with the teams' live grants: by a GRANT_USE into the wallet, which has
-- paid the USAGE of that moment already. Called by settle_batch, which holds the accounts.
CREATE FUNCTION grants_use(p_teams bigint[], p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM live_grant g WHERE g.team_id = ANY (p_teams)) THEN
        RETURN;
    END IF;
    WITH rest AS (
        SELECT g.team_id, g.account_id, a.credits_nano - a.debits_nano AS remaining,
               sum(a.credits_nano - a.debits_nano)
                   OVER (PARTITION BY g.team_id ORDER BY g.priority, g.expires_at NULLS LAST, g.account_id
                         ROWS UNBOUNDED PRECEDING) AS reach
          FROM live_grant g JOIN account a ON a.team_id = g.team_id AND a.id = g.account_id
         WHERE g.team_id = ANY (p_teams)
    ), part AS MATERIALIZED (
        SELECT t.team_id, t.id AS usage_id, t.debit_account AS wallet, t.funds_nano, r.account_id, r.remaining,
               least(r.remaining, t.amount_nano - (r.reach - r.remaining))::bigint AS amount
          FROM transfer t JOIN rest r ON r.team_id = t.team_id
         WHERE t.team_id = ANY (p_teams) AND t.posted_at = p_at AND t.code IN ('USAGE', 'LATE_USAGE')
           AND r.reach - r.remaining < t.amount_nano
           AND NOT EXISTS (SELECT FROM transfer u WHERE u.team_id = t.team_id AND u.code = 'GRANT_USE'
                                                    AND u.ref = t.id || '/' || r.account_id)
    ), posted AS (
        INSERT INTO transfer (team_id, code, ref, debit_account, credit_account, amount_nano, funds_nano,
                              reason, posted_at)
        SELECT p.team_id, 'GRANT_USE', p.usage_id || '/' || p.account_id, p.account_id, p.wallet, p.amount,
               p.funds_nano, c.name, p_at
          FROM part p JOIN credit_grant c ON c.team_id = p.team_id AND c.account_id = p.account_id
         ORDER BY p.team_id, p.account_id
    ), used AS (
        UPDATE account a SET debits_nano = a.debits_nano + p.amount
          FROM part p WHERE a.team_id = p.team_id AND a.id = p.account_id
    ), covered AS (
        UPDATE account a SET credits_nano = a.credits_nano + s.amount
          FROM (SELECT p.team_id, p.wallet, sum(p.amount)::bigint AS amount FROM part p
                 GROUP BY p.team_id, p.wallet) s
         WHERE a.team_id = s.team_id AND a.id = s.wallet
    )
    DELETE FROM live_grant g USING part p
     WHERE g.team_id = p.team_id AND g.account_id = p.account_id AND p.amount = p.remaining;
END
$$;
CALL money_function('grants_use(bigint[], timestamptz)', false);

-- Moves what is left of a grant back when its time is over; true when nothing of it is left. What nodes
-- hold leases on is left to the calls that they were taken for, and recalled: it goes the next time.
CREATE FUNCTION grant_expire(p_team bigint, p_account bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    promo bigint;
    remaining bigint;
    part bigint;
BEGIN
    PERFORM ledger_guard();
    promo := books_lock(p_team, 'promo');
    PERFORM FROM live_grant WHERE team_id = p_team AND account_id = p_account AND expires_at <= clock_timestamp();
    IF NOT FOUND THEN
        RETURN true;
    END IF;
    SELECT credits_nano - debits_nano INTO remaining FROM account WHERE team_id = p_team AND id = p_account;
    SELECT remaining - least(remaining, greatest(leased - greatest(capacity - used - remaining, 0), 0))
      INTO part FROM purse WHERE team_id = p_team AND kind = 'wallet' FOR UPDATE;
    IF part > 0 THEN
        PERFORM post_between(p_team, p_account, promo, part, 'GRANT_EXPIRE', p_account || '/' || remaining,
                             (SELECT name FROM credit_grant WHERE team_id = p_team AND account_id = p_account),
                             'system', NULL, 'system');
    END IF;
    IF part < remaining THEN
        UPDATE purse SET recall_until = clock_timestamp() + interval '2 seconds'
         WHERE team_id = p_team AND kind = 'wallet';
        RETURN false;
    END IF;
    DELETE FROM live_grant WHERE team_id = p_team AND account_id = p_account;
    RETURN true;
END
$$;
CALL money_function('grant_expire(bigint, bigint)');

-- Ends a grant before its time; false when nothing is left of it.
CREATE FUNCTION grant_end(p_team bigint, p_account bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_guard();
    PERFORM books_lock(p_team, 'promo');
    UPDATE live_grant SET expires_at = least(expires_at, clock_timestamp())
     WHERE team_id = p_team AND account_id = p_account;
    RETURN FOUND;
END
$$;
CALL money_function('grant_end(bigint, bigint)');

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

-- What was charged to a budget's scope from a day of the team's time zone on, without what was given back
-- of it (0016_video). Scopes that the roll-up does not know begin with nothing.
CREATE FUNCTION budget_spent(p_team bigint, p_scope text, p_scope_id bigint, p_since timestamptz)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(sum(s.spent_nano), 0)::bigint FROM spent_by_scope(p_team, p_since) s
             WHERE s.scope = p_scope AND s.scope_id = p_scope_id);
END
$$;
CALL money_function('budget_spent(bigint, text, bigint, timestamptz)', false);

-- Makes or brings up to date the purse of a limit; its id. A window that is not yet open is opened by
-- purse_turn; a budget for ever begins with all that was spent before. Windows of another length may begin
-- where the ones before did (a day, on the first of a month): what was leased in those is void.
CREATE FUNCTION purse_open(p_team bigint, p_kind text, p_scope text, p_scope_id bigint, p_turns text,
                           p_capacity bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found_id bigint;
    turned_id bigint;
BEGIN
    SELECT id INTO found_id FROM purse
     WHERE team_id = p_team AND kind = p_kind AND scope = p_scope AND scope_id = p_scope_id
       AND turns = p_turns AND capacity = p_capacity;
    IF found_id IS NULL THEN
        SELECT p.id INTO turned_id FROM purse p
         WHERE p.team_id = p_team AND p.kind = p_kind AND p.scope = p_scope AND p.scope_id = p_scope_id
           AND p.turns <> p_turns FOR UPDATE;
        UPDATE lease l SET remaining = 0 WHERE l.team_id = p_team AND l.purse_id = turned_id;
        INSERT INTO purse AS p (team_id, kind, scope, scope_id, turns, capacity, used)
        VALUES (p_team, p_kind, p_scope, p_scope_id, p_turns, p_capacity,
                CASE WHEN p_kind = 'budget' AND p_turns = 'never'
                     THEN budget_spent(p_team, p_scope, p_scope_id, '-infinity') ELSE 0 END)
        ON CONFLICT (team_id, kind, scope, scope_id) DO UPDATE
           SET capacity = excluded.capacity, turns = excluded.turns,
               used = CASE WHEN p.turns = excluded.turns THEN p.used ELSE excluded.used END,
               leased = CASE WHEN p.turns = excluded.turns THEN p.leased ELSE 0 END,
               window_start = CASE WHEN p.turns = excluded.turns THEN p.window_start
                                   WHEN excluded.turns = 'never'
                                   THEN date_trunc('milliseconds', clock_timestamp())
                                   ELSE '-infinity' END,
               window_end = CASE WHEN p.turns = excluded.turns THEN p.window_end
                                 WHEN excluded.turns = 'never' THEN 'infinity'
                                 ELSE '-infinity' END
        RETURNING id INTO found_id;
    END IF;
    RETURN found_id;
END
$$;
CALL money_function('purse_open(bigint, text, text, bigint, text, bigint)');

-- Turns a locked purse's window when it is over: nothing leased, and nothing used but what a budget's
-- calls were charged in the new window already; leases of the window before are void by their
-- window_start. A clock that goes back leaves the window as it is.
CREATE FUNCTION purse_turn(p purse, p_now timestamptz) RETURNS purse LANGUAGE plpgsql AS $$
BEGIN
    IF p.turns <> 'never' AND (p_now >= p.window_end OR p.window_start = '-infinity') THEN
        SELECT w.starts, w.ends INTO p.window_start, p.window_end
          FROM team t, purse_window(p.turns, t.time_zone, p_now) w WHERE t.id = p.team_id;
        p.used := CASE WHEN p.kind = 'budget'
                       THEN budget_spent(p.team_id, p.scope, p.scope_id, p.window_start) ELSE 0 END;
        p.leased := 0;
        UPDATE purse SET used = p.used, leased = 0, window_start = p.window_start, window_end = p.window_end
         WHERE team_id = p.team_id AND id = p.id;
    END IF;
    RETURN p;
END
$$;
CALL money_function('purse_turn(purse, timestamptz)', false);

-- Leases to a session: of each purse at least need, at most want; all of them or none. `short` marks
-- those that had too little; what other nodes hold of them is recalled.
--   p_no      numbers the node's grants for the team, upwards; one that was overtaken makes nothing
--   p_seen    per purse, the number of the last grant that the node knows of: what a lost answer
--             told (`missed`) counts towards the need and is told again
--   p_wants   0: only what was missed is asked for
-- A number is noted where it gave or told something, or only asked: a grant that was sent before and
-- comes later makes nothing.
-- While several nodes live, little is given out exactly as needed, so that nothing idles elsewhere.
CREATE FUNCTION lease_grant(p_session bigint, p_team bigint, p_no bigint, p_purses bigint[],
                            p_seen bigint[], p_needs bigint[], p_wants bigint[])
RETURNS TABLE (purse_id bigint, granted bigint, missed bigint, short boolean, elsewhere boolean,
               capacity bigint, used bigint, leased bigint, window_start timestamptz,
               window_end timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    ask record;
    p purse;
    l lease;
    rows purse[] := '{}';
    needs bigint[] := '{}';
    wants bigint[] := '{}';
    misses bigint[] := '{}';
    any_short boolean := false;
    frozen boolean;
    available bigint;
    nodes bigint;
    now_at timestamptz := clock_timestamp();
BEGIN
    PERFORM FROM node_session s WHERE s.id = p_session AND s.state = 'live' FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'session is not live' USING ERRCODE = 'TG010';
    END IF;
    nodes := (SELECT count(*) FROM node_session s WHERE s.state = 'live');
    frozen := (SELECT t.frozen_at IS NOT NULL FROM team t WHERE t.id = p_team);
    FOR ask IN SELECT * FROM unnest(p_purses, p_seen, p_needs, p_wants) AS a(purse, seen, need, want)
                ORDER BY a.purse LOOP
        SELECT * INTO p FROM purse q WHERE q.team_id = p_team AND q.id = ask.purse FOR UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no such purse' USING ERRCODE = 'TG011';
        END IF;
        p := purse_turn(p, now_at);
        SELECT * INTO l FROM lease o
         WHERE o.team_id = p_team AND o.purse_id = p.id AND o.session_id = p_session;
        IF FOUND AND l.grant_no >= p_no THEN
            RAISE EXCEPTION 'a later grant was made' USING ERRCODE = 'TG012';
        END IF;
        misses := misses || CASE WHEN l.grant_no > ask.seen AND l.window_start = p.window_start
                                 THEN l.grant_amount ELSE 0 END;
        rows := rows || p;
        needs := needs || greatest(ask.need - misses[cardinality(misses)], 0);
        wants := wants || ask.want;
        any_short := any_short OR p.capacity - p.used - p.leased < needs[cardinality(needs)]
                     OR (p.kind = 'wallet' AND frozen);
    END LOOP;
    FOR i IN 1 .. cardinality(rows) LOOP
        p := rows[i];
        purse_id := p.id;
        available := p.capacity - p.used - p.leased;
        missed := misses[i];
        short := available < needs[i] OR (p.kind = 'wallet' AND frozen);
        elsewhere := short AND available < needs[i] AND EXISTS (
            SELECT FROM lease o JOIN node_session n ON n.id = o.session_id
             WHERE o.team_id = p_team AND o.purse_id = p.id AND o.session_id <> p_session
               AND o.remaining > 0 AND o.window_start = p.window_start AND n.state = 'live');
        granted := CASE WHEN any_short OR needs[i] = 0 THEN 0
                        WHEN nodes = 1 THEN greatest(needs[i], least(wants[i], available))
                        WHEN available < 20 * needs[i] THEN needs[i]
                        WHEN p.kind IN ('wallet', 'budget') AND available < 1000000000 THEN needs[i]
                        ELSE greatest(needs[i], least(wants[i], available / (4 * nodes))) END;
        IF granted > 0 OR missed > 0 OR wants[i] = 0 THEN
            UPDATE purse q SET leased = q.leased + granted WHERE q.team_id = p_team AND q.id = p.id;
            INSERT INTO lease AS o (team_id, purse_id, session_id, remaining, window_start, grant_no,
                                    grant_amount)
            VALUES (p_team, p.id, p_session, granted, p.window_start, p_no, granted + missed)
            ON CONFLICT (team_id, purse_id, session_id) DO UPDATE
               SET remaining = excluded.remaining
                               + CASE WHEN o.window_start = excluded.window_start THEN o.remaining ELSE 0 END,
                   window_start = excluded.window_start, grant_no = excluded.grant_no,
                   grant_amount = excluded.grant_amount;
        ELSIF elsewhere THEN
            UPDATE purse q SET recall_until = now_at + interval '2 seconds'
             WHERE q.team_id = p_team AND q.id = p.id AND q.recall_until < now_at + interval '1 second';
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
CALL money_function('lease_grant(bigint, bigint, bigint, bigint[], bigint[], bigint[], bigint[])');

-- Gives slack back. p_nos number the node's returns to each purse: the same one again is void, and so
-- is what a lease does not have any more, or had in another window.
CREATE FUNCTION lease_return(p_session bigint, p_teams bigint[], p_purses bigint[], p_nos bigint[],
                             p_amounts bigint[], p_windows timestamptz[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM node_session s WHERE s.id = p_session AND s.state = 'live' FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM FROM purse q
      WHERE (q.team_id, q.id) IN (SELECT * FROM unnest(p_teams, p_purses))
      ORDER BY q.team_id, q.id FOR UPDATE;
    WITH back AS MATERIALIZED (
        SELECT l.team_id, l.purse_id, b.no, least(l.remaining, b.amount) AS amount
          FROM unnest(p_teams, p_purses, p_nos, p_amounts, p_windows) AS b(team, purse, no, amount, win)
          JOIN purse q ON q.team_id = b.team AND q.id = b.purse AND q.window_start = b.win
          JOIN lease l ON l.team_id = b.team AND l.purse_id = b.purse AND l.session_id = p_session
                      AND l.window_start = b.win AND l.return_no < b.no
    ), leases AS (
        UPDATE lease l SET remaining = l.remaining - b.amount, return_no = b.no
          FROM back b
         WHERE l.team_id = b.team_id AND l.purse_id = b.purse_id AND l.session_id = p_session
    )
    UPDATE purse q SET leased = q.leased - b.amount FROM back b
     WHERE q.team_id = b.team_id AND q.id = b.purse_id;
    RETURN true;
END
$$;
CALL money_function('lease_return(bigint, bigint[], bigint[], bigint[], bigint[], timestamptz[])');

-- Which purses that a session holds slack of were found short elsewhere a moment ago.
CREATE FUNCTION lease_recalls(p_session bigint) RETURNS TABLE (team_id bigint, purse_id bigint)
LANGUAGE sql STABLE AS $$
    SELECT q.team_id, q.id FROM purse q
      JOIN lease l ON l.team_id = q.team_id AND l.purse_id = q.id
     WHERE q.recall_until > clock_timestamp() AND l.session_id = p_session
       AND l.remaining > 0 AND l.window_start = q.window_start
     ORDER BY q.team_id, q.id LIMIT 200
$$;
CALL money_function('lease_recalls(bigint)');

CREATE FUNCTION session_open(p_node text, p_version text) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO node_session (node_name, version) VALUES (p_node, p_version) RETURNING id
$$;
CALL money_function('session_open(text, text)');

-- Not live: the session was reaped, the node opens another. nodes: how many live. hb is no key column,
-- so a settle that holds the row FOR KEY SHARE does not hold this up.
CREATE FUNCTION session_heartbeat(p_session bigint, OUT live boolean, OUT nodes integer)
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE node_session SET hb = hb + 1, seen_at = clock_timestamp() WHERE id = p_session AND state = 'live';
    live := FOUND;
    nodes := (SELECT count(*) FROM node_session WHERE state = 'live');
END
$$;
CALL money_function('session_heartbeat(bigint)');

-- Ends a live session whose heartbeat stands where p_hb says (NULL: wherever): what it still has goes
-- back to its purses. FOR UPDATE waits for its grants, returns and settlements, which hold FOR KEY
-- SHARE.
CREATE FUNCTION session_end(p_session bigint, p_hb bigint, p_state text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    exposed bigint;
BEGIN
    PERFORM FROM node_session
     WHERE id = p_session AND state = 'live' AND (p_hb IS NULL OR hb = p_hb) FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM FROM purse q
      WHERE (q.team_id, q.id) IN (SELECT x.team_id, x.purse_id FROM lease x WHERE x.session_id = p_session)
      ORDER BY q.team_id, q.id FOR UPDATE;
    SELECT coalesce(sum(x.remaining), 0) INTO exposed
      FROM lease x JOIN purse q ON q.team_id = x.team_id AND q.id = x.purse_id
     WHERE x.session_id = p_session AND q.kind = 'wallet';
    UPDATE purse q SET leased = q.leased - x.remaining FROM lease x
     WHERE x.session_id = p_session AND x.team_id = q.team_id AND x.purse_id = q.id
       AND x.window_start = q.window_start;
    DELETE FROM lease WHERE session_id = p_session;
    UPDATE node_session SET state = p_state, seen_at = clock_timestamp(),
                            exposed_nano = CASE WHEN p_state = 'reaped' THEN exposed ELSE 0 END
     WHERE id = p_session;
    RETURN true;
END
$$;
CALL money_function('session_end(bigint, bigint, text)', false);

CREATE FUNCTION session_close(p_session bigint) RETURNS boolean LANGUAGE sql AS $$
    SELECT session_end(p_session, NULL, 'closed')
$$;
CALL money_function('session_close(bigint)');

-- Acts only if the heartbeat still stands where the observer saw it stand.
CREATE FUNCTION session_reap(p_session bigint, p_hb bigint) RETURNS boolean LANGUAGE sql AS $$
    SELECT session_end(p_session, p_hb, 'reaped')
$$;
CALL money_function('session_reap(bigint, bigint)');

-- A batch marks the second that it is posted in until its transaction ends, so that a reader can know
-- what is complete: everything posted before posting_floor(), for a snapshot that is taken after it.
CREATE FUNCTION posting_mark(p_at timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN floor(extract(epoch FROM p_at - timestamptz '2020-01-01 00:00:00+00'))::integer;
GRANT EXECUTE ON FUNCTION posting_mark(timestamptz) TO tollgate_money;

CREATE FUNCTION posting_floor() RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    now_at timestamptz := clock_timestamp();
    oldest bigint;
BEGIN
    SELECT min(l.objid::bigint) INTO oldest FROM pg_locks l
     WHERE l.locktype = 'advisory' AND l.objsubid = 2
       AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
       AND l.classid = (hashtext('settle_batch')::bigint & 4294967295)::oid;
    RETURN least(now_at, timestamptz '2020-01-01 00:00:00+00' + oldest * interval '1 second');
END
$$;
CALL money_function('posting_floor()', false);

-- How a batch of finished calls comes in: arrays of rows. A call's columns are those of the table, but for
-- what the database adds; make_settlement() says them.
CREATE TYPE settled_draw AS (
    team_id bigint, call_id uuid, purse_id bigint, window_start timestamptz, taken bigint, used bigint
);
COMMENT ON TYPE settled_draw IS 'What a call took out of its session''s lease of a purse, and what it used of the purse in all; taken NULL: nothing, it was a share that the node gave itself of a minute; call_id NULL: what all calls of the batch did.';

-- Adds up in whole numbers, which sum(bigint) does not, and at a fraction of its cost; none make 0.
CREATE AGGREGATE add_up(bigint) (sfunc = int8pl, stype = bigint, initcond = '0', parallel = safe,
                                 combinefunc = int8pl);
GRANT EXECUTE ON FUNCTION add_up(bigint) TO tollgate_app, tollgate_money;

-- Makes the type settled_call, the function settle_batch and the view attempt from the columns of call and
-- usage_day and the attributes of call_attempt, so that a field stands once in SQL. A migration that adds
-- to one of them calls this again.
--
-- A column of usage_day is the sum of the call's column of that name, but for those named below. What a
-- node of an earlier version does not know comes in as NULL, and is the column's default then.
CREATE PROCEDURE make_settlement() LANGUAGE plpgsql AS $make$
DECLARE
    added CONSTANT text[] := ARRAY['posted_at', 'transfer_id'];
    -- What a call says under another name of the try that served it; settle_sql.c has the same list.
    said CONSTANT jsonb := '{"ordinal": "attempts", "reason": "outcome", "upstream_model": "served_model",
                             "prompt_tokens": "input_tokens", "completion_tokens": "output_tokens"}';
    day_keys CONSTANT text[] := ARRAY['model', 'key_id', 'project_id', 'provider', 'account_id'];
    col record;
    body text := $body$
#variable_conflict use_column
DECLARE
    live boolean;
    again boolean := false;
    now_at timestamptz;
    batch bigint;
    teams bigint[];
    books record;
    paid record;
    asked record;
BEGIN
    PERFORM FROM node_session s WHERE s.id = p_session AND s.state = 'live' FOR KEY SHARE;
    live := FOUND;
    teams := ARRAY(SELECT DISTINCT (u.c).team_id FROM (SELECT unnest(p_calls) AS c) u ORDER BY 1);
    -- The wallets stand for all accounts of their teams: who locks any other has locked the wallet first.
    SELECT array_agg(k.team_id) AS teams, array_agg(k.wallet) AS wallets, array_agg(k.revenue) AS revenues,
           count(*) AS n INTO books FROM (
        SELECT a.team_id, a.id AS wallet, r.id AS revenue
          FROM account a JOIN account r ON r.team_id = a.team_id AND r.kind = 'revenue'
         WHERE a.team_id = ANY (teams) AND a.kind = 'wallet'
         ORDER BY a.team_id FOR UPDATE OF a) k;
    IF books.n <> cardinality(teams) THEN
        RAISE EXCEPTION 'a team has no books' USING ERRCODE = 'foreign_key_violation';
    END IF;
    PERFORM pg_advisory_xact_lock_shared(hashtext('settle_batch'), posting_mark(clock_timestamp()));
    now_at := clock_timestamp();
    batch := nextval('transfer_id_seq');

    -- Usually all are new. Nobody else settles calls of these teams meanwhile, since their accounts are
    -- locked, so what is there stays there, and what is not is inserted at the second attempt.
    LOOP
        BEGIN
            INSERT INTO call ({call}, posted_at, transfer_id)
            SELECT {c.call}, now_at, CASE WHEN c.charge_nano > 0 THEN batch END FROM unnest(p_calls) c;
            EXIT;
        EXCEPTION WHEN unique_violation THEN
            IF again THEN
                RAISE;
            END IF;
            IF EXISTS (SELECT FROM unnest(p_draws) d WHERE d.call_id IS NULL) THEN
                RETURN NULL;
            END IF;
            again := true;
            p_calls := ARRAY(SELECT DISTINCT ON (c.team_id, c.call_id) c FROM unnest(p_calls) c
                              WHERE NOT EXISTS (SELECT FROM call k
                                                 WHERE k.team_id = c.team_id AND k.call_id = c.call_id));
            p_draws := ARRAY(SELECT DISTINCT ON (d.team_id, d.call_id, d.purse_id, d.window_start) d
                               FROM unnest(p_draws) d
                               JOIN unnest(p_calls) c ON c.team_id = d.team_id AND c.call_id = d.call_id);
        END;
    END LOOP;

    WITH summed AS MATERIALIZED (
        SELECT c.team_id, {keys}, {sums}, count(*) FILTER (WHERE c.charge_nano > 0) AS charged_
          FROM unnest(p_calls) c GROUP BY 1, 2, 3, 4, 5, 6
    ), days AS (
        INSERT INTO usage_day AS u (team_id, day, {day keys}, {day})
        SELECT s.team_id,
               (SELECT (now_at AT TIME ZONE t.time_zone)::date FROM team t WHERE t.id = s.team_id),
               {s.day keys}, {s.day}
          FROM summed s
            ON CONFLICT (team_id, day, {day keys}) DO UPDATE SET {u.day}
    )
    SELECT array_agg(b.team_id) AS teams, array_agg(b.charge) AS charges, array_agg(b.n) AS counts INTO paid
      FROM (SELECT s.team_id, add_up(s.charge_nano) AS charge, add_up(s.charged_) AS n
              FROM summed s WHERE s.charged_ > 0 GROUP BY s.team_id) b;

    -- Nothing taken: a node let it in by a share that it gave itself of a minute. Where that minute runs it
    -- counts, also if nobody has leased of it yet. All that is locked below is locked here, in its order.
    IF EXISTS (SELECT FROM unnest(p_draws) d WHERE coalesce(d.taken, 0) = 0) THEN
        PERFORM FROM purse q
          WHERE (q.team_id, q.id) IN (SELECT d.team_id, d.purse_id FROM unnest(p_draws) d)
             OR (q.kind = 'wallet' AND q.team_id = ANY (teams))
          ORDER BY q.team_id, q.id FOR UPDATE;
        PERFORM purse_turn(q, now_at) FROM purse q
          WHERE q.kind IN ('requests', 'tokens')
            AND (q.team_id, q.id) IN (SELECT d.team_id, d.purse_id FROM unnest(p_draws) d
                                       WHERE coalesce(d.taken, 0) = 0);
    END IF;
    -- The purses in the order of their keys; what each is to give, of the lease and in all. A locked row
    -- stays at its place (ctid), which is the cheapest way back to it.
    WITH draw AS (
        SELECT d.team_id, d.purse_id, d.window_start, d.taken, d.used, 0::bigint AS charge, 0::bigint AS n
          FROM unnest(p_draws) d
        UNION ALL
        SELECT w.team_id, w.id, w.window_start, 0, 0, c.charge, c.n
          FROM unnest(paid.teams, paid.charges, paid.counts) AS c(team_id, charge, n)
          JOIN purse w ON w.team_id = c.team_id AND w.kind = 'wallet'
    )
    SELECT array_agg(k.team_id) AS teams, array_agg(k.id) AS purses, array_agg(k.at) AS places,
           array_agg(k.window_start) AS windows,
           array_agg(k.taken) AS taken, array_agg(k.used) AS used, array_agg(k.charge) AS charges,
           array_agg(k.n) AS counts INTO asked FROM (
        SELECT q.team_id, q.id, q.ctid AS at, q.window_start, d.charge, d.n,
               CASE WHEN live AND d.window_start = q.window_start THEN d.taken ELSE 0 END AS taken,
               CASE WHEN q.kind = 'wallet' THEN d.charge
                    WHEN q.kind = 'budget' OR d.window_start = q.window_start THEN d.used ELSE 0 END AS used
          FROM (SELECT d.team_id, d.purse_id, d.window_start, add_up(d.taken) AS taken,
                       add_up(d.used) AS used, add_up(d.charge) AS charge, add_up(d.n) AS n
                  FROM draw d GROUP BY 1, 2, 3) d
          JOIN purse q ON q.team_id = d.team_id AND q.id = d.purse_id
         ORDER BY q.team_id, q.id FOR UPDATE OF q) k;
    -- Now that they are locked, the leases are what they are.
    WITH given AS MATERIALIZED (
        SELECT a.*, l.ctid AS lease_at, coalesce(least(a.taken, l.remaining), 0) AS given
          FROM (SELECT k.team_id, k.id, k.at, k.window_start, add_up(k.taken) AS taken,
                       add_up(k.used) AS used, add_up(k.charge) AS charge, add_up(k.n) AS n
                  FROM unnest(asked.teams, asked.purses, asked.places, asked.windows, asked.taken, asked.used,
                              asked.charges, asked.counts)
                       AS k(team_id, id, at, window_start, taken, used, charge, n)
                 GROUP BY 1, 2, 3, 4) a
          LEFT JOIN lease l ON l.team_id = a.team_id AND l.purse_id = a.id AND l.session_id = p_session
                           AND l.window_start = a.window_start AND a.taken > 0
    ), leases AS (
        UPDATE lease l SET remaining = l.remaining - g.given
          FROM given g WHERE l.ctid = g.lease_at AND g.given > 0
    ), purses AS (
        UPDATE purse q SET used = q.used + g.used, leased = q.leased - g.given
          FROM given g WHERE q.ctid = g.at
        RETURNING q.team_id, g.charge, g.n, q.capacity - q.used AS funds
    ), charged AS MATERIALIZED (
        SELECT p.team_id, p.charge, p.n, p.funds, b.wallet, b.revenue
          FROM purses p
          JOIN unnest(books.teams, books.wallets, books.revenues) AS b(team_id, wallet, revenue)
            ON b.team_id = p.team_id
         WHERE p.charge > 0
    ), accounts AS (
        UPDATE account a SET debits_nano = a.debits_nano + m.debit, credits_nano = a.credits_nano + m.credit
          FROM (SELECT c.team_id, c.wallet AS id, c.charge AS debit, 0 AS credit FROM charged c
                UNION ALL SELECT c.team_id, c.revenue, 0, c.charge FROM charged c) m
         WHERE a.team_id = m.team_id AND a.id = m.id
    )
    INSERT INTO transfer (team_id, id, code, ref, debit_account, credit_account, amount_nano,
                          funds_nano, calls, posted_at)
    OVERRIDING SYSTEM VALUE
    SELECT c.team_id, batch, CASE WHEN live THEN 'USAGE' ELSE 'LATE_USAGE' END, batch::text, c.wallet,
           c.revenue, c.charge, c.funds, c.n, now_at
      FROM charged c;
    PERFORM grants_use(paid.teams, now_at);
    RETURN live;
END
$body$;
BEGIN
    IF to_regtype('settled_call') IS NULL THEN
        CREATE TYPE settled_call AS ();
    END IF;
    FOR col IN SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
                 FROM pg_attribute a
                WHERE a.attrelid = 'call'::regclass AND a.attnum > 0 AND NOT a.attisdropped
                  AND a.attname <> ALL (added)
                  AND NOT EXISTS (SELECT FROM pg_attribute k
                                   WHERE k.attrelid = 'settled_call'::regclass AND k.attname = a.attname
                                     AND NOT k.attisdropped)
                ORDER BY a.attnum LOOP
        EXECUTE format('ALTER TYPE settled_call ADD ATTRIBUTE %I %s', col.name, col.type);
    END LOOP;
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS names,
           string_agg(CASE WHEN d.adbin IS NULL THEN format('c.%I', a.attname)
                           ELSE format('coalesce(c.%I, %s)', a.attname, pg_get_expr(d.adbin, d.adrelid)) END,
                      ', ' ORDER BY a.attnum) AS vals
      INTO col
      FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = 'call'::regclass AND a.attnum > 0 AND NOT a.attisdropped
       AND a.attname <> ALL (added);
    body := replace(replace(body, '{call}', col.names), '{c.call}', col.vals);

    EXECUTE (SELECT 'CREATE OR REPLACE VIEW attempt WITH (security_invoker = on) AS SELECT c.team_id, c.call_id, '
                    || string_agg(CASE WHEN a.atttypid = 'text'::regtype THEN format('nullif(%s, %L)', v.val, '')
                                       WHEN a.attname LIKE '%\_id' THEN format('nullif(%s, 0)', v.val)
                                       WHEN a.atttypid = 'boolean'::regtype THEN format('coalesce(%s, false)', v.val)
                                       ELSE format('coalesce(%s, 0)', v.val)
                                  END || format(' AS %I', a.attname), ', ' ORDER BY a.attnum)
                    || ' FROM call c CROSS JOIN unnest(c.tries) a'
               FROM pg_attribute a
               LEFT JOIN pg_attribute k ON k.attrelid = 'call'::regclass
                                       AND k.attname = coalesce(said ->> a.attname, a.attname)
              CROSS JOIN LATERAL (SELECT format(CASE WHEN k.attname IS NULL THEN 'a.%1$I'
                                                     ELSE 'CASE WHEN a.served THEN coalesce(a.%1$I, c.%2$I) ELSE a.%1$I END'
                                                END, a.attname, k.attname) AS val) v
              WHERE a.attrelid = 'call_attempt'::regclass AND a.attnum > 0 AND NOT a.attisdropped);
    COMMENT ON VIEW attempt IS 'Each try at an upstream within a call, in order: call.tries as rows.';
    GRANT SELECT ON attempt TO tollgate_app, tollgate_money;

    SELECT string_agg(quote_ident(n.name), ', ' ORDER BY n.at) AS names,
           string_agg('s.' || quote_ident(n.name), ', ' ORDER BY n.at) AS vals,
           string_agg(format('coalesce(c.%I, %L) AS %I',
                             CASE n.name WHEN 'model' THEN 'served_model' ELSE n.name END,
                             CASE WHEN a.atttypid = 'text'::regtype THEN '' ELSE '0' END, n.name),
                      ', ' ORDER BY n.at) AS sums
      INTO col
      FROM unnest(day_keys) WITH ORDINALITY AS n(name, at)
      JOIN pg_attribute a ON a.attrelid = 'usage_day'::regclass AND a.attname = n.name;
    body := replace(replace(replace(body, '{day keys}', col.names), '{s.day keys}', col.vals),
                    '{keys}', col.sums);

    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS names,
           string_agg('s.' || quote_ident(a.attname), ', ' ORDER BY a.attnum) AS vals,
           string_agg(format('%1$I = u.%1$I + excluded.%1$I', a.attname), ', ' ORDER BY a.attnum) AS sets,
           string_agg(CASE a.attname
                          WHEN 'calls' THEN 'add_up(coalesce(c.repeat, 1))'
                          WHEN 'blocked' THEN $$add_up(coalesce(c.repeat, 1))
                                               FILTER (WHERE c.outcome = 'blocked')$$
                          WHEN 'errors' THEN $$count(*) FILTER (WHERE c.outcome IN
                                               ('client_error', 'upstream_error', 'cut', 'internal'))$$
                          WHEN 'fallbacks' THEN 'count(*) FILTER (WHERE c.fallback)'
                          WHEN 'cache_hits' THEN $$count(*) FILTER (WHERE c.cache = 'hit')$$
                          ELSE format('add_up(c.%I)', a.attname) END || format(' AS %I', a.attname),
                      ', ' ORDER BY a.attnum) AS sums
      INTO col
      FROM pg_attribute a
     WHERE a.attrelid = 'usage_day'::regclass AND a.attnum > 0 AND NOT a.attisdropped
       AND a.attname <> ALL (day_keys || ARRAY['team_id', 'day']);
    body := replace(replace(replace(replace(body, '{day}', col.names), '{s.day}', col.vals),
                            '{u.day}', col.sets), '{sums}', col.sums);

    DROP FUNCTION IF EXISTS settle_batch(bigint, settled_call[], settled_draw[]);
    EXECUTE format('CREATE FUNCTION settle_batch(p_session bigint, p_calls settled_call[],'
                   ' p_draws settled_draw[])'
                   ' RETURNS boolean LANGUAGE plpgsql AS %L', body);
    COMMENT ON FUNCTION settle_batch(bigint, settled_call[], settled_draw[]) IS
        'Books a batch of finished calls; its text is made by make_settlement().';
    CALL money_function('settle_batch(bigint, settled_call[], settled_draw[])');
    -- The rows of a large batch stay in memory.
    ALTER FUNCTION settle_batch(bigint, settled_call[], settled_draw[]) SET work_mem = '32MB';
END
$make$;

-- Books a batch of finished calls: their rows, one USAGE transfer per team, roll-up, purses.
-- Idempotent by (team, call id): what is booked already is left out of the batch before anything is
-- summed, so it may be sent any number of times, whole or in parts. False: the session is not live any
-- more; its usage is real and booked all the same, as LATE_USAGE, out of the wallet instead of a lease.
-- NULL: nothing was done, since some of it is booked already and what the calls drew came as sums; it is
-- to be sent again with each call's draws, in the same transaction, which has the accounts locked.
CALL make_settlement();
