-- 0008_retention: calls that leave, and what stays of them.
--
-- Why: calls are by far the largest table, and nobody looks at those of last year; but what was charged
-- for them has to be explained for as long as the invoice counts. So a week of calls is dropped only
-- when every month that its calls were settled in is invoiced for their teams, and these calls are kept
-- as the CSV that goes with the invoice. Roll-ups and transfers stay; of the dropped calls stay the
-- sums that the checks of the books compare with them.
--
-- Off until an operator sets installation.call_retention_months.
--
-- call_archive       spans of a team's calls, one after the other without a gap, each with its CSV
-- call_archive_part  the CSV, in parts of some hundred kilobytes (compressed by the database)
-- call_dropped       the weeks that were dropped; _transfer and _usage: their sums

ALTER TABLE installation ADD COLUMN call_retention_months integer
    CHECK (call_retention_months BETWEEN 2 AND 240);
COMMENT ON COLUMN installation.call_retention_months IS 'Calls older than this are archived and dropped; NULL: they stay. A call that a node settles later than this is refused, since it may have been booked before; hence two at least.';
GRANT UPDATE (call_retention_months) ON installation TO tollgate_app;

CREATE TABLE call_archive (
    team_id bigint NOT NULL REFERENCES team,
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    invoice_id bigint,
    calls bigint NOT NULL,
    charge_nano bigint NOT NULL,
    parts integer NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (team_id, until_at),
    UNIQUE (team_id, from_at),
    FOREIGN KEY (team_id, invoice_id) REFERENCES invoice (team_id, id),
    CHECK (from_at < until_at)
);
CREATE UNIQUE INDEX call_archive_invoice ON call_archive (team_id, invoice_id) WHERE invoice_id IS NOT NULL;
COMMENT ON TABLE call_archive IS 'A span of posted_at of a team, whose calls stand in its parts as CSV.';
COMMENT ON COLUMN call_archive.invoice_id IS 'The invoice of that span; NULL between invoices, where no call has cost anything.';

CREATE TABLE call_archive_part (
    team_id bigint NOT NULL,
    until_at timestamptz NOT NULL,
    ordinal integer NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (team_id, until_at, ordinal)
);
COMMENT ON TABLE call_archive_part IS 'Joined in order: the header line and a line for each call, oldest first.';

CREATE TABLE call_dropped (
    week date PRIMARY KEY,
    calls bigint NOT NULL,
    dropped_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE call_dropped IS 'Weeks (by call id) whose calls have left.';

CREATE TABLE call_dropped_transfer (
    team_id bigint NOT NULL,
    transfer_id bigint NOT NULL,
    week date NOT NULL REFERENCES call_dropped,
    calls bigint NOT NULL,
    charge_nano bigint NOT NULL,
    PRIMARY KEY (team_id, transfer_id, week)
);
COMMENT ON TABLE call_dropped_transfer IS 'What the dropped calls of a transfer were charged, together.';

CREATE TABLE call_dropped_usage (
    team_id bigint NOT NULL,
    week date NOT NULL REFERENCES call_dropped,
    model text NOT NULL,
    key_id bigint NOT NULL,
    project_id bigint NOT NULL,
    provider text NOT NULL,
    account_id bigint NOT NULL,
    figures numeric[] NOT NULL,
    PRIMARY KEY (team_id, week, model, key_id, project_id, provider, account_id)
);
COMMENT ON TABLE call_dropped_usage IS 'The figures of usage_day that the dropped calls had made, from calls to saved_nano in the order of its columns.';

CALL tenant_table('call_archive');
CALL tenant_table('call_archive_part');
CALL tenant_table('call_dropped_transfer');
CALL tenant_table('call_dropped_usage');
CALL append_only('call_archive');
CALL append_only('call_archive_part');
CALL append_only('call_dropped');
CALL append_only('call_dropped_transfer');
CALL append_only('call_dropped_usage');
GRANT SELECT, INSERT ON call_archive, call_archive_part TO tollgate_app;
GRANT SELECT ON call_dropped TO tollgate_app;
GRANT SELECT ON call_archive, call_dropped, call_dropped_transfer, call_dropped_usage, invoice TO tollgate_money;

-- A journal may come back after its calls have left: from a backup, or a node that was away for months.
-- Nothing tells then whether a call was booked, so it is not: the node keeps its record aside and says so.
-- A week that was dropped has no partition any more, hence its calls can only come to this one.
CREATE FUNCTION call_refuse_dropped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM call_dropped d
                WHERE NEW.call_id >= call_id_floor(d.week::timestamp AT TIME ZONE 'UTC')
                  AND NEW.call_id < call_id_floor((d.week + 7)::timestamp AT TIME ZONE 'UTC')) THEN
        RAISE EXCEPTION 'the calls of its week have left, and it may have been one of them'
              USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER call_refuse_dropped BEFORE INSERT ON call_default
    FOR EACH ROW EXECUTE FUNCTION call_refuse_dropped();

-- Before this moment calls may leave; NULL: none may.
CREATE FUNCTION retention_cutoff() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT date_trunc('month', now() AT TIME ZONE i.time_zone - i.call_retention_months * interval '1 month')
           AT TIME ZONE i.time_zone FROM installation i
$$;
GRANT EXECUTE ON FUNCTION retention_cutoff() TO tollgate_app;

-- The spans to archive next: of each team the one that follows its last, up to the end of an invoice or
-- up to where the next one begins; where no invoice follows, up to where the team is invoiced. None
-- reaches beyond the cutoff.
CREATE FUNCTION retention_spans() RETURNS TABLE (team_id bigint, from_at timestamptz, until_at timestamptz,
                                                 invoice_id bigint) LANGUAGE sql STABLE AS $$
    SELECT s.* FROM (
        SELECT c.team_id, l.until_at AS from_at,
               CASE WHEN v.id IS NULL THEN c.from_at WHEN v.from_at > l.until_at THEN v.from_at
                    ELSE v.until_at END AS until_at,
               CASE WHEN v.from_at <= l.until_at THEN v.id END AS invoice_id
          FROM invoice_cut c
         CROSS JOIN LATERAL (SELECT coalesce(max(a.until_at), '-infinity') AS until_at FROM call_archive a
                              WHERE a.team_id = c.team_id) l
          LEFT JOIN LATERAL (SELECT i.id, i.from_at, i.until_at FROM invoice i
                              WHERE i.team_id = c.team_id AND i.until_at > l.until_at
                              ORDER BY i.until_at LIMIT 1) v ON true
    ) s
     WHERE s.until_at > s.from_at AND s.until_at <= retention_cutoff()
     ORDER BY s.until_at, s.team_id LIMIT 100
$$;
GRANT EXECUTE ON FUNCTION retention_spans() TO tollgate_app;

-- Drops the calls of a week that lies before the cutoff, if all of its calls stand in
-- archives; false otherwise. What is kept of them is summed up first, with nobody able to add to the
-- week. The lock that dropping takes on the whole table is not waited for long: then it is done another
-- time. Owned by the schema's owner, as making partitions is.
CREATE FUNCTION retention_drop(p_week date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    start timestamptz := p_week::timestamp AT TIME ZONE 'UTC';
    calls regclass := to_regclass(call_partition('call', start));
    kept boolean;
BEGIN
    IF calls IS NULL OR date_trunc('week', start, 'UTC') <> start
       OR (start + interval '7 days' <= retention_cutoff()) IS NOT TRUE THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE %s IN SHARE MODE', calls);
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM (SELECT c.team_id, max(c.posted_at) AS last FROM %s c'
                   ' GROUP BY c.team_id) w WHERE w.last >= coalesce((SELECT max(a.until_at)'
                   ' FROM call_archive a WHERE a.team_id = w.team_id), ''-infinity''))', calls) INTO kept;
    IF NOT kept THEN
        RETURN false;
    END IF;
    EXECUTE format('INSERT INTO call_dropped (week, calls) SELECT $1, count(*) FROM %s', calls) USING p_week;
    EXECUTE format('INSERT INTO call_dropped_transfer (team_id, transfer_id, week, calls, charge_nano)'
                   ' SELECT c.team_id, c.transfer_id, $1, count(*), sum(c.charge_nano) FROM %s c'
                   ' WHERE c.transfer_id IS NOT NULL GROUP BY 1, 2', calls) USING p_week;
    EXECUTE format('INSERT INTO call_dropped_usage SELECT f.team_id, $1, f.model, f.key_id, f.project_id,'
                   ' f.provider, f.account_id, f.figures FROM call_figures(%L) f', calls) USING p_week;
    EXECUTE format('DROP TABLE %s', calls);
    RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN false;
END
$$;
GRANT EXECUTE ON FUNCTION retention_drop(date) TO tollgate_app;

-- The figures that the calls of a table have in the roll-up, over all days; NULL: no call has any.
CREATE FUNCTION call_figures(p_calls regclass)
RETURNS TABLE (team_id bigint, model text, key_id bigint, project_id bigint, provider text,
               account_id bigint, figures numeric[]) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT c.team_id, coalesce(c.served_model, ''''), coalesce(c.key_id, 0), coalesce(c.project_id, 0),'
        '       coalesce(c.provider, ''''), coalesce(c.account_id, 0), ARRAY[sum(c.repeat),'
        '       coalesce(sum(c.repeat) FILTER (WHERE c.outcome = ''blocked''), 0),'
        '       count(*) FILTER (WHERE c.outcome IN (''client_error'', ''upstream_error'', ''cut'','
        '                                            ''internal'')),'
        '       count(*) FILTER (WHERE c.fallback),'
        '       sum(c.input_tokens), sum(c.cached_input_tokens), sum(c.cache_write_5m_tokens),'
        '       sum(c.cache_write_1h_tokens), sum(c.audio_input_tokens), sum(c.image_input_tokens),'
        '       sum(c.output_tokens), sum(c.reasoning_tokens), sum(c.audio_output_tokens),'
        '       sum(c.image_output_tokens), sum(c.images), sum(c.seconds), sum(c.characters),'
        '       sum(c.pages), sum(c.searches), sum(c.requests), sum(c.charge_nano), sum(c.cost_nano),'
        '       count(*) FILTER (WHERE c.cache = ''hit''), sum(c.saved_nano)]'
        '  FROM %s c GROUP BY 1, 2, 3, 4, 5, 6', p_calls);
END
$$;
GRANT EXECUTE ON FUNCTION call_figures(regclass) TO tollgate_money;

-- The weeks that may be dropped, oldest first.
CREATE FUNCTION retention_weeks() RETURNS TABLE (week date) LANGUAGE sql STABLE AS $$
    SELECT w.week FROM (SELECT to_date(substring(c.relname FROM '^call_(\d{8})$'), 'YYYYMMDD') AS week
                          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                         WHERE i.inhparent = 'call'::regclass) w
     WHERE (w.week + 7)::timestamp AT TIME ZONE 'UTC' <= retention_cutoff()
     ORDER BY 1
$$;
GRANT EXECUTE ON FUNCTION retention_weeks() TO tollgate_app;
