-- 0006_checks: the rules that the books keep, checked all the time, and what was found.
--
-- Why: an error in money that nobody looks for is found by a customer. So every rule is one query here,
-- run over the last minutes each minute and over everything each night, by whichever replica comes
-- first; what does not hold stands on the operator's page until a person closes it, with a reason.
--
-- recon_finding  what did not hold; once while it is open
-- recon_run      when each form was run last, and how far the calls were read
-- ledger_mark    how far the transfers were added up and agreed with the accounts, so that the form
--                that runs each minute adds up the new ones only

ALTER TABLE recon_finding
    ADD COLUMN subject text NOT NULL DEFAULT '',
    ADD COLUMN form text NOT NULL DEFAULT 'full' CHECK (form IN ('window', 'full', 'node')),
    ADD COLUMN seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN seen bigint NOT NULL DEFAULT 1,
    ADD COLUMN closed_reason text CHECK (length(closed_reason) BETWEEN 3 AND 500),
    ADD COLUMN accepted boolean NOT NULL DEFAULT false,
    ADD CHECK ((closed_at IS NULL) = (closed_by IS NULL)),
    ADD CHECK ((closed_at IS NULL) = (closed_reason IS NULL));
CREATE UNIQUE INDEX recon_finding_open ON recon_finding (invariant, coalesce(team_id, 0), subject)
    WHERE closed_at IS NULL;
COMMENT ON COLUMN recon_finding.subject IS 'What it is about: an account, a transfer, a day. With invariant and team it names the finding.';
COMMENT ON COLUMN recon_finding.form IS 'Which form found it first: the last minutes, everything, or a node looking at itself.';
COMMENT ON COLUMN recon_finding.seen IS 'How many runs have found it.';
COMMENT ON COLUMN recon_finding.accepted IS 'Closed for good: exactly the same is not told again.';

CREATE TABLE recon_run (
    form text PRIMARY KEY CHECK (form IN ('window', 'full')),
    started_at timestamptz NOT NULL DEFAULT '-infinity',
    ended_at timestamptz NOT NULL DEFAULT '-infinity',
    since_at timestamptz NOT NULL DEFAULT '-infinity',
    until_at timestamptz NOT NULL DEFAULT '-infinity',
    calls_at timestamptz NOT NULL DEFAULT '-infinity',
    step interval NOT NULL DEFAULT '1 minute',
    transfer_id bigint NOT NULL DEFAULT 0,
    findings integer NOT NULL DEFAULT 0,
    wanted boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE recon_run IS 'The last run of each form of the checks.';
COMMENT ON COLUMN recon_run.since_at IS 'What was looked at: everything posted since then.';
COMMENT ON COLUMN recon_run.until_at IS 'Everything posted before then was there when it was looked at; the next window begins here.';
COMMENT ON COLUMN recon_run.calls_at IS 'How far the window''s calls are read; integrity_step() goes on from here to until_at.';
COMMENT ON COLUMN recon_run.step IS 'How long a span of calls is read at once.';
COMMENT ON COLUMN recon_run.transfer_id IS 'The last that was given out before until_at: what has a later one and was posted earlier had a clock that went back.';
COMMENT ON COLUMN recon_run.wanted IS 'An operator does not want to wait until it is due.';
INSERT INTO recon_run (form) VALUES ('window'), ('full');

CREATE TABLE ledger_mark (
    team_id bigint NOT NULL,
    account_id bigint NOT NULL,
    transfer_id bigint NOT NULL,
    debits_nano bigint NOT NULL,
    credits_nano bigint NOT NULL,
    PRIMARY KEY (team_id, account_id)
);
COMMENT ON TABLE ledger_mark IS 'Up to transfer_id the transfers of an account added up to these figures.';
COMMENT ON COLUMN ledger_mark.transfer_id IS 'Of the team; ids of a team''s transfers are given in the order they are posted.';

CALL money_table('recon_run');
CALL money_table('ledger_mark');
CALL tenant_table('ledger_mark');

-- Days are told apart in the team's time zone. After a change the days before it were cut otherwise,
-- so that single days are compared from the change on, and sums over all days always.
ALTER TABLE team ADD COLUMN time_zone_since timestamptz NOT NULL DEFAULT '-infinity';
COMMENT ON COLUMN team.time_zone_since IS 'When time_zone was changed last.';
CREATE FUNCTION team_zone_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.time_zone_since := clock_timestamp();
    RETURN NEW;
END
$$;
CREATE TRIGGER zone_changed BEFORE UPDATE OF time_zone ON team FOR EACH ROW
    WHEN (NEW.time_zone IS DISTINCT FROM OLD.time_zone) EXECUTE FUNCTION team_zone_changed();

-- What the checks read besides the tables of the ledger.
GRANT SELECT ON payment, guarded_table, call_default TO tollgate_money;
CREATE INDEX transfer_time ON transfer USING brin (posted_at) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX transfer_topup ON transfer (ref) WHERE code = 'TOPUP';
CREATE INDEX transfer_late ON transfer (amount_nano) WHERE code = 'LATE_USAGE';

-- Where the money of a team that may be spent lies.
CREATE FUNCTION is_funds(p_kind text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN p_kind IN ('wallet', 'grant');
GRANT EXECUTE ON FUNCTION is_funds(text) TO tollgate_app, tollgate_money;

-- The one rule that reads calls, over a span of their posted_at. Calls and their transfer have one, so a
-- span has both or neither. Of calls that retention has dropped their sums count, in full.
CREATE FUNCTION usage_findings(p_from timestamptz, p_until timestamptz)
RETURNS TABLE (invariant text, team_id bigint, subject text, detail text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH charged AS (
        SELECT u.team_id, u.transfer_id, sum(u.charge_nano) AS charge, sum(u.calls) AS calls
          FROM (SELECT c.team_id, c.transfer_id, c.charge_nano, 1::bigint AS calls
                  FROM call c
                 WHERE c.posted_at >= p_from AND c.posted_at < p_until
                   AND (c.charge_nano <> 0 OR c.transfer_id IS NOT NULL)
                UNION ALL
                SELECT d.team_id, d.transfer_id, d.charge_nano, d.calls FROM call_dropped_transfer d
                 WHERE p_from = '-infinity') u
         GROUP BY u.team_id, u.transfer_id
    )
    SELECT 'I4 usage is its calls', coalesce(t.team_id, s.team_id),
           coalesce('transfer ' || coalesce(t.id, s.transfer_id), 'calls without a transfer'),
           'transfer ' || coalesce(t.amount_nano::text, 'missing') || ' for ' || coalesce(t.calls, 0)
           || ' calls; ' || coalesce(s.calls, 0) || ' calls charged ' || coalesce(s.charge, 0)
      FROM (SELECT u.team_id, u.id, u.amount_nano, u.calls FROM transfer u
             WHERE u.posted_at >= p_from AND u.posted_at < p_until AND u.code IN ('USAGE', 'LATE_USAGE')) t
      FULL JOIN charged s ON s.team_id = t.team_id AND s.transfer_id = t.id
     WHERE t.id IS NULL OR s.transfer_id IS NULL OR t.amount_nano <> s.charge OR t.calls <> s.calls
     LIMIT 100;
END
$$;
CALL money_function('usage_findings(timestamptz, timestamptz)', false);

-- The teams whose accounts are to be added up again: what they say is not what was marked, or something
-- was posted since. The first holds however long ago it was posted: no node may have been up to look.
CREATE FUNCTION ledger_moved(p_since timestamptz) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    SELECT a.team_id
      FROM account a LEFT JOIN ledger_mark k ON k.team_id = a.team_id AND k.account_id = a.id
     WHERE (k.debits_nano, k.credits_nano) IS DISTINCT FROM (a.debits_nano, a.credits_nano)
    UNION
    SELECT t.team_id FROM transfer t WHERE t.posted_at >= p_since
$$;
CALL money_function('ledger_moved(timestamptz)', false);

-- Every rule of the books that does not hold, as rows; none when all is well. '-infinity': the books
-- as a whole. Later: what was posted since, and what is small enough to be looked at whole; each rule
-- says what it leaves to the full form. One snapshot: everything is of the same moment. At most 100
-- rows of a rule. I1 to I10 are the invariants' names in the design. p_usage false: without the rule
-- that reads calls.
CREATE FUNCTION ledger_findings(p_since timestamptz DEFAULT '-infinity', p_usage boolean DEFAULT true)
RETURNS TABLE (invariant text, team_id bigint, subject text, detail text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    is_full boolean := p_since = '-infinity';
BEGIN
    RETURN QUERY
    SELECT 'I1 debits equal credits', a.team_id, 'books',
           'debits ' || sum(a.debits_nano) || ', credits ' || sum(a.credits_nano)
      FROM account a GROUP BY a.team_id HAVING sum(a.debits_nano) <> sum(a.credits_nano)
     LIMIT 100;

    -- From the mark on, where there is one and nothing is open; in full from the first transfer.
    RETURN QUERY
    WITH known AS (
        SELECT m.team_id, max(m.transfer_id) AS transfer_id FROM ledger_mark m
         WHERE NOT is_full GROUP BY m.team_id
    ), teams AS (
        SELECT w.id AS team_id, coalesce(k.transfer_id, 0) AS transfer_id
          FROM team w LEFT JOIN known k ON k.team_id = w.id
         WHERE is_full OR w.id IN (SELECT ledger_moved(p_since))
            OR w.id IN (SELECT f.team_id FROM recon_finding f
                         WHERE f.closed_at IS NULL AND f.invariant = 'I2 an account is its transfers')
    ), moved AS (
        SELECT t.team_id, x.id, sum(x.debit) AS debits, sum(x.credit) AS credits
          FROM teams w JOIN transfer t ON t.team_id = w.team_id AND t.id > w.transfer_id
         CROSS JOIN LATERAL (VALUES (t.debit_account, t.amount_nano, 0::bigint),
                                    (t.credit_account, 0::bigint, t.amount_nano)) AS x(id, debit, credit)
         GROUP BY t.team_id, x.id
    )
    SELECT 'I2 an account is its transfers', a.team_id, a.kind || ' ' || a.id,
           'debits ' || a.debits_nano || ', credits ' || a.credits_nano || '; its transfers '
           || coalesce(k.debits_nano, 0) + coalesce(m.debits, 0) || ', '
           || coalesce(k.credits_nano, 0) + coalesce(m.credits, 0)
      FROM account a
      LEFT JOIN ledger_mark k ON k.team_id = a.team_id AND k.account_id = a.id AND NOT is_full
      LEFT JOIN moved m ON m.team_id = a.team_id AND m.id = a.id
     WHERE a.debits_nano <> coalesce(k.debits_nano, 0) + coalesce(m.debits, 0)
        OR a.credits_nano <> coalesce(k.credits_nano, 0) + coalesce(m.credits, 0)
     LIMIT 100;

    RETURN QUERY
    SELECT 'I2 a transfer is between accounts', t.team_id, 'transfer ' || t.id,
           t.code || ' of ' || t.amount_nano || ', debit ' || t.debit_account || ', credit ' || t.credit_account
      FROM transfer t
      LEFT JOIN account d ON d.team_id = t.team_id AND d.id = t.debit_account
      LEFT JOIN account c ON c.team_id = t.team_id AND c.id = t.credit_account
     WHERE t.posted_at >= p_since AND (d.id IS NULL OR c.id IS NULL)
     LIMIT 100;

    RETURN QUERY
    SELECT 'I3 leased is the leases', p.team_id, 'purse ' || p.id,
           p.kind || ': leased ' || p.leased || ', leases ' || coalesce(s.remaining, 0)
      FROM purse p
      LEFT JOIN (SELECT l.team_id, l.purse_id, l.window_start, sum(l.remaining) AS remaining
                   FROM lease l GROUP BY l.team_id, l.purse_id, l.window_start) s
             ON s.team_id = p.team_id AND s.purse_id = p.id AND s.window_start = p.window_start
     WHERE p.leased <> coalesce(s.remaining, 0)
     LIMIT 100;

    -- More than the purse ever had cannot have been granted.
    RETURN QUERY
    SELECT 'I3 a lease is within its grants', l.team_id, 'purse ' || l.purse_id || ', session ' || l.session_id,
           'remaining ' || l.remaining || ' of a capacity of ' || p.capacity
      FROM lease l JOIN purse p ON p.team_id = l.team_id AND p.id = l.purse_id
     WHERE l.remaining < 0 OR p.kind = 'wallet' AND l.remaining > p.capacity
     LIMIT 100;

    IF p_usage THEN
        RETURN QUERY SELECT * FROM usage_findings(p_since, 'infinity');
    END IF;

    -- Below zero only by what was taken without a grant: late usage, refunds, chargebacks, orders of
    -- operators, calls that cost more than their hold; since a day before the balance was last not
    -- below zero, because what was leased before may still be used.
    RETURN QUERY
    WITH below AS (
        SELECT p.team_id, p.used + p.leased - p.capacity AS missing,
               coalesce((SELECT t.posted_at FROM transfer t
                          WHERE t.team_id = p.team_id AND t.funds_nano >= 0
                          ORDER BY t.id DESC LIMIT 1), '-infinity') - interval '1 day' AS since
          FROM purse p WHERE p.kind = 'wallet' AND p.used + p.leased > p.capacity
    ), taken AS (
        SELECT b.team_id, sum(t.amount_nano) AS nano
          FROM below b
          JOIN transfer t ON t.team_id = b.team_id AND t.posted_at >= b.since AND t.code <> 'USAGE'
          JOIN account d ON d.team_id = t.team_id AND d.id = t.debit_account AND is_funds(d.kind)
          JOIN account c ON c.team_id = t.team_id AND c.id = t.credit_account AND NOT is_funds(c.kind)
         GROUP BY b.team_id
    ), overrun AS (
        SELECT b.team_id, sum(c.charge_nano - c.hold_nano) AS nano
          FROM below b
          JOIN call c ON c.team_id = b.team_id AND c.posted_at >= b.since AND c.charge_nano > c.hold_nano
         GROUP BY b.team_id
    )
    SELECT 'I5 spent within the balance', b.team_id, 'wallet',
           'missing ' || b.missing || ', explained ' || coalesce(t.nano, 0) + coalesce(o.nano, 0)
      FROM below b LEFT JOIN taken t ON t.team_id = b.team_id LEFT JOIN overrun o ON o.team_id = b.team_id
     WHERE b.missing > coalesce(t.nano, 0) + coalesce(o.nano, 0)
     LIMIT 100;

    RETURN QUERY
    SELECT 'I6 no lease of an ended session', l.team_id, 'purse ' || l.purse_id || ', session ' || l.session_id,
           'remaining ' || l.remaining || ', session ' || coalesce(n.state, 'missing')
      FROM lease l LEFT JOIN node_session n ON n.id = l.session_id
     WHERE n.state IS DISTINCT FROM 'live' AND l.remaining > 0
     LIMIT 100;

    -- I7 is each node's own to look at: its journal lies there (finding_report).

    -- The reference of a top-up is the payment's name.
    RETURN QUERY
    SELECT 'I8 a payment is credited once', min(t.team_id), 'top-up ' || t.ref,
           count(*) || ' transfers have this reference'
      FROM transfer t
     WHERE t.code = 'TOPUP'
       AND t.ref IN (SELECT n.ref FROM transfer n WHERE n.code = 'TOPUP' AND n.posted_at >= p_since)
     GROUP BY t.ref HAVING count(*) > 1
    UNION ALL
    SELECT 'I8 a payment is credited once', p.team_id, 'payment ' || p.provider || '/' || p.payment_id,
           'payment of ' || p.amount_nano || ', its transfer '
           || coalesce(t.code || ' ' || t.ref || ' of ' || t.amount_nano, 'missing')
      FROM payment p
      LEFT JOIN transfer t ON t.team_id = p.team_id AND t.id = p.transfer_id
     WHERE p.transfer_id IS NOT NULL AND p.at >= p_since
       AND (t.code = 'TOPUP' AND t.ref = p.provider || '/' || p.payment_id
            AND t.amount_nano = p.amount_nano) IS NOT TRUE
     LIMIT 100;

    -- The rows themselves cannot tell; that nobody could have is what can be seen.
    RETURN QUERY
    WITH guarded AS (
        SELECT c.oid, c.relname FROM guarded_table g JOIN pg_class c ON c.oid = g.tab
        UNION
        SELECT c.oid, c.relname FROM guarded_table g JOIN pg_inherits i ON i.inhparent = g.tab
          JOIN pg_class c ON c.oid = i.inhrelid
    )
    SELECT 'I9 posted rows are never changed', NULL::bigint, 'table ' || g.relname,
           'the trigger ' || n.name || ' is missing or off'
      FROM guarded g CROSS JOIN (VALUES ('append_only'), ('append_only_all')) AS n(name)
     WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = g.oid AND t.tgname = n.name
                                                  AND t.tgenabled IN ('O', 'A'))
    UNION ALL
    SELECT 'I9 posted rows are never changed', NULL, 'table ' || g.relname, r.name || ' may ' || v.verb
      FROM guarded g CROSS JOIN (VALUES ('tollgate_app'), ('tollgate_money')) AS r(name)
     CROSS JOIN (VALUES ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS v(verb)
     WHERE has_table_privilege(r.name, g.oid, v.verb)
     LIMIT 100;

    -- What is shown is capacity - used of the purse, and on the ledger's page the balance after the
    -- last transfer; both are what the accounts say, and those their transfers (I2).
    RETURN QUERY
    SELECT 'I10 the balance shown is the books', p.team_id, 'balance',
           'accounts ' || f.nano || ', purse ' || p.capacity - p.used || ', after the last transfer '
           || coalesce(l.funds_nano, 0)
      FROM (SELECT a.team_id, sum(a.credits_nano - a.debits_nano) AS nano FROM account a
             WHERE is_funds(a.kind) GROUP BY a.team_id) f
      JOIN purse p ON p.team_id = f.team_id AND p.kind = 'wallet'
      LEFT JOIN LATERAL (SELECT t.funds_nano FROM transfer t WHERE t.team_id = f.team_id
                          ORDER BY t.id DESC LIMIT 1) l ON true
     WHERE p.capacity - p.used <> f.nano OR coalesce(l.funds_nano, 0) <> f.nano
     LIMIT 100;

    -- Each transfer against the one before it by id, so that the whole chain follows. Where the one
    -- before it in the window does not fit, there may be another between them.
    RETURN QUERY
    SELECT 'I10 balances follow each other', t.team_id, 'transfer ' || t.id,
           'balance after it ' || t.funds_nano || ', before it ' || b.funds_nano || ', moved ' || t.delta
      FROM (SELECT x.team_id, x.id, x.funds_nano,
                   lag(x.funds_nano) OVER (PARTITION BY x.team_id ORDER BY x.id) AS above,
                   x.amount_nano * (is_funds(c.kind)::integer - is_funds(d.kind)::integer) AS delta
              FROM transfer x
              JOIN account c ON c.team_id = x.team_id AND c.id = x.credit_account
              JOIN account d ON d.team_id = x.team_id AND d.id = x.debit_account
             WHERE x.posted_at >= p_since) t
     CROSS JOIN LATERAL (
           SELECT coalesce(max(n.funds_nano), 0) AS funds_nano
             FROM (SELECT o.funds_nano FROM transfer o WHERE o.team_id = t.team_id AND o.id < t.id
                    ORDER BY o.id DESC LIMIT 1) n) b
     WHERE (t.funds_nano = t.above + t.delta) IS NOT TRUE
       AND t.funds_nano <> b.funds_nano + t.delta
     LIMIT 100;

    -- Grants are few: they are looked at whole. What failed videos give back goes to them, too (0016_video).
    RETURN QUERY
    SELECT 'a grant is its transfer', a.team_id, 'account ' || a.id,
           'given ' || coalesce(g.amount_nano::text, 'nothing') || ' by transfer '
           || coalesce(t.amount_nano::text, 'missing') || ' and again ' || b.nano || ', credits '
           || a.credits_nano || ', debits ' || a.debits_nano
      FROM account a
      LEFT JOIN credit_grant g ON g.team_id = a.team_id AND g.account_id = a.id
     CROSS JOIN LATERAL (SELECT coalesce(sum(x.amount_nano), 0) AS nano FROM transfer x
                          WHERE x.team_id = a.team_id AND x.code = 'ADJUST' AND x.credit_account = a.id) b
      LEFT JOIN transfer t ON t.team_id = g.team_id AND t.id = g.transfer_id AND t.code = 'GRANT'
                          AND t.credit_account = g.account_id
     WHERE a.kind = 'grant'
       AND (g.amount_nano = t.amount_nano AND a.credits_nano = g.amount_nano + b.nano
            AND a.debits_nano <= a.credits_nano) IS NOT TRUE
     LIMIT 100;

    RETURN QUERY
    SELECT 'what is left of a grant is live', a.team_id, 'account ' || a.id,
           'left ' || a.credits_nano - a.debits_nano || ', '
           || CASE WHEN g.account_id IS NULL THEN 'not live' ELSE 'live' END
      FROM account a LEFT JOIN live_grant g ON g.team_id = a.team_id AND g.account_id = a.id
     WHERE a.kind = 'grant' AND (a.credits_nano > a.debits_nano) <> (g.account_id IS NOT NULL)
     LIMIT 100;

    -- What covers a usage is posted at its moment.
    RETURN QUERY
    SELECT 'grants cover what was used', u.team_id, 'usage ' || u.ref,
           'covered ' || u.nano || ' of ' || coalesce(t.amount_nano::text, 'nothing')
      FROM (SELECT x.team_id, split_part(x.ref, '/', 1) AS ref, sum(x.amount_nano) AS nano
              FROM transfer x WHERE x.code = 'GRANT_USE' AND x.posted_at >= p_since GROUP BY 1, 2) u
      LEFT JOIN transfer t ON t.team_id = u.team_id AND t.code IN ('USAGE', 'LATE_USAGE')
                          AND t.id = u.ref::bigint
     WHERE u.nano > coalesce(t.amount_nano, 0)
     LIMIT 100;

    -- Refunds, chargebacks and credit notes are few, too.
    RETURN QUERY
    SELECT 'what went back is its transfer', coalesce(t.team_id, r.team_id),
           coalesce('return ' || r.id, 'transfer ' || t.id),
           coalesce(r.kind || ' of ' || r.amount_nano, 'nothing') || ', transfer '
           || coalesce(t.code || ' of ' || t.amount_nano, 'missing')
      FROM (SELECT * FROM transfer x WHERE x.code IN ('REFUND', 'REFUND_REVERSED', 'CHARGEBACK',
                                                                 'CHARGEBACK_REVERSED')) t
      FULL JOIN payment_return r ON r.team_id = t.team_id AND r.transfer_id = t.id
      LEFT JOIN payment_return back ON back.team_id = r.team_id AND back.id = r.reverses_id
     WHERE (r.amount_nano = t.amount_nano AND r.reference = t.ref
            AND t.code = CASE r.kind WHEN 'reversal' THEN upper(back.kind) || '_REVERSED'
                                     ELSE upper(r.kind) END) IS NOT TRUE
     LIMIT 100;

    RETURN QUERY
    SELECT 'no more goes back than was paid', p.team_id, 'payment ' || p.provider || '/' || p.payment_id,
           'gone back ' || s.nano || ' of ' || p.amount_nano
      FROM (SELECT r.payment_id, sum(CASE r.kind WHEN 'reversal' THEN -r.amount_nano ELSE r.amount_nano END)
                   AS nano FROM payment_return r GROUP BY r.payment_id) s
      JOIN payment p ON p.id = s.payment_id
     WHERE s.nano > p.amount_nano OR s.nano < 0
     LIMIT 100;

    RETURN QUERY
    SELECT 'a credit note is its transfer', coalesce(t.team_id, c.team_id),
           coalesce('credit note ' || c.number, 'transfer ' || t.id),
           'note of ' || coalesce(c.amount_nano::text, 'nothing') || ', transfer '
           || coalesce(t.amount_nano::text, 'missing')
      FROM (SELECT * FROM transfer x WHERE x.code = 'CREDIT_NOTE') t
      FULL JOIN credit_note c ON c.team_id = t.team_id AND c.transfer_id = t.id
     WHERE (c.amount_nano = t.amount_nano AND c.number = t.ref) IS NOT TRUE
     LIMIT 100;

    RETURN QUERY
    SELECT 'no more is credited than was invoiced', i.team_id, 'invoice ' || i.number,
           'credited ' || s.nano || ' of ' || i.usage_nano
      FROM (SELECT c.team_id, c.invoice_id, sum(c.amount_nano) AS nano FROM credit_note c
             GROUP BY c.team_id, c.invoice_id) s
      JOIN invoice i ON i.team_id = s.team_id AND i.id = s.invoice_id
     WHERE s.nano > i.usage_nano
     LIMIT 100;

    RETURN QUERY
    SELECT 'credit notes have no gap', NULL::bigint, 'year ' || n.year,
           'last ' || n.last || ', notes ' || coalesce(s.notes, 0)
      FROM credit_note_counter n
      LEFT JOIN (SELECT c.year, count(*) AS notes, max(c.serial) AS serial FROM credit_note c GROUP BY c.year) s
             ON s.year = n.year
     WHERE n.last IS DISTINCT FROM s.notes OR n.last IS DISTINCT FROM s.serial
     LIMIT 100;

    RETURN QUERY
    SELECT 'a code is used as often as redeemed', NULL::bigint, 'code ' || k.id,
           'used ' || k.used || ' of ' || k.uses || ', redeemed ' || coalesce(s.times, 0)
      FROM redeem_code k
      LEFT JOIN (SELECT r.code_id, count(*) AS times FROM redemption r GROUP BY r.code_id) s
             ON s.code_id = k.id
     WHERE k.used <> coalesce(s.times, 0)
     LIMIT 100;

    -- Days touched, against the ledger, which has few rows; that these are the calls is I4. A day is told by
    -- its date: where clocks go back at midnight it has two of them, and AT TIME ZONE knows the second only.
    RETURN QUERY
    WITH zone AS (
        SELECT w.id AS team_id, w.time_zone,
               CASE WHEN greatest(p_since, w.time_zone_since) = '-infinity' THEN '-infinity'::date
                    WHEN p_since > w.time_zone_since THEN (p_since AT TIME ZONE w.time_zone)::date
                    ELSE (w.time_zone_since AT TIME ZONE w.time_zone)::date + 1 END AS first
          FROM team w
         WHERE is_full OR w.id IN (SELECT t.team_id FROM transfer t WHERE t.posted_at >= p_since)
    ), booked AS (
        SELECT z.team_id, (t.posted_at AT TIME ZONE z.time_zone)::date AS day, sum(t.amount_nano) AS nano
          FROM zone z
          JOIN transfer t ON t.team_id = z.team_id AND t.code IN ('USAGE', 'LATE_USAGE')
                         AND t.posted_at >= (z.first::timestamp - interval '3 hours') AT TIME ZONE z.time_zone
                         AND (t.posted_at AT TIME ZONE z.time_zone)::date >= z.first
         GROUP BY 1, 2
    ), rolled AS (
        SELECT u.team_id, u.day, sum(u.charge_nano) AS nano
          FROM zone z JOIN usage_day u ON u.team_id = z.team_id AND u.day >= z.first
         GROUP BY 1, 2
    )
    SELECT 'days are the usage', coalesce(b.team_id, r.team_id), coalesce(b.day, r.day)::text,
           'transfers ' || coalesce(b.nano, 0) || ', roll-up ' || coalesce(r.nano, 0)
      FROM booked b FULL JOIN rolled r ON r.team_id = b.team_id AND r.day = b.day
     WHERE coalesce(b.nano, 0) <> coalesce(r.nano, 0)
     LIMIT 100;

    -- Every figure of the roll-up over all days, whatever the time zone was.
    IF is_full THEN
        RETURN QUERY
        WITH counted AS (
            SELECT e.team_id, e.model, e.key_id, e.project_id, e.provider, e.account_id,
                   array_agg(e.sum ORDER BY e.place) AS f
              FROM (SELECT d.team_id, d.model, d.key_id, d.project_id, d.provider, d.account_id,
                           f.place, coalesce(sum(f.figure), 0) AS sum
                      FROM (SELECT * FROM call_figures('call')
                            UNION ALL
                            SELECT x.team_id, x.model, x.key_id, x.project_id, x.provider, x.account_id,
                                   x.figures FROM call_dropped_usage x) d
                     CROSS JOIN unnest(d.figures) WITH ORDINALITY AS f(figure, place)
                     GROUP BY 1, 2, 3, 4, 5, 6, 7) e
             GROUP BY 1, 2, 3, 4, 5, 6
        ), rolled AS (
            SELECT u.team_id, u.model, u.key_id, u.project_id, u.provider, u.account_id,
                   ARRAY[sum(u.calls), sum(u.blocked), sum(u.errors), sum(u.fallbacks),
                         sum(u.input_tokens), sum(u.cached_input_tokens), sum(u.cache_write_5m_tokens),
                         sum(u.cache_write_1h_tokens), sum(u.audio_input_tokens), sum(u.image_input_tokens),
                         sum(u.output_tokens), sum(u.reasoning_tokens), sum(u.audio_output_tokens),
                         sum(u.image_output_tokens), sum(u.images), sum(u.seconds), sum(u.characters),
                         sum(u.pages), sum(u.searches), sum(u.requests), sum(u.charge_nano), sum(u.cost_nano),
                         sum(u.cache_hits), sum(u.saved_nano)] AS f
              FROM usage_day u GROUP BY 1, 2, 3, 4, 5, 6
        )
        SELECT 'days are the calls', coalesce(c.team_id, r.team_id),
               concat_ws(', ', 'model ' || coalesce(c.model, r.model), 'key ' || coalesce(c.key_id, r.key_id),
                         'project ' || coalesce(c.project_id, r.project_id),
                         'provider ' || coalesce(c.provider, r.provider),
                         'account ' || coalesce(c.account_id, r.account_id)),
               'calls ' || coalesce(c.f::text, 'none') || ', roll-up ' || coalesce(r.f::text, 'none')
          FROM counted c FULL JOIN rolled r
            ON r.team_id = c.team_id AND r.model = c.model AND r.key_id = c.key_id
               AND r.project_id = c.project_id AND r.provider = c.provider AND r.account_id = c.account_id
         WHERE c.f IS DISTINCT FROM r.f
         LIMIT 100;
        RETURN QUERY SELECT * FROM shadow_findings(); -- 0015_shadow
    END IF;
    RETURN QUERY SELECT * FROM video_findings(p_since); -- 0016_video

    -- What is kept with an invoice is what it says, and the spans follow each other.
    RETURN QUERY
    SELECT 'archives are their invoices', a.team_id, 'calls until ' || a.until_at,
           'archive ' || a.charge_nano || ' from ' || a.from_at || ', invoice '
           || coalesce(i.usage_nano::text, 'none') || ', archive before until '
           || coalesce(a.before::text, 'none')
      FROM (SELECT x.*, lag(x.until_at) OVER (PARTITION BY x.team_id ORDER BY x.until_at) AS before
              FROM call_archive x) a
      LEFT JOIN invoice i ON i.team_id = a.team_id AND i.id = a.invoice_id
     WHERE a.charge_nano <> coalesce(i.usage_nano, 0) OR a.from_at <> coalesce(a.before, '-infinity')
     LIMIT 100;

    -- A call in a DEFAULT partition has an id of no week that was made.
    RETURN QUERY
    SELECT 'partitions are there', NULL::bigint, d.tab, d.says
      FROM (SELECT 'call_default', 'holds calls of ' || min(c.posted_at) || ' and later' FROM call_default c
            HAVING count(*) > 0
            UNION ALL
            SELECT 'call', 'has no partition for the week of ' || w.at::date
              FROM (VALUES (now()), (now() + interval '7 days')) AS w(at)
             WHERE to_regclass(call_partition('call', w.at)) IS NULL) AS d(tab, says);
END
$$;
COMMENT ON FUNCTION ledger_findings(timestamptz, boolean) IS 'The invariants of the books: in full, or since a moment. For tests, for operators, for integrity_run.';
CALL money_function('ledger_findings(timestamptz, boolean)');

-- Writes down what a form found; how many rows are new. What is open already is counted up, what a
-- person has accepted is left alone.
CREATE FUNCTION finding_note(p_form text, p_invariant text, p_team bigint, p_subject text, p_detail text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    is_new boolean;
BEGIN
    IF EXISTS (SELECT FROM recon_finding f
                WHERE f.accepted AND f.invariant = p_invariant AND f.subject = p_subject
                  AND f.team_id IS NOT DISTINCT FROM p_team AND f.detail = p_detail) THEN
        RETURN false;
    END IF;
    INSERT INTO recon_finding AS f (form, invariant, team_id, subject, detail)
    VALUES (p_form, p_invariant, p_team, p_subject, p_detail)
    ON CONFLICT (invariant, coalesce(team_id, 0), subject) WHERE closed_at IS NULL
    DO UPDATE SET detail = excluded.detail, seen_at = clock_timestamp(), seen = f.seen + 1
    RETURNING f.seen = 1 INTO is_new;
    RETURN is_new;
END
$$;
CALL money_function('finding_note(text, text, bigint, text, text)', false);

-- Runs a form of the checks if it is due and no other node is at it. 'window': each minute, over what
-- was posted since two minutes before the window began (a posting does not take longer), a day at most;
-- the window's calls, of which is known what is complete, are left to integrity_step().
-- 'full': when the installation's clock has passed three at night, and when it is wanted. The marks
-- move on with what was added up and agreed, in the statement that looked, so of the same moment.
CREATE FUNCTION integrity_run(p_form text, OUT ran boolean, OUT findings integer, OUT opened integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    last recon_run;
    began timestamptz := clock_timestamp();
    since timestamptz := '-infinity';
    calls_from timestamptz := '-infinity';
    until timestamptz;
    newest bigint;
BEGIN
    ran := false; findings := 0; opened := 0;
    IF NOT pg_try_advisory_xact_lock(hashtext('integrity_run'), hashtext(p_form)) THEN
        RETURN;
    END IF;
    SELECT * INTO last FROM recon_run r WHERE r.form = p_form;
    IF NOT integrity_due(last, began) THEN
        RETURN;
    END IF;
    newest := (SELECT coalesce(pg_sequence_last_value('transfer_id_seq'), 0));
    until := posting_floor();
    IF p_form = 'window' THEN
        PERFORM summarize_calls();
        calls_from := greatest(least(last.until_at, until), began - interval '1 day');
        since := calls_from - interval '2 minutes';
        calls_from := least(last.calls_at, calls_from, (SELECT min(t.posted_at) FROM transfer t
                                               WHERE t.posted_at >= since AND t.posted_at < calls_from
                                                 AND t.id > last.transfer_id));
    END IF;
    WITH now_found AS MATERIALIZED (
        SELECT * FROM ledger_findings(since, p_form = 'full')
    ), noted AS MATERIALIZED (
        SELECT finding_note(p_form, f.invariant, f.team_id, f.subject, f.detail) AS is_new FROM now_found f
    ), marked AS (
        INSERT INTO ledger_mark AS m (team_id, account_id, transfer_id, debits_nano, credits_nano)
        SELECT a.team_id, a.id, l.id, a.debits_nano, a.credits_nano
          FROM account a
         CROSS JOIN LATERAL (SELECT coalesce(max(t.id), 0) AS id FROM transfer t WHERE t.team_id = a.team_id) l
         WHERE a.team_id NOT IN (SELECT f.team_id FROM now_found f
                                  WHERE f.invariant = 'I2 an account is its transfers')
           AND (since = '-infinity' OR a.team_id IN (SELECT ledger_moved(since)))
        ON CONFLICT (team_id, account_id) DO UPDATE
           SET transfer_id = excluded.transfer_id, debits_nano = excluded.debits_nano,
               credits_nano = excluded.credits_nano
    )
    SELECT count(*), count(*) FILTER (WHERE n.is_new) INTO findings, opened FROM noted n;
    UPDATE recon_run r
       SET started_at = began, ended_at = clock_timestamp(), since_at = since, until_at = until,
           calls_at = greatest(calls_from, began - interval '1 day'),
           transfer_id = newest, findings = integrity_run.findings, wanted = false
     WHERE r.form = p_form;
    ran := true;
END
$$;

-- Reads the next span of the window's calls, by the summaries of page ranges: the tree by team and time
-- would be read whole. What there is to read is complete and does not change, so that each span is a
-- short transaction of its own; how long a span is follows the time that one takes. more: the window has
-- further ones; false also when another node is at it. What was not read when a node ended is read with
-- the next window.
CREATE FUNCTION integrity_step(OUT more boolean, OUT findings integer, OUT opened integer)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off
SET enable_sort = off SET work_mem = '16MB' SET jit = off AS $$
#variable_conflict use_column
DECLARE
    last recon_run;
    began timestamptz := clock_timestamp();
    until timestamptz;
    pace double precision;
BEGIN
    more := false; findings := 0; opened := 0;
    IF NOT pg_try_advisory_xact_lock(hashtext('integrity_run'), hashtext('window')) THEN
        RETURN;
    END IF;
    SELECT * INTO last FROM recon_run r WHERE r.form = 'window';
    IF last.calls_at >= last.until_at THEN
        RETURN;
    END IF;
    until := least(last.calls_at + last.step, last.until_at);
    WITH noted AS MATERIALIZED (
        SELECT finding_note('window', f.invariant, f.team_id, f.subject, f.detail) AS is_new
          FROM usage_findings(last.calls_at, until) f
    )
    SELECT count(*), count(*) FILTER (WHERE n.is_new) INTO findings, opened FROM noted n;
    pace := 0.05 / greatest(extract(epoch FROM clock_timestamp() - began), 0.001);
    UPDATE recon_run r
       SET calls_at = until, ended_at = clock_timestamp(), findings = r.findings + integrity_step.findings,
           step = CASE WHEN pace < 1 THEN greatest((until - last.calls_at) * greatest(pace, 0.1), interval '0.1 seconds')
                       WHEN until - last.calls_at = last.step THEN least(last.step * least(pace, 4), interval '1 hour')
                       ELSE last.step END
     WHERE r.form = 'window';
    more := until < last.until_at;
END
$$;

-- A form that started further ahead than it rests did so by a clock that was set back since.
CREATE FUNCTION integrity_due(last recon_run, p_now timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT last.wanted OR last.started_at > p_now + interval '55 seconds' OR CASE last.form
        WHEN 'window' THEN last.started_at < p_now - interval '55 seconds'
        ELSE last.started_at < (date_trunc('day', p_now AT TIME ZONE i.time_zone - interval '3 hours')
                                + interval '3 hours') AT TIME ZONE i.time_zone END
      FROM installation i
$$;
GRANT SELECT ON installation TO tollgate_money;
CALL money_function('integrity_due(recon_run, timestamptz)', false);
-- A look that takes no lock and no transaction of its own.
CREATE FUNCTION integrity_is_due(p_form text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT integrity_due(r, clock_timestamp()) FROM recon_run r WHERE r.form = p_form
$$;
CALL money_function('integrity_is_due(text)');
CALL money_function('integrity_run(text)');
CALL money_function('integrity_step()');

-- The full form as soon as a node looks.
CREATE FUNCTION integrity_want() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_guard();
    UPDATE recon_run SET wanted = true WHERE form = 'full';
END
$$;
CALL money_function('integrity_want()');

-- What a node finds about itself, such as a hold in its journal that nothing ends (I7).
CREATE FUNCTION finding_report(p_invariant text, p_subject text, p_detail text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_guard();
    RETURN finding_note('node', p_invariant, NULL, p_subject, p_detail);
END
$$;
CALL money_function('finding_report(text, text, text)');

-- Closes a finding for a person. A reason is wanted; one that is closed already stays as it is.
CREATE FUNCTION finding_close(p_id bigint, p_by text, p_reason text, p_accept boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_guard();
    IF length(trim(p_reason)) < 3 THEN
        RAISE EXCEPTION 'a reason is wanted' USING ERRCODE = 'TG004';
    END IF;
    UPDATE recon_finding SET closed_at = clock_timestamp(), closed_by = p_by,
                             closed_reason = trim(p_reason), accepted = p_accept
     WHERE id = p_id AND closed_at IS NULL;
    RETURN FOUND;
END
$$;
CALL money_function('finding_close(bigint, text, text, boolean)');
