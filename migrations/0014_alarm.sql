-- 0014_alarm: what the installation's operators are told of without having to look at a page.
--
-- Why: books that do not agree, a provider that refuses our key, mail that stays where it is: each is seen by
-- a node or stands in a table, and helps nobody until a person hears of it. Each cause is told of once, by
-- whichever replica judges first, and again when it is over (server/notices/alarm.h).
--
-- alarm_report  what a node sees of itself; another node reads it
-- alarm         what was raised, once for each cause while it stands
--
-- Lock order: alarm_clock, then alarm, then outbox. A node writes its own reports before it asks for the
-- clock, and never waits for it holding them.

CREATE TABLE alarm (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('books', 'account', 'database', 'journal', 'mail', 'price')),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 400),
    name text NOT NULL CHECK (length(name) <= 400),
    detail text NOT NULL CHECK (length(detail) <= 1000),
    raised_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE UNIQUE INDEX alarm_standing ON alarm (kind, subject) WHERE ended_at IS NULL;
COMMENT ON TABLE alarm IS 'What was raised of the installation, one row for each cause from when it was seen until it was over, and for 90 days after.';
COMMENT ON COLUMN alarm.subject IS 'Names the cause within its kind: finding:12, account:3, a node, address:ada@example.org, model:7.';
COMMENT ON COLUMN alarm.name IS 'Of the rule, account, node, address or model, as it was then; empty where there is but one.';
COMMENT ON COLUMN alarm.seen_at IS 'When it was last seen to hold.';

CREATE TABLE alarm_report (
    session_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('account', 'journal')),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 400),
    name text NOT NULL CHECK (length(name) <= 400),
    detail text NOT NULL CHECK (length(detail) <= 1000),
    since_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (session_id, kind, subject)
);
COMMENT ON TABLE alarm_report IS 'What a run of a node sees amiss, written anew every few seconds; of no account once that stops.';
COMMENT ON COLUMN alarm_report.since_at IS 'How long it has been so, as far as the node''s tries tell: an account that nobody asks does not fail for longer.';

CREATE TABLE alarm_setting (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    kinds text[] NOT NULL DEFAULT '{books,account,database,journal,mail,price}'
        CHECK (kinds <@ '{books,account,database,journal,mail,price}'),
    account_after_s integer NOT NULL DEFAULT 60 CHECK (account_after_s BETWEEN 0 AND 86400),
    changed_at timestamptz
);
COMMENT ON TABLE alarm_setting IS 'One row: which kinds are told. All are written down.';
COMMENT ON COLUMN alarm_setting.account_after_s IS 'So long an account has to fail until it is told, and not to fail until it is told that this is over.';
COMMENT ON COLUMN alarm_setting.changed_at IS 'NULL: nobody has chosen yet, and all operators are mailed.';
INSERT INTO alarm_setting DEFAULT VALUES;

CREATE TABLE alarm_recipient (
    user_id bigint PRIMARY KEY REFERENCES person
);
COMMENT ON TABLE alarm_recipient IS 'Operators who want to be mailed; who is no operator any more is not.';

CREATE TABLE alarm_webhook (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    url text NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    sealed_secret bytea NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE alarm_webhook IS 'Where the installation''s alarms are posted to, as alert_webhook is of a team.';

CREATE TABLE alarm_clock (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    judged_at timestamptz NOT NULL DEFAULT '-infinity',
    calls_at timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON TABLE alarm_clock IS 'One row: when a node last judged. Whoever judges holds it.';
COMMENT ON COLUMN alarm_clock.calls_at IS 'Calls posted before then were looked at.';
INSERT INTO alarm_clock DEFAULT VALUES;

-- No team's: operators and the system only.
DO $$
DECLARE
    tab text;
BEGIN
    FOREACH tab IN ARRAY ARRAY['alarm', 'alarm_report', 'alarm_setting', 'alarm_recipient', 'alarm_webhook', 'alarm_clock'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tab);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tab);
        EXECUTE format('CREATE POLICY operators ON %I TO tollgate_app USING ((SELECT app_scope()) IN (''operator'', ''system''))', tab);
        EXECUTE format('CREATE POLICY owner ON %I TO %I USING (true)', tab, current_user);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO tollgate_app', tab);
    END LOOP;
END
$$;

-- Addresses that are to be mailed alerts and are not: the last one to each was given up, and nothing has reached
-- it since.
CREATE FUNCTION alerts_given_up() RETURNS TABLE (recipient text, outcome text) LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (o.recipient) o.recipient, o.outcome
      FROM outbox o JOIN person p ON lower(p.email) = lower(o.recipient) AND p.disabled_at IS NULL
     WHERE o.given_up_at IS NOT NULL AND o.channel = 'mail' AND o.kind = 'alert'
       AND NOT EXISTS (SELECT FROM outbox l
                        WHERE l.recipient = o.recipient AND l.sent_at > o.given_up_at AND l.channel = 'mail')
       AND CASE WHEN o.team_id IS NOT NULL THEN is_mailed_alerts(o.team_id, p.id)
                ELSE p.is_operator AND EXISTS (SELECT FROM alarm_setting s
                          WHERE s.changed_at IS NULL
                             OR EXISTS (SELECT FROM alarm_recipient r WHERE r.user_id = p.id)) END
     ORDER BY o.recipient, o.given_up_at DESC
$$;

-- What holds now, whoever sees it. calls_from: older calls are not looked at.
CREATE FUNCTION alarms_held(now_at timestamptz, calls_from timestamptz)
RETURNS TABLE (kind text, subject text, name text, detail text, seen_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT 'books', 'finding:' || f.id, left(f.invariant, 400), left(f.subject || ': ' || f.detail, 1000), now_at
      FROM recon_finding f WHERE f.closed_at IS NULL
    UNION ALL
    SELECT r.kind, r.subject, min(r.name), (array_agg(r.detail ORDER BY r.since_at, r.session_id))[1], now_at
      FROM alarm_report r CROSS JOIN alarm_setting s
     WHERE r.seen_at > now_at - interval '1 minute'
       AND (r.kind <> 'account' OR r.since_at <= now_at - make_interval(secs => s.account_after_s))
     GROUP BY r.kind, r.subject
    UNION ALL
    SELECT 'mail', 'waiting', '',
           left(format('%s %s waited for more than ten minutes; the last answer was: %s', count(*),
                       CASE count(*) WHEN 1 THEN 'mail has' ELSE 'mails have' END,
                       coalesce((array_agg(o.outcome ORDER BY o.next_at DESC) FILTER (WHERE o.outcome <> ''))[1],
                                'none, nobody has tried')), 1000), now_at
      FROM outbox o
     WHERE o.channel = 'mail' AND o.sealed IS NOT NULL AND o.created_at < now_at - interval '10 minutes'
    HAVING count(*) > 0
    UNION ALL
    SELECT 'mail', 'address:' || g.recipient, left(g.recipient, 400),
           left('Alerts to it are given up; the last answer was: ' || coalesce(nullif(g.outcome, ''), 'none'), 1000),
           now_at
      FROM alerts_given_up() g
    UNION ALL
    SELECT 'price', 'model:' || c.model_id, left(coalesce(min(m.name), min(c.requested_model), ''), 400),
           'Requests for it are refused: it has no price, or none for what they ask for.', max(c.posted_at)
      FROM call c LEFT JOIN model m ON m.id = c.model_id
     WHERE c.posted_at > calls_from AND c.error_code = 'model_without_price' AND c.model_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM price p WHERE p.model_id = c.model_id
                          AND p.effective_from > c.posted_at AND p.effective_from <= now_at)
     GROUP BY c.model_id
$$;

-- Raises what holds and does not stand yet, and ends what holds no longer; those rows. None when another node
-- judges, or has within p_rest_ms. Marks that lie ahead are of a clock that was set back since: they hold nothing up.
CREATE FUNCTION alarms_judge(p_rest_ms integer) RETURNS SETOF alarm LANGUAGE plpgsql AS $$
DECLARE
    now_at CONSTANT timestamptz := clock_timestamp();
    rest CONSTANT interval := p_rest_ms * interval '1 millisecond';
    calls_from timestamptz;
    patience interval;
BEGIN
    SELECT c.calls_at INTO calls_from
      FROM alarm_clock c
     WHERE c.judged_at <= now_at - rest OR c.judged_at > now_at + rest FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE alarm_clock SET judged_at = now_at;
    -- Calls are read every half minute, since reading costs as much as there are; some of them again, as
    -- they may be seen later than they say.
    IF calls_from <= now_at - interval '30 seconds' OR calls_from > now_at THEN
        UPDATE alarm_clock SET calls_at = now_at;
        calls_from := greatest(least(calls_from, now_at - interval '30 seconds') - interval '5 seconds',
                               now_at - interval '1 hour');
    ELSE
        calls_from := now_at;
    END IF;
    DELETE FROM alarm_report r
     WHERE r.seen_at < now_at - interval '10 minutes' OR r.seen_at > now_at + interval '10 minutes';
    UPDATE alarm a SET seen_at = now_at WHERE a.ended_at IS NULL AND a.seen_at > now_at + interval '10 minutes';
    DELETE FROM alarm a WHERE a.ended_at < now_at - interval '90 days';
    SELECT make_interval(secs => s.account_after_s) INTO patience FROM alarm_setting s;
    RETURN QUERY
    WITH held AS MATERIALIZED (
        SELECT * FROM alarms_held(now_at, calls_from)
    ), ended AS (
        UPDATE alarm a SET ended_at = now_at
         WHERE a.ended_at IS NULL
           AND NOT EXISTS (SELECT FROM held h WHERE h.kind = a.kind AND h.subject = a.subject)
           AND CASE a.kind
                    WHEN 'account' THEN a.seen_at <= now_at - patience
                    WHEN 'price' THEN a.seen_at <= now_at - interval '1 hour'
                                      OR EXISTS (SELECT FROM price p
                                                  WHERE 'model:' || p.model_id = a.subject
                                                    AND p.effective_from > a.seen_at AND p.effective_from <= now_at)
                    ELSE true END
        RETURNING a.*
    ), raised AS (
        INSERT INTO alarm AS a (kind, subject, name, detail, raised_at, seen_at)
        SELECT h.kind, h.subject, h.name, h.detail, now_at, h.seen_at FROM held h ORDER BY h.kind, h.subject
        ON CONFLICT (kind, subject) WHERE ended_at IS NULL
        DO UPDATE SET detail = excluded.detail, seen_at = greatest(a.seen_at, excluded.seen_at)
        RETURNING a.*
    )
    SELECT * FROM raised r WHERE r.raised_at = now_at
    UNION ALL
    SELECT * FROM ended;
END
$$;

-- An outage that a node was in: told once, whichever of them comes back first. No row: it is known.
CREATE FUNCTION alarm_outage(p_began timestamptz) RETURNS SETOF alarm LANGUAGE plpgsql AS $$
DECLARE
    now_at CONSTANT timestamptz := clock_timestamp();
BEGIN
    PERFORM FROM alarm_clock FOR UPDATE;
    RETURN QUERY
    INSERT INTO alarm AS a (kind, subject, name, detail, raised_at, seen_at, ended_at)
    SELECT 'database', 'database', '', 'Nodes could not reach it.', p_began, now_at, now_at
     WHERE NOT EXISTS (SELECT FROM alarm o WHERE o.kind = 'database' AND o.ended_at >= p_began)
    RETURNING a.*;
END
$$;

GRANT EXECUTE ON FUNCTION alerts_given_up(), alarms_held(timestamptz, timestamptz), alarms_judge(integer), alarm_outage(timestamptz)
    TO tollgate_app;
