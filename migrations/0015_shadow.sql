-- 0015_shadow: shadow traffic: a share of a model's calls is asked of another model too, to compare them.
--
-- Why: whether a model can take another's place is seen best with the calls that there are. What is asked
-- for that is no customer's: nobody of the team sees it or pays for it, so it is no row of `call`, where
-- each statement, export, invoice and roll-up would have to leave it out. It has a table of its own, which
-- only operators can read, and its cost is a sum of its own.
--
-- model_shadow  which model's calls are shadowed, how many of them, by which model
-- shadow_call   one row per shadow, as a call's, with the id of the call that it shadows
-- shadow_day    what shadows of a model have cost by day, and what those in flight may cost
--
-- The day's ceiling holds over all nodes, since each shadow of a model that has one takes the most that it
-- can cost out of the day's row before it is sent, and one row is locked by one transaction at a time. Its
-- settlement puts the cost in the place of that. A node that dies between the two leaves its part taken
-- until the day is over: less is shadowed then, never more. Only a provider that uses more than it was
-- allowed to can make a day dearer: its streams are cut at what was taken, its plain answers are not.
--
-- Lock order: rows of shadow_day by (model, day), after everything else.

CREATE TABLE model_shadow (
    model_id bigint PRIMARY KEY REFERENCES model,
    to_model_id bigint NOT NULL REFERENCES model CHECK (to_model_id <> model_id),
    permille integer NOT NULL CHECK (permille BETWEEN 1 AND 1000),
    day_nano bigint CHECK (day_nano BETWEEN 1 AND 1000000000000000),
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX model_shadow_to ON model_shadow (to_model_id);
COMMENT ON TABLE model_shadow IS 'Calls of model_id are asked of to_model_id too. Deleted when it ends; the audit log has them all.';
COMMENT ON COLUMN model_shadow.permille IS 'So many of a thousand calls.';
COMMENT ON COLUMN model_shadow.day_nano IS 'What its shadows may cost within a day (UTC); NULL: there is no ceiling.';
GRANT SELECT, INSERT, UPDATE, DELETE ON model_shadow TO tollgate_app;
GRANT SELECT ON model_shadow TO tollgate_money;

CREATE TABLE shadow_call (
    LIKE call INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    shadow_of uuid NOT NULL,
    shadowed_model_id bigint NOT NULL,
    PRIMARY KEY (call_id),
    CONSTRAINT shadow_is_free CHECK (charge_nano = 0 AND transfer_id IS NULL)
);
-- The page reads the shadows of one model by time; what is old leaves by time.
CREATE INDEX shadow_call_model ON shadow_call (shadowed_model_id, posted_at);
CREATE INDEX shadow_call_posted ON shadow_call USING brin (posted_at);
CREATE INDEX shadow_call_of ON shadow_call (shadow_of);
COMMENT ON TABLE shadow_call IS 'The shadows, with the columns of call, to which a migration that adds to those adds here. Written only by settle_shadows(), for operators only, kept for 90 days.';
COMMENT ON COLUMN shadow_call.team_id IS 'Whose call it shadows. The team sees and pays nothing of it.';
COMMENT ON COLUMN shadow_call.shadow_of IS 'The call that it shadows; that may have left (call_dropped).';
COMMENT ON COLUMN shadow_call.shadowed_model_id IS 'Whose call it shadows: the model of model_shadow. model_id is the one that was asked.';
COMMENT ON COLUMN shadow_call.hold_nano IS 'What it had taken out of its day; 0: there was no ceiling.';

CREATE TABLE shadow_day (
    model_id bigint NOT NULL REFERENCES model,
    day date NOT NULL,
    calls bigint NOT NULL DEFAULT 0,
    cost_nano bigint NOT NULL DEFAULT 0 CHECK (cost_nano >= 0),
    taken_nano bigint NOT NULL DEFAULT 0 CHECK (taken_nano >= 0),
    PRIMARY KEY (model_id, day)
) WITH (fillfactor = 40);
COMMENT ON TABLE shadow_day IS 'The shadows of a model summed up by the day (UTC) that they began on. Kept when their rows have left.';
COMMENT ON COLUMN shadow_day.taken_nano IS 'The most that those in flight can cost.';

-- Of operators alone, and of the system: not even the team whose call it was.
ALTER TABLE shadow_call ENABLE ROW LEVEL SECURITY;
ALTER TABLE shadow_call FORCE ROW LEVEL SECURITY;
CREATE POLICY operators ON shadow_call TO tollgate_app
    USING ((SELECT app_scope()) IN ('operator', 'system'));
DO $$
BEGIN
    EXECUTE format('CREATE POLICY owner ON shadow_call TO tollgate_money, %I USING (true) WITH CHECK (true)',
                   current_user);
END
$$;
CALL money_table('shadow_call');
GRANT DELETE ON shadow_call TO tollgate_money;
CALL money_table('shadow_day');

CREATE FUNCTION shadow_day_of(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE
    RETURN (at AT TIME ZONE 'UTC')::date;
GRANT EXECUTE ON FUNCTION shadow_day_of(timestamptz) TO tollgate_app, tollgate_money;

-- Takes the most that a shadow can cost out of the day that it begins on. False: the day has not as much
-- left, or the model's calls are shadowed no more.
CREATE FUNCTION shadow_take(p_model bigint, p_at timestamptz, p_nano bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    rule model_shadow;
BEGIN
    SELECT * INTO rule FROM model_shadow WHERE model_id = p_model;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO shadow_day (model_id, day) VALUES (p_model, shadow_day_of(p_at)) ON CONFLICT DO NOTHING;
    UPDATE shadow_day SET taken_nano = taken_nano + p_nano
     WHERE model_id = p_model AND day = shadow_day_of(p_at)
       AND (rule.day_nano IS NULL OR cost_nano + taken_nano + p_nano <= rule.day_nano);
    RETURN FOUND;
END
$$;
CALL money_function('shadow_take(bigint, timestamptz, bigint)');

-- Of a shadow that was not sent after all.
CREATE FUNCTION shadow_give_back(p_model bigint, p_at timestamptz, p_nano bigint) RETURNS void LANGUAGE sql AS $$
    UPDATE shadow_day SET taken_nano = greatest(taken_nano - p_nano, 0)
     WHERE model_id = p_model AND day = shadow_day_of(p_at)
$$;
CALL money_function('shadow_give_back(bigint, timestamptz, bigint)');

-- Lets those leave that nobody compares any more; how many did.
CREATE FUNCTION shadow_forget() RETURNS bigint LANGUAGE sql AS $$
    WITH gone AS (
        DELETE FROM shadow_call WHERE posted_at < now() - interval '90 days' RETURNING 1
    )
    SELECT count(*) FROM gone
$$;
CALL money_function('shadow_forget()');

-- Makes settle_shadows() from the columns of shadow_call: absent values come as NULL and are the columns'
-- defaults. A migration that adds a column calls this again.
CREATE PROCEDURE make_shadow_settlement() LANGUAGE plpgsql AS $make$
DECLARE
    col record;
    body text := $body$
DECLARE
    d record;
BEGIN
    FOR d IN
        WITH fresh AS (
            INSERT INTO shadow_call ({names}, posted_at)
            SELECT {vals}, clock_timestamp() FROM unnest(p_calls) c
            ON CONFLICT (call_id) DO NOTHING
            RETURNING shadowed_model_id, started_at, hold_nano, cost_nano
        )
        SELECT f.shadowed_model_id AS model, shadow_day_of(f.started_at) AS day, count(*) AS calls,
               add_up(f.hold_nano) AS hold, add_up(f.cost_nano) AS cost
          FROM fresh f GROUP BY 1, 2 ORDER BY 1, 2 LOOP
        INSERT INTO shadow_day AS s (model_id, day, calls, cost_nano) VALUES (d.model, d.day, d.calls, d.cost)
        ON CONFLICT (model_id, day) DO UPDATE
            SET calls = s.calls + excluded.calls, cost_nano = s.cost_nano + excluded.cost_nano,
                taken_nano = greatest(s.taken_nano - d.hold, 0);
    END LOOP;
END
$body$;
BEGIN
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS names,
           string_agg(CASE WHEN k.adbin IS NULL THEN format('c.%I', a.attname)
                           ELSE format('coalesce(c.%I, %s)', a.attname, pg_get_expr(k.adbin, k.adrelid)) END,
                      ', ' ORDER BY a.attnum) AS vals
      INTO col
      FROM pg_attribute a LEFT JOIN pg_attrdef k ON k.adrelid = a.attrelid AND k.adnum = a.attnum
     WHERE a.attrelid = 'shadow_call'::regclass AND a.attnum > 0 AND NOT a.attisdropped
       AND a.attname NOT IN ('posted_at', 'transfer_id');
    DROP FUNCTION IF EXISTS settle_shadows(shadow_call[]);
    EXECUTE format('CREATE FUNCTION settle_shadows(p_calls shadow_call[]) RETURNS void LANGUAGE plpgsql AS %L',
                   replace(replace(body, '{names}', col.names), '{vals}', col.vals));
    COMMENT ON FUNCTION settle_shadows(shadow_call[]) IS
        'Writes finished shadows and their days, each once, by its id; its text is made by make_shadow_settlement().';
    CALL money_function('settle_shadows(shadow_call[])');
END
$make$;
CALL make_shadow_settlement();

-- The rules of shadows, as ledger_findings() has those of the books: none is a customer's call or costs
-- one anything, and the days are their sums for as long as the rows are kept.
CREATE FUNCTION shadow_findings()
RETURNS TABLE (invariant text, team_id bigint, subject text, detail text) LANGUAGE sql STABLE AS $$
    (SELECT 'a shadow is nobody''s call', s.team_id, 'shadow ' || s.call_id,
            'is a call of the team''s too, charged ' || c.charge_nano
       FROM shadow_call s JOIN call c ON c.call_id = s.call_id LIMIT 100)
    UNION ALL
    (SELECT 'days of shadows are the shadows', NULL::bigint,
            'model ' || coalesce(d.model_id, s.model_id) || ' on ' || coalesce(d.day, s.day),
            'sums ' || coalesce(d.calls, 0) || ' calls, ' || coalesce(d.cost_nano, 0) || '; shadows '
            || coalesce(s.calls, 0) || ' calls, ' || coalesce(s.cost_nano, 0)
       FROM (SELECT * FROM shadow_day WHERE day > current_date - 80) d
       FULL JOIN (SELECT c.shadowed_model_id AS model_id, shadow_day_of(c.started_at) AS day, count(*) AS calls,
                         sum(c.cost_nano) AS cost_nano
                    FROM shadow_call c
                   WHERE c.started_at >= (current_date - 79)::timestamp AT TIME ZONE 'UTC' GROUP BY 1, 2) s
         ON s.model_id = d.model_id AND s.day = d.day
      WHERE coalesce(d.calls, 0) <> coalesce(s.calls, 0) OR coalesce(d.cost_nano, 0) <> coalesce(s.cost_nano, 0)
      LIMIT 100)
$$;
CALL money_function('shadow_findings()', false);

-- Why an answer ended, in the words that most providers share, so that two of them can be compared.
CREATE FUNCTION finish_class(reason text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE lower(reason)
               WHEN 'end_turn' THEN 'stop' WHEN 'stop_sequence' THEN 'stop' WHEN 'completed' THEN 'stop'
               WHEN 'complete' THEN 'stop' WHEN 'max_tokens' THEN 'length' WHEN 'incomplete' THEN 'length'
               WHEN 'tool_use' THEN 'tool_calls' WHEN 'tool_call' THEN 'tool_calls'
               WHEN 'function_call' THEN 'tool_calls' WHEN 'safety' THEN 'content_filter'
               WHEN 'refusal' THEN 'content_filter' ELSE lower(reason) END;
GRANT EXECUTE ON FUNCTION finish_class(text) TO tollgate_app;
