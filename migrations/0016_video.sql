-- 0016_video: jobs that make videos (OpenAI's video API), and what is given back of those that fail.
--
-- Why: a provider takes such a job in a moment and works on it for minutes, and then it may fail. The call
-- that made it is charged as any other, when the provider has taken it; what became of the job is asked
-- later, by whichever node and key, of the account that has it. So a job is a row before its client hears of
-- it; and it is in the record of its call, whose settlement makes the row where it is not there yet: no charge
-- is without its job, and no job without its charge. One that fails gives its charge back, once, by transfers
-- whose reference is the job's name: nodes may learn of it at the same time and as often as they like.
--
-- Rows stay: what was given back of a charge belongs to the books, and to budgets that never turn.

CREATE TABLE video_job (
    team_id bigint NOT NULL REFERENCES team,
    call_id uuid NOT NULL,
    project_id bigint NOT NULL,
    key_id bigint NOT NULL,
    model text NOT NULL,
    account_id bigint NOT NULL,
    upstream_model text NOT NULL,
    upstream_id text NOT NULL CHECK (length(upstream_id) BETWEEN 1 AND 500),
    seconds integer NOT NULL CHECK (seconds >= 0),
    size text CHECK (length(size) <= 40),
    state text NOT NULL CHECK (state IN ('queued', 'in_progress', 'completed', 'failed')),
    progress integer NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    remixed_from uuid,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    look_at timestamptz DEFAULT clock_timestamp() + interval '10 seconds',
    ended_at timestamptz,
    expires_at timestamptz,
    deleted_at timestamptz,
    error_code text CHECK (length(error_code) <= 100),
    error_message text CHECK (length(error_message) <= 1000),
    charged_at timestamptz,
    usage_id bigint,
    returned_nano bigint CHECK (returned_nano >= 0),
    wallet_nano bigint NOT NULL DEFAULT 0 CHECK (wallet_nano BETWEEN 0 AND returned_nano),
    returned_at timestamptz,
    transfer_id bigint,
    PRIMARY KEY (team_id, call_id),
    CHECK ((ended_at IS NULL) = (state IN ('queued', 'in_progress'))),
    CHECK (returned_nano IS NULL OR state = 'failed')
) WITH (fillfactor = 70);
CREATE INDEX video_job_look ON video_job (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX video_job_made ON video_job USING brin (created_at) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX video_job_returned ON video_job (returned_at) WHERE returned_at IS NOT NULL;
CREATE INDEX video_job_usage ON video_job (team_id, usage_id) WHERE usage_id IS NOT NULL;
COMMENT ON TABLE video_job IS 'Jobs of POST /v1/videos. call_id is the call that made it, and its name: video_ and the digits.';
COMMENT ON COLUMN video_job.key_id IS 'The key that it was made with. Every key of the team may ask after it.';
COMMENT ON COLUMN video_job.account_id IS 'The provider account that has it, and that alone is asked; it may have been removed since.';
COMMENT ON COLUMN video_job.upstream_id IS 'The provider''s name of it.';
COMMENT ON COLUMN video_job.seconds IS 'Of the video, as asked for or as the provider says; 0: not known.';
COMMENT ON COLUMN video_job.remixed_from IS 'The job whose video it changes.';
COMMENT ON COLUMN video_job.asked_at IS 'When the provider last said something of it.';
COMMENT ON COLUMN video_job.look_at IS 'When a node looks at it without being asked; whoever does moves it on first. NULL: nothing is left to do.';
COMMENT ON COLUMN video_job.expires_at IS 'From then on the provider has its content no more.';
COMMENT ON COLUMN video_job.deleted_at IS 'A client has deleted it: none gets it any more.';
COMMENT ON COLUMN video_job.usage_id IS 'The USAGE transfer that had charged what was given back.';
COMMENT ON COLUMN video_job.returned_nano IS 'What was given back of the charge: all of it. NULL: nothing (yet): it has not failed, or its call is not settled.';
COMMENT ON COLUMN video_job.transfer_id IS 'The ADJUST that gave it back; the first of those to several accounts. NULL: none was wanted.';
COMMENT ON COLUMN video_job.wallet_nano IS 'Of that, what the wallet had paid; the rest came of grants.';

CALL tenant_table('video_job');
GRANT SELECT ON video_job TO tollgate_app;
GRANT INSERT (team_id, call_id, project_id, key_id, model, account_id, upstream_model, upstream_id, seconds,
              size, state, progress, created_at, ended_at, expires_at, error_code, error_message)
    ON video_job TO tollgate_app;
GRANT UPDATE (state, progress, seconds, size, asked_at, look_at, ended_at, expires_at, deleted_at, error_code,
              error_message) ON video_job TO tollgate_app;
GRANT SELECT, UPDATE ON video_job TO tollgate_money;

-- When a job is looked at next: soon while it is new, then after an eighth of its age. One that has failed and
-- whose call is not settled after a month (its node's journal was lost) is left alone.
CREATE FUNCTION video_next_look(p_created timestamptz, p_now timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_now - p_created < interval '30 days'
                THEN p_now + least(greatest((p_now - p_created) / 8, interval '10 seconds'), interval '10 minutes') END
$$;
GRANT EXECUTE ON FUNCTION video_next_look(timestamptz, timestamptz) TO tollgate_app;

-- The fields of RECORD_VIDEO in server/model/record.def, in their order; NULL: none, or 0.
CREATE TYPE settled_video AS (
    team_id bigint, call_id uuid, project_id bigint, key_id bigint, account_id bigint, model text,
    upstream_model text, upstream_id text, seconds bigint, size text, state text, progress integer,
    created_at timestamptz, expires_at timestamptz, error_code text, error_message text
);
COMMENT ON TYPE settled_video IS 'A job as the call that made it knows it. created_at is its node''s clock, and not believed where it is ahead.';

-- Makes the rows of new jobs, as their team or as the system. Those that are there already stay as they are, so
-- a job may come from its call and from the settlement, each any number of times.
CREATE FUNCTION settle_videos(p_jobs settled_video[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO video_job (team_id, call_id, project_id, key_id, account_id, model, upstream_model, upstream_id,
                           seconds, size, state, progress, created_at, ended_at, expires_at, error_code, error_message)
    SELECT j.team_id, j.call_id, coalesce(j.project_id, 0), coalesce(j.key_id, 0), coalesce(j.account_id, 0),
           j.model, j.upstream_model, j.upstream_id,
           coalesce(j.seconds, 0), j.size, j.state, coalesce(j.progress, 0),
           least(j.created_at, clock_timestamp()),
           CASE WHEN j.state IN ('completed', 'failed') THEN clock_timestamp() END,
           j.expires_at, j.error_code, j.error_message
      FROM unnest(p_jobs) j ORDER BY j.team_id, j.call_id
        ON CONFLICT DO NOTHING
$$;
GRANT EXECUTE ON FUNCTION settle_videos(settled_video[]) TO tollgate_app;

-- The reference of a job's transfers; to a grant's account it has that behind it.
CREATE FUNCTION video_name(p_call uuid) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 'video_' || replace(p_call::text, '-', '');
GRANT EXECUTE ON FUNCTION video_name(uuid) TO tollgate_app, tollgate_money;

-- Can a grant take something back? Not when it is over, or was ended.
CREATE FUNCTION grant_is_open(p_team bigint, p_account bigint, p_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce(l.expires_at, g.expires_at, 'infinity') > p_at
       AND NOT EXISTS (SELECT FROM transfer t WHERE t.team_id = p_team AND t.code = 'GRANT_EXPIRE'
                                                AND t.debit_account = p_account)
      FROM credit_grant g
      LEFT JOIN live_grant l ON l.team_id = g.team_id AND l.account_id = g.account_id
     WHERE g.team_id = p_team AND g.account_id = p_account
$$;
CALL money_function('grant_is_open(bigint, bigint, timestamptz)', false);

-- Gives a part of a failed job's charge back to the grants that had covered it: as if the call had not
-- been, so the one that was used last comes first. What the grants cannot take is returned: for the wallet.
-- The caller has the books locked.
CREATE FUNCTION video_return_grants(p_team bigint, p_call uuid, p_usage bigint, p_adjustment bigint, p_part bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    cover record;
    part bigint;
    rest bigint := p_part;
BEGIN
    FOR cover IN
        SELECT u.debit_account AS account_id, g.priority, g.expires_at,
               u.amount_nano - coalesce((SELECT sum(x.amount_nano)
                                           FROM video_job j JOIN transfer x
                                             ON x.team_id = j.team_id AND x.code = 'ADJUST'
                                            AND x.ref = video_name(j.call_id) || '/' || u.debit_account
                                          WHERE j.team_id = p_team AND j.usage_id = p_usage), 0)::bigint AS left_nano
          FROM transfer t
          JOIN transfer u ON u.team_id = t.team_id AND u.posted_at = t.posted_at AND u.code = 'GRANT_USE'
                         AND split_part(u.ref, '/', 1) = t.id::text
          JOIN credit_grant g ON g.team_id = u.team_id AND g.account_id = u.debit_account
         WHERE t.team_id = p_team AND t.id = p_usage
         ORDER BY g.priority DESC, g.expires_at DESC NULLS FIRST, g.account_id DESC LOOP
        part := least(rest, cover.left_nano);
        CONTINUE WHEN part <= 0 OR NOT grant_is_open(p_team, cover.account_id, clock_timestamp());
        PERFORM post_between(p_team, p_adjustment, cover.account_id, part, 'ADJUST',
                             video_name(p_call) || '/' || cover.account_id,
                             'Charge of a failed video, to its grant: ' || video_name(p_call), 'system',
                             NULL, 'system');
        INSERT INTO live_grant (team_id, account_id, priority, expires_at)
        VALUES (p_team, cover.account_id, cover.priority, cover.expires_at)
        ON CONFLICT DO NOTHING;
        rest := rest - part;
    END LOOP;
    RETURN rest;
END
$$;
CALL money_function('video_return_grants(bigint, uuid, bigint, bigint, bigint)', false);

-- What of a usage the wallet itself has paid, and has not got back.
CREATE FUNCTION video_wallet_share(p_team bigint, p_usage bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (t.amount_nano
            - coalesce((SELECT sum(u.amount_nano) FROM transfer u
                         WHERE u.team_id = t.team_id AND u.posted_at = t.posted_at AND u.code = 'GRANT_USE'
                           AND split_part(u.ref, '/', 1) = t.id::text), 0)
            - coalesce((SELECT sum(j.wallet_nano) FROM video_job j
                         WHERE j.team_id = t.team_id AND j.usage_id = t.id), 0))::bigint
      FROM transfer t WHERE t.team_id = p_team AND t.id = p_usage
$$;
CALL money_function('video_wallet_share(bigint, bigint)', false);

-- Gives the charge of a failed job back: to the wallet what it had paid, to grants what they had covered, and
-- to the budgets whose running window it was charged in. What was given back; NULL: nothing, since it has
-- not failed or its call is not settled yet. Once per job: the second time gives the first's answer.
CREATE FUNCTION video_return(p_team bigint, p_call uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    job video_job;
    paid record;
    adjustment bigint;
    share bigint;
    rest bigint;
BEGIN
    PERFORM ledger_guard();
    SELECT * INTO job FROM video_job WHERE team_id = p_team AND call_id = p_call FOR UPDATE;
    IF job.state IS DISTINCT FROM 'failed' OR job.returned_nano IS NOT NULL THEN
        RETURN job.returned_nano;
    END IF;
    adjustment := books_lock(p_team, 'adjustment');
    SELECT c.charge_nano, c.transfer_id, c.posted_at, c.key_id, c.project_id, c.user_id INTO paid
      FROM call c WHERE c.team_id = p_team AND c.call_id = p_call;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF paid.charge_nano > 0 THEN
        PERFORM FROM purse q WHERE q.team_id = p_team AND q.kind IN ('wallet', 'budget') ORDER BY q.id FOR UPDATE;
        share := least(paid.charge_nano, greatest(video_wallet_share(p_team, paid.transfer_id), 0));
        rest := share + video_return_grants(p_team, p_call, paid.transfer_id, adjustment, paid.charge_nano - share);
        IF rest > 0 THEN
            PERFORM post_between(p_team, adjustment, books_lock(p_team, 'wallet'), rest, 'ADJUST',
                                 video_name(p_call), 'Charge of a failed video: ' || video_name(p_call),
                                 'system', NULL, 'system');
        END IF;
        UPDATE purse q SET used = greatest(q.used - paid.charge_nano, 0)
         WHERE q.team_id = p_team AND q.kind = 'budget'
           AND (q.turns = 'never' OR paid.posted_at >= q.window_start)
           AND q.scope_id = CASE q.scope WHEN 'team' THEN p_team WHEN 'key' THEN paid.key_id
                                         WHEN 'project' THEN paid.project_id WHEN 'user' THEN paid.user_id END;
    END IF;
    UPDATE video_job
       SET returned_nano = paid.charge_nano, wallet_nano = coalesce(share, 0), usage_id = paid.transfer_id,
           charged_at = paid.posted_at, returned_at = clock_timestamp(), look_at = NULL,
           transfer_id = (SELECT min(t.id) FROM transfer t
                           WHERE t.team_id = p_team AND t.code = 'ADJUST'
                             AND (t.ref = video_name(p_call)
                                  OR t.ref LIKE replace(video_name(p_call), '_', '\_') || '/%'))
     WHERE team_id = p_team AND call_id = p_call;
    RETURN paid.charge_nano;
END
$$;
CALL money_function('video_return(bigint, uuid)');

-- What was spent, by day of the team's time zone: the roll-up, less what was given back of charges in it.
CREATE VIEW spent_day WITH (security_invoker = on) AS
    SELECT u.team_id, u.day, u.key_id, u.project_id, u.charge_nano FROM usage_day u
    UNION ALL
    SELECT j.team_id, (j.charged_at AT TIME ZONE t.time_zone)::date, j.key_id, j.project_id, -j.returned_nano
      FROM video_job j JOIN team t ON t.id = j.team_id
     WHERE j.usage_id IS NOT NULL;
GRANT SELECT ON spent_day TO tollgate_app, tollgate_money;

-- The same from a day on, by each scope that a budget can have. budget_spent() and budget_states() read it; one scope of it
-- costs no more than that scope.
CREATE FUNCTION spent_by_scope(p_team bigint, p_since timestamptz)
RETURNS TABLE (scope text, scope_id bigint, spent_nano bigint) LANGUAGE sql STABLE AS $$
    WITH spent AS NOT MATERIALIZED (
        SELECT u.key_id, u.project_id, u.charge_nano AS nano
          FROM spent_day u JOIN team t ON t.id = u.team_id
         WHERE u.team_id = p_team AND (p_since = '-infinity' OR u.day >= (p_since AT TIME ZONE t.time_zone)::date)
    )
    SELECT 'team', p_team, coalesce(sum(s.nano), 0)::bigint FROM spent s
    UNION ALL
    SELECT 'project', s.project_id, sum(s.nano)::bigint FROM spent s GROUP BY s.project_id
    UNION ALL
    SELECT 'key', s.key_id, sum(s.nano)::bigint FROM spent s GROUP BY s.key_id
    UNION ALL
    SELECT 'user', k.owner_user_id, sum(s.nano)::bigint
      FROM spent s JOIN api_key k ON k.team_id = p_team AND k.id = s.key_id
     GROUP BY k.owner_user_id
$$;
CALL money_function('spent_by_scope(bigint, timestamptz)', false);

-- The rules of what was given back, for ledger_findings().
CREATE FUNCTION video_findings(p_since timestamptz)
RETURNS TABLE (invariant text, team_id bigint, subject text, detail text) LANGUAGE sql STABLE AS $$
    SELECT 'what a video gives back is its charge', j.team_id, video_name(j.call_id),
           'given back ' || j.returned_nano || ', transfers ' || s.nano || ', charged '
           || coalesce(c.charge_nano::text, 'unknown')
      FROM video_job j
      LEFT JOIN call c ON c.call_id = j.call_id AND c.team_id = j.team_id
     CROSS JOIN LATERAL (SELECT coalesce(sum(t.amount_nano), 0) AS nano FROM transfer t
                          WHERE t.team_id = j.team_id AND t.code = 'ADJUST'
                            AND (t.ref = video_name(j.call_id)
                                 OR t.ref LIKE replace(video_name(j.call_id), '_', '\_') || '/%')) s
     WHERE j.returned_at >= p_since AND j.returned_nano IS NOT NULL
       AND (j.returned_nano <> s.nano OR j.returned_nano <> coalesce(c.charge_nano, j.returned_nano))
     LIMIT 100
$$;
CALL money_function('video_findings(timestamptz)', false);
