-- 0011_notice: what people and programs are told: mail, webhooks, and the alerts that cause most of it.
--
-- Why: an invitation, a reset link or a budget that runs out is of use only to somebody who hears of it.
-- What is to be sent is written here in the transaction that causes it, so that it is neither lost nor
-- sent for what was rolled back; nodes send it afterwards (server/notices/). Its text may hold a link
-- that lets somebody in, so it is sealed, and gone once it is sent.
--
-- Lock order: alert_clock, then alert_watch by team, then alert, then outbox.

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id bigint REFERENCES team,
    channel text NOT NULL CHECK (channel IN ('mail', 'webhook')),
    kind text NOT NULL CHECK (kind IN ('invitation', 'reset', 'alert', 'test')),
    tag text NOT NULL CHECK (tag ~ '^[0-9a-f]{32}$'),
    recipient text NOT NULL CHECK (length(recipient) BETWEEN 1 AND 2000),
    subject text NOT NULL CHECK (length(subject) <= 400),
    sealed bytea,
    tries integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    useless_at timestamptz NOT NULL,
    sent_at timestamptz,
    given_up_at timestamptz,
    outcome text NOT NULL DEFAULT '' CHECK (length(outcome) <= 400),
    CHECK (sent_at IS NULL OR given_up_at IS NULL),
    CHECK ((sealed IS NULL) = (sent_at IS NOT NULL OR given_up_at IS NOT NULL))
);
CREATE UNIQUE INDEX outbox_tag ON outbox (tag);
CREATE INDEX outbox_waiting ON outbox (channel, next_at) WHERE sealed IS NOT NULL;
CREATE INDEX outbox_team ON outbox (team_id, id);
CREATE INDEX outbox_given_up ON outbox (given_up_at) WHERE given_up_at IS NOT NULL;
CREATE INDEX outbox_sent ON outbox (recipient, sent_at) WHERE sent_at IS NOT NULL;
COMMENT ON TABLE outbox IS 'What is to be sent, and for a month what was: one row for each recipient.';
COMMENT ON COLUMN outbox.team_id IS 'NULL: of the installation, or of a person.';
COMMENT ON COLUMN outbox.tag IS 'Names it to whoever gets it, the same at each try: in the Message-ID, or as the event''s id.';
COMMENT ON COLUMN outbox.sealed IS 'The whole mail or the webhook''s body, sealed under the installation''s secret; NULL once it is sent or given up.';
COMMENT ON COLUMN outbox.next_at IS 'When a node may try. Whoever takes it moves this ahead for as long as a try may last, so that another takes it over if that node dies.';
COMMENT ON COLUMN outbox.useless_at IS 'From then on it is given up.';
COMMENT ON COLUMN outbox.outcome IS 'What came of the last try.';

CREATE TABLE reset_wish (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL CHECK (length(email) <= 254),
    address text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE reset_wish IS 'Who has asked for a new password, known or not: whether there is such a person is looked up after the answer, which so takes as long for both.';

CREATE TABLE alert_setting (
    team_id bigint PRIMARY KEY REFERENCES team,
    balance_below_nano bigint CHECK (balance_below_nano > 0),
    budget_marks integer[] NOT NULL DEFAULT '{80,100}' CHECK (budget_marks <@ '{50,80,100}'),
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE alert_setting IS 'What a team wants to hear of. No row: budgets at 80 and 100 percent, told to its owners.';
COMMENT ON COLUMN alert_setting.balance_below_nano IS 'NULL: nothing is said of the balance.';
COMMENT ON COLUMN alert_setting.budget_marks IS 'Percent of a budget, in any window.';

CREATE TABLE alert_recipient (
    team_id bigint NOT NULL,
    user_id bigint NOT NULL,
    PRIMARY KEY (team_id, user_id),
    FOREIGN KEY (team_id, user_id) REFERENCES member ON DELETE CASCADE
);
COMMENT ON TABLE alert_recipient IS 'Members who are mailed a team''s alerts; who leaves the team is taken off.';

-- Of a member who is not disabled.
CREATE FUNCTION is_mailed_alerts(p_team bigint, p_user bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM alert_setting s WHERE s.team_id = p_team)
                THEN EXISTS (SELECT FROM alert_recipient r WHERE r.team_id = p_team AND r.user_id = p_user)
                ELSE EXISTS (SELECT FROM member m
                              WHERE m.team_id = p_team AND m.user_id = p_user AND m.role = 'owner') END
$$;

CREATE TABLE alert_webhook (
    team_id bigint PRIMARY KEY REFERENCES team,
    url text NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    sealed_secret bytea NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE alert_webhook IS 'Where a team''s alerts are posted to, one for each team; every URL that is set has a secret of its own.';
COMMENT ON COLUMN alert_webhook.sealed_secret IS 'What the posts are signed with, sealed under the installation''s secret.';

CREATE TABLE alert (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id bigint REFERENCES team,
    kind text NOT NULL CHECK (kind IN ('balance', 'budget')),
    scope text NOT NULL,
    scope_id bigint NOT NULL,
    name text NOT NULL,
    mark integer NOT NULL DEFAULT 0,
    amount_nano bigint NOT NULL,
    used_nano bigint NOT NULL,
    budget_window text NOT NULL DEFAULT '',
    window_start timestamptz NOT NULL DEFAULT '-infinity',
    window_end timestamptz NOT NULL DEFAULT 'infinity',
    raised_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz
);
CREATE UNIQUE INDEX alert_budget ON alert (team_id, scope, scope_id, window_start, mark, amount_nano)
    WHERE kind = 'budget';
CREATE UNIQUE INDEX alert_balance ON alert (team_id) WHERE kind = 'balance' AND ended_at IS NULL;
CREATE INDEX alert_standing ON alert (window_end) WHERE ended_at IS NULL;
CREATE INDEX alert_team ON alert (team_id, id);
CREATE INDEX alert_over ON alert (ended_at) WHERE ended_at IS NOT NULL;
COMMENT ON TABLE alert IS 'What was raised, once for each window and threshold; a budget of another amount has other thresholds. Kept for 90 days after it is over.';
COMMENT ON COLUMN alert.name IS 'Of the team, project, person or key, as it was then.';
COMMENT ON COLUMN alert.mark IS 'Percent of the budget; 0 for a balance.';
COMMENT ON COLUMN alert.amount_nano IS 'The budget, or the amount below which the balance is.';
COMMENT ON COLUMN alert.used_nano IS 'What was spent of the budget, or the balance, when it was raised.';
COMMENT ON COLUMN alert.ended_at IS 'Since when it no longer holds: the window is over, the budget was raised, the balance filled.';

CREATE TABLE alert_watch (
    team_id bigint PRIMARY KEY REFERENCES team,
    wishes bigint NOT NULL DEFAULT 1,
    seen_wishes bigint NOT NULL DEFAULT 0,
    seen_nano bigint NOT NULL DEFAULT -1
);
COMMENT ON TABLE alert_watch IS 'Teams that have something to be judged, and how far they were when that was done.';
COMMENT ON COLUMN alert_watch.wishes IS 'How often they have changed. seen_wishes: as they were judged.';
COMMENT ON COLUMN alert_watch.seen_nano IS 'What wallet and credit had turned over, which only grows.';

CREATE TABLE alert_clock (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    judged_at timestamptz NOT NULL
);
COMMENT ON TABLE alert_clock IS 'One row: when a node last judged. Whoever judges holds it.';
INSERT INTO alert_clock (judged_at) VALUES ('-infinity');

CALL tenant_table('outbox');
CALL tenant_table('alert_setting');
CALL tenant_table('alert_recipient');
CALL tenant_table('alert_webhook');
CALL tenant_table('alert');
CALL tenant_table('alert_watch');
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox, alert_setting, alert_recipient, alert_webhook, reset_wish
    TO tollgate_app;
GRANT SELECT ON alert, alert_watch, alert_clock TO tollgate_app;
GRANT EXECUTE ON FUNCTION is_mailed_alerts(bigint, bigint) TO tollgate_app;
GRANT SELECT ON budget, alert_setting TO tollgate_money;
GRANT SELECT, INSERT, UPDATE ON alert, alert_watch, alert_clock TO tollgate_money;
GRANT DELETE ON alert TO tollgate_money;

-- Whatever a team wishes anew is judged when a node next looks, though nothing was spent since. Whoever wishes
-- waits for nobody who judges: that may take long, and writes this row in its last moment only.
CREATE FUNCTION alert_look_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO alert_watch AS w (team_id)
    VALUES (CASE TG_OP WHEN 'DELETE' THEN OLD.team_id ELSE NEW.team_id END)
    ON CONFLICT (team_id) DO UPDATE SET wishes = w.wishes + 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER alert_look_again AFTER INSERT OR UPDATE OR DELETE ON budget
    FOR EACH ROW EXECUTE FUNCTION alert_look_again();
CREATE TRIGGER alert_look_again AFTER INSERT OR UPDATE ON alert_setting
    FOR EACH ROW EXECUTE FUNCTION alert_look_again();
CREATE TRIGGER alert_look_at_new AFTER INSERT ON api_key
    FOR EACH ROW WHEN (NEW.budget_nano IS NOT NULL) EXECUTE FUNCTION alert_look_again();
CREATE TRIGGER alert_look_again AFTER UPDATE OF budget_nano, budget_window, deleted_at ON api_key
    FOR EACH ROW WHEN (OLD.budget_nano IS NOT NULL OR NEW.budget_nano IS NOT NULL)
    EXECUTE FUNCTION alert_look_again();
CALL money_function('alert_look_again()', false);

-- Each budget of these teams in the window that runs, and what was spent in it: from its purse, or from
-- the days' sums where no call has opened the purse's window yet; those are read once for all of them.
-- refused: less than a tenth is left, and a request lately wanted more.
CREATE FUNCTION budget_states(p_teams bigint[], p_at timestamptz)
RETURNS TABLE (team_id bigint, scope text, scope_id bigint, budget_window text, amount_nano bigint,
               spent_nano bigint, refused boolean, window_start timestamptz, window_end timestamptz)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    WITH wish AS (
        SELECT g.team_id, g.scope, g.scope_id, g.budget_window, g.amount_nano, g.changed_at
          FROM budget g WHERE g.team_id = ANY (p_teams)
        UNION ALL
        SELECT k.team_id, 'key', k.id, k.budget_window, k.budget_nano, '-infinity'
          FROM api_key k WHERE k.team_id = ANY (p_teams) AND k.budget_nano IS NOT NULL AND k.deleted_at IS NULL
    ), frame AS (
        SELECT t.id AS team_id, v.budget_window, v.turns, w.starts, w.ends
          FROM team t
         CROSS JOIN (VALUES ('day', 'day'), ('week', 'week'), ('month', 'month'), ('lifetime', 'never')) AS v(budget_window, turns)
         CROSS JOIN LATERAL purse_window(v.turns, t.time_zone, p_at) w
         WHERE t.id = ANY (p_teams)
    ), state AS MATERIALIZED (
        SELECT b.*, q.used, f.starts, f.ends
          FROM wish b JOIN frame f ON f.team_id = b.team_id AND f.budget_window = b.budget_window
          LEFT JOIN purse q ON q.team_id = b.team_id AND q.kind = 'budget' AND q.scope = b.scope
                           AND q.scope_id = b.scope_id AND q.turns = f.turns
                           AND (f.turns = 'never' OR q.window_start = f.starts)
    ), spent AS MATERIALIZED (
        SELECT m.team_id, m.starts, s.scope, s.scope_id, s.spent_nano
          FROM (SELECT DISTINCT x.team_id, x.starts FROM state x WHERE x.used IS NULL) m
         CROSS JOIN LATERAL spent_by_scope(m.team_id, m.starts) s
    )
    SELECT b.team_id, b.scope, b.scope_id, b.budget_window, b.amount_nano, p.nano,
           CASE WHEN p.nano::numeric * 10 < b.amount_nano::numeric * 9 OR p.nano >= b.amount_nano THEN false
                ELSE EXISTS (SELECT FROM call c
                              WHERE c.team_id = b.team_id AND c.posted_at > greatest(p_at - interval '3 minutes', b.changed_at)
                                AND c.outcome = 'blocked'
                                AND c.quota_source = CASE b.scope WHEN 'key' THEN 'app_key' ELSE b.scope || '_budget' END
                                AND b.scope_id = CASE b.scope WHEN 'team' THEN c.team_id WHEN 'key' THEN c.key_id
                                                              WHEN 'project' THEN c.project_id ELSE c.user_id END) END,
           b.starts, b.ends
      FROM state b
      LEFT JOIN spent s ON s.team_id = b.team_id AND s.starts = b.starts AND s.scope = b.scope
                       AND s.scope_id = b.scope_id
     CROSS JOIN LATERAL (SELECT coalesce(b.used, s.spent_nano, 0) AS nano) p;
END
$$;
CALL money_function('budget_states(bigint[], timestamptz)', false);

-- What these teams have: wallet and grants together.
CREATE FUNCTION team_funds(p_teams bigint[])
RETURNS TABLE (team_id bigint, funds_nano bigint) LANGUAGE sql STABLE AS $$
    SELECT a.team_id, sum(a.credits_nano - a.debits_nano)::bigint
      FROM account a WHERE a.team_id = ANY (p_teams) AND is_funds(a.kind) GROUP BY 1
$$;
CALL money_function('team_funds(bigint[])', false);

-- Raises what holds and was not raised yet, ends what no longer holds, and forgets what has been over for 90
-- days. The rows that were raised; none when another node judges, or did within the minute: a mark that lies
-- further ahead is of a clock that was set back since.
--
-- Only teams whose wallet or credit has turned something over since they were judged are looked at, and those
-- with a budget of which less than a tenth is left: once that does not cover a request it is used up, though it
-- is never spent to the last. What is noted of a team is older than what is judged, never newer, so that
-- nothing is missed between.
CREATE FUNCTION alerts_judge() RETURNS SETOF alert LANGUAGE plpgsql AS $$
DECLARE
    now_at CONSTANT timestamptz := clock_timestamp();
    seen alert_watch[];
    moved bigint[];
BEGIN
    PERFORM FROM alert_clock
     WHERE judged_at <= now_at - interval '55 seconds' OR judged_at > now_at + interval '55 seconds'
       FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE alert_clock SET judged_at = now_at;
    DELETE FROM alert WHERE ended_at < now_at - interval '90 days';
    UPDATE alert SET ended_at = now_at WHERE ended_at IS NULL AND window_end <= now_at;
    SELECT array_agg((t.team_id, t.wishes, t.wishes, t.nano)::alert_watch) INTO seen
      FROM (SELECT w.team_id, w.wishes, w.seen_wishes, w.seen_nano, sum(a.debits_nano + a.credits_nano)::bigint AS nano
              FROM alert_watch w JOIN account a ON a.team_id = w.team_id
             WHERE a.kind IN ('wallet', 'promo') GROUP BY w.team_id) t
     WHERE t.seen_nano <> t.nano OR t.seen_wishes <> t.wishes;
    SELECT array_agg(m.team_id) INTO moved
      FROM (SELECT s.team_id FROM unnest(seen) s
            UNION
            SELECT q.team_id FROM alert_watch w JOIN purse q ON q.team_id = w.team_id
             WHERE q.kind = 'budget' AND q.used < q.capacity AND q.window_end > now_at
               AND q.used::numeric * 10 >= q.capacity::numeric * 9) m;
    IF moved IS NULL THEN
        RETURN;
    END IF;
    UPDATE alert a SET ended_at = now_at
     WHERE a.ended_at IS NULL AND a.kind = 'budget' AND a.team_id = ANY (moved)
       AND NOT EXISTS (SELECT FROM budget_states(moved, now_at) s
                        WHERE s.team_id = a.team_id AND s.scope = a.scope AND s.scope_id = a.scope_id
                          AND s.window_start = a.window_start AND s.amount_nano = a.amount_nano);
    UPDATE alert a SET ended_at = now_at
      FROM team_funds(moved) f LEFT JOIN alert_setting x ON x.team_id = f.team_id
     WHERE a.ended_at IS NULL AND a.kind = 'balance' AND a.team_id = f.team_id
       AND (x.balance_below_nano IS NULL OR f.funds_nano >= x.balance_below_nano);
    RETURN QUERY
    INSERT INTO alert (team_id, kind, scope, scope_id, name, mark, amount_nano, used_nano, budget_window,
                       window_start, window_end)
    SELECT s.team_id, 'budget', s.scope, s.scope_id, coalesce(j.name, p.name, k.name, t.name), m.mark,
           s.amount_nano, s.spent_nano, s.budget_window, s.window_start, s.window_end
      FROM budget_states(moved, now_at) s
      JOIN team t ON t.id = s.team_id
      LEFT JOIN alert_setting x ON x.team_id = s.team_id
     CROSS JOIN LATERAL unnest(coalesce(x.budget_marks, '{80,100}')) AS m(mark)
      LEFT JOIN project j ON s.scope = 'project' AND j.team_id = s.team_id AND j.id = s.scope_id
      LEFT JOIN person p ON s.scope = 'user' AND p.id = s.scope_id
      LEFT JOIN api_key k ON s.scope = 'key' AND k.team_id = s.team_id AND k.id = s.scope_id
     WHERE s.spent_nano::numeric * 100 >= s.amount_nano::numeric * m.mark
        OR m.mark = 100 AND s.refused
     ORDER BY s.team_id, s.scope, s.scope_id, m.mark
    ON CONFLICT DO NOTHING RETURNING *;
    RETURN QUERY
    INSERT INTO alert (team_id, kind, scope, scope_id, name, amount_nano, used_nano)
    SELECT f.team_id, 'balance', 'team', f.team_id, t.name, x.balance_below_nano, f.funds_nano
      FROM team_funds(moved) f
      JOIN alert_setting x ON x.team_id = f.team_id
      JOIN team t ON t.id = f.team_id
     WHERE f.funds_nano < x.balance_below_nano
     ORDER BY f.team_id
    ON CONFLICT DO NOTHING RETURNING *;
    UPDATE alert_watch w SET seen_wishes = s.seen_wishes, seen_nano = s.seen_nano
      FROM unnest(seen) s WHERE w.team_id = s.team_id;
END
$$;
CALL money_function('alerts_judge()');
