-- 0007_codes: codes that a team redeems for promotional credit.
--
-- Why: credit is handed out on paper and in mails, to people who are no team yet. A code is a secret
-- worth money, so only its keyed digest is kept; whoever claims it does so by one UPDATE that counts it
-- up while it may still be used, and everything else (the grant, the row that says who) is in the same
-- transaction. Guessing is counted before a code is looked at, in a transaction of its own.
--
-- Lock order: the code's row, then the team's accounts (0004).

CREATE TABLE redeem_code (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
    last4 text NOT NULL CHECK (length(last4) = 4),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    note text NOT NULL CHECK (length(note) <= 300),
    amount_nano bigint NOT NULL CHECK (amount_nano BETWEEN 1 AND 1000000000000000),
    priority integer NOT NULL CHECK (priority BETWEEN 0 AND 1000),
    grant_days integer CHECK (grant_days BETWEEN 1 AND 3660),
    uses integer NOT NULL CHECK (uses BETWEEN 1 AND 1000000),
    used integer NOT NULL DEFAULT 0 CHECK (used BETWEEN 0 AND uses),
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    revoked_at timestamptz
);
COMMENT ON TABLE redeem_code IS 'Codes for credit. The code itself is shown once, when it is made.';
COMMENT ON COLUMN redeem_code.digest IS 'Keyed BLAKE2b-256 of the code without its dashes.';
COMMENT ON COLUMN redeem_code.name IS 'Of the grant: what teams see it as.';
COMMENT ON COLUMN redeem_code.note IS 'For operators.';
COMMENT ON COLUMN redeem_code.grant_days IS 'The grant ends so many days after it was redeemed; NULL: never.';
COMMENT ON COLUMN redeem_code.uses IS 'How many teams may redeem it, each once.';
COMMENT ON COLUMN redeem_code.expires_at IS 'Of the code: after it nobody can redeem it. NULL: never.';

CREATE TABLE redemption (
    team_id bigint NOT NULL REFERENCES team,
    code_id bigint NOT NULL REFERENCES redeem_code,
    transfer_id bigint NOT NULL,
    actor_kind text NOT NULL,
    actor_id bigint,
    actor_name text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (team_id, code_id),
    FOREIGN KEY (team_id, transfer_id) REFERENCES transfer (team_id, id)
);
CREATE INDEX redemption_code ON redemption (code_id, at);
COMMENT ON TABLE redemption IS 'Who has redeemed which code, and the GRANT that it gave.';

CREATE TABLE redeem_try (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    team_id bigint NOT NULL REFERENCES team,
    address text NOT NULL,
    known boolean NOT NULL DEFAULT false
);
CREATE INDEX redeem_try_team ON redeem_try (team_id, at);
CREATE INDEX redeem_try_address ON redeem_try (address, at);
COMMENT ON TABLE redeem_try IS 'Every try to redeem a code, counted before the code is looked at. Older than a day they go with the team''s next one.';
COMMENT ON COLUMN redeem_try.known IS 'There is such a code, so that it was no guess.';

CALL tenant_table('redemption');
CALL money_table('redemption');
CALL append_only('redemption');
CALL money_table('redeem_code');
CALL money_table('redeem_try');
GRANT DELETE ON redeem_try TO tollgate_money;

-- Of no team: seen by operators and by the system.
DO $$
DECLARE
    tab text;
BEGIN
    FOREACH tab IN ARRAY ARRAY['redeem_code', 'redeem_try'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tab);
        EXECUTE format('CREATE POLICY operators ON %I FOR SELECT TO tollgate_app'
                       ' USING (app_scope() IN (''operator'', ''system''))', tab);
        EXECUTE format('CREATE POLICY owner ON %I TO tollgate_money, %I USING (true) WITH CHECK (true)',
                       tab, current_user);
    END LOOP;
END
$$;

CREATE FUNCTION redeem_code_make(p_digest bytea, p_last4 text, p_name text, p_note text, p_amount bigint,
                                 p_priority integer, p_grant_days integer, p_uses integer,
                                 p_expires_at timestamptz, p_by text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    made bigint;
BEGIN
    PERFORM ledger_guard();
    IF p_expires_at <= clock_timestamp() THEN
        RAISE EXCEPTION 'the code would have expired already' USING ERRCODE = 'TG005';
    END IF;
    INSERT INTO redeem_code (digest, last4, name, note, amount_nano, priority, grant_days, uses, expires_at,
                             created_by)
    VALUES (p_digest, p_last4, p_name, p_note, p_amount, p_priority, p_grant_days, p_uses, p_expires_at, p_by)
    RETURNING id INTO made;
    RETURN made;
END
$$;
CALL money_function('redeem_code_make(bytea, text, text, text, bigint, integer, integer, integer, timestamptz, text)');

-- False: there is no such code, or it is revoked already. What was redeemed stays.
CREATE FUNCTION redeem_code_revoke(p_id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_guard();
    UPDATE redeem_code SET revoked_at = clock_timestamp() WHERE id = p_id AND revoked_at IS NULL;
    RETURN FOUND;
END
$$;
CALL money_function('redeem_code_revoke(bigint)');

-- Counts a try in; retry_after_s 0: it may be made. Ten wrong codes per team and 15 minutes, two hundred
-- per address. The locks are taken in one order and held until commit, so that tries at once pass the
-- limits no better than one by one.
CREATE FUNCTION redeem_admit(p_team bigint, p_address text, OUT try_id bigint, OUT retry_after_s integer)
LANGUAGE plpgsql AS $$
DECLARE
    team_oldest timestamptz;
    address_oldest timestamptz;
    free_at timestamptz;
BEGIN
    PERFORM ledger_guard();
    PERFORM pg_advisory_xact_lock(hashtextextended('redeem_address ' || p_address, 0));
    PERFORM pg_advisory_xact_lock(hashtextextended('redeem_team ' || p_team, 0));
    DELETE FROM redeem_try t WHERE t.team_id = p_team AND t.at < clock_timestamp() - interval '1 day';
    SELECT t.at INTO team_oldest FROM redeem_try t
     WHERE t.team_id = p_team AND NOT t.known AND t.at > clock_timestamp() - interval '15 minutes'
     ORDER BY t.at DESC OFFSET 9 LIMIT 1;
    SELECT t.at INTO address_oldest FROM redeem_try t
     WHERE t.address = p_address AND NOT t.known AND t.at > clock_timestamp() - interval '15 minutes'
     ORDER BY t.at DESC OFFSET 199 LIMIT 1;
    free_at := greatest(team_oldest, address_oldest) + interval '15 minutes';
    retry_after_s := CASE WHEN free_at IS NULL THEN 0 ELSE
        greatest(1, ceil(extract(epoch FROM free_at - clock_timestamp())))::integer END;
    IF retry_after_s = 0 THEN
        INSERT INTO redeem_try (team_id, address) VALUES (p_team, p_address) RETURNING id INTO try_id;
    END IF;
END
$$;
CALL money_function('redeem_admit(bigint, text)');

-- Redeems a code for a team. outcome: 'ok', with the grant's transfer; else 'unknown', 'used' (by others),
-- 'again' (by this team), 'expired', 'revoked', and nothing has changed but that the try was no guess.
-- A team that redeems the same code twice at once is refused by redemption's key.
CREATE FUNCTION redeem_code_claim(p_digest bytea, p_try bigint, p_team bigint, p_actor_kind text,
                                  p_actor_id bigint, p_actor_name text, OUT outcome text, OUT code_id bigint,
                                  OUT transfer_id bigint, OUT amount_nano bigint, OUT name text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    c redeem_code;
BEGIN
    PERFORM ledger_guard();
    UPDATE redeem_code r SET used = r.used + 1
     WHERE r.digest = p_digest AND r.used < r.uses AND r.revoked_at IS NULL
       AND (r.expires_at IS NULL OR r.expires_at > clock_timestamp())
       AND NOT EXISTS (SELECT FROM redemption m WHERE m.team_id = p_team AND m.code_id = r.id)
    RETURNING r.* INTO c;
    IF FOUND THEN
        redeem_code_claim.transfer_id := post_grant(
            p_team, 'code/' || c.id, c.amount_nano, c.name, 'Code ending in ' || c.last4, c.priority,
            clock_timestamp() + make_interval(days => c.grant_days), p_actor_kind, p_actor_id, p_actor_name);
        INSERT INTO redemption (team_id, code_id, transfer_id, actor_kind, actor_id, actor_name)
        VALUES (p_team, c.id, redeem_code_claim.transfer_id, p_actor_kind, p_actor_id, p_actor_name);
        outcome := 'ok';
    ELSE
        SELECT * INTO c FROM redeem_code r WHERE r.digest = p_digest;
        outcome := CASE WHEN NOT FOUND THEN 'unknown'
                        WHEN EXISTS (SELECT FROM redemption m WHERE m.team_id = p_team AND m.code_id = c.id)
                            THEN 'again'
                        WHEN c.revoked_at IS NOT NULL THEN 'revoked'
                        WHEN c.expires_at <= clock_timestamp() THEN 'expired'
                        ELSE 'used' END;
    END IF;
    IF outcome <> 'unknown' THEN
        UPDATE redeem_try t SET known = true WHERE t.id = p_try;
    END IF;
    code_id := c.id;
    amount_nano := c.amount_nano;
    name := c.name;
END
$$;
CALL money_function('redeem_code_claim(bytea, bigint, bigint, text, bigint, text)');
