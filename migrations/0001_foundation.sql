-- 0001_foundation: who may do what, and the conventions that every later migration builds on.
--
-- Why: the server runs as a role that owns nothing, sees only the rows of the team it acts for, and
-- moves money only through functions. That has to be so from the first table on.
--
-- Roles (cluster-wide, made here if missing):
--   the owner        whoever runs the migrations (`tollgate_owner` in the embedded cluster)
--   tollgate_app     LOGIN, what `tollgate serve` connects as; owns nothing, no BYPASSRLS
--   tollgate_money   NOLOGIN, owns the functions that move money; tollgate_app is not a member
--
-- What a later migration may call:
--   app_team() bigint, app_user() bigint, app_scope() text
--        who the running transaction acts for (SET LOCAL app.team, app.user, app.scope; db/tx.c);
--        NULL when unset. Scopes: 'team', 'operator', 'system', 'user'.
--   CALL tenant_table('NAME' [, 'TEAM_COLUMN'])
--        row-level security, ENABLE and FORCE, with the standard policies: tollgate_app sees and
--        writes rows where TEAM_COLUMN (default team_id) = app_team() or the scope is operator or
--        system; tollgate_money and the owner see all. Gives no privileges: GRANT them.
--   CALL money_table('NAME')
--        tollgate_app may SELECT, tollgate_money may SELECT, INSERT, UPDATE; nobody else anything.
--   CALL money_function('NAME(ARGTYPES)' [, false])
--        owned by tollgate_money, SECURITY DEFINER, search_path pinned, EXECUTE for tollgate_app
--        (false: for other money functions only).
--   CALL append_only('NAME')
--        UPDATE, DELETE and TRUNCATE are refused for everybody (SQLSTATE TG900).
--   note_change('key:12' | 'team:3' | 'answers:3' | 'catalogue' | 'settings' | 'all')
--        tells every node what to forget (db/notify.c). Takes the one row of change_epoch until
--        commit: call it last, and never in a transaction that moves money.
--
-- Conventions: ids are `bigint GENERATED ALWAYS AS IDENTITY`, so that no sequence needs a grant;
-- amounts are bigint nano-dollars, columns end in _nano; times are timestamptz, columns end in _at.
-- New functions and procedures are executable by nobody but their owner until GRANTed (default
-- privileges below). Functions that refuse something raise SQLSTATE class TG, which the server
-- hands to the caller as DB_E_REFUSED. Every query names the team itself too (team_id = $1): the
-- policy guards, it is not the index condition.

DO $roles$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tollgate_app') THEN
        CREATE ROLE tollgate_app LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tollgate_money') THEN
        CREATE ROLE tollgate_money NOLOGIN;
    END IF;
    IF pg_has_role('tollgate_app', 'tollgate_money', 'MEMBER') THEN
        RAISE EXCEPTION 'tollgate_app must not be a member of tollgate_money';
    END IF;
    IF NOT pg_has_role(current_user, 'tollgate_money', 'MEMBER') THEN
        EXECUTE format('GRANT tollgate_money TO %I', current_user);
    END IF;
END
$roles$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO tollgate_app, tollgate_money;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- Written by the migration runner before this file runs; serve compares it with its own files.
GRANT SELECT ON migration TO tollgate_app;

CREATE FUNCTION app_team() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.team', true), '')::bigint;
CREATE FUNCTION app_user() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.user', true), '')::bigint;
CREATE FUNCTION app_scope() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.scope', true), '');
GRANT EXECUTE ON FUNCTION app_team(), app_user(), app_scope() TO tollgate_app, tollgate_money;
COMMENT ON FUNCTION app_team() IS 'The team the transaction acts for; NULL when unset.';
COMMENT ON FUNCTION app_user() IS 'The user the transaction acts for; NULL when unset.';
COMMENT ON FUNCTION app_scope() IS 'team, operator, system or user; NULL when unset: no tenant row is visible.';

-- Who is asking is looked up once a statement (the sub-selects), not once a row. CASE rather than OR:
-- the planner takes one for half of the rows and the other for nearly none, and sorts what it had better
-- hash.
CREATE PROCEDURE tenant_table(tab regclass, team_column name DEFAULT 'team_id')
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tab);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tab);
    EXECUTE format('CREATE POLICY tenant ON %s TO tollgate_app'
                   ' USING (CASE WHEN %I = (SELECT app_team()) THEN true'
                   '        ELSE (SELECT app_scope()) IN (''operator'', ''system'') END)'
                   ' WITH CHECK (%I = app_team() OR app_scope() IN (''operator'', ''system''))',
                   tab, team_column, team_column);
    EXECUTE format('CREATE POLICY owner ON %s TO tollgate_money, %I USING (true) WITH CHECK (true)',
                   tab, current_user);
END
$$;

CREATE PROCEDURE money_table(tab regclass)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, tollgate_app', tab);
    EXECUTE format('GRANT SELECT ON %s TO tollgate_app', tab);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %s TO tollgate_money', tab);
END
$$;

-- ALTER ... OWNER TO asks that the new owner may CREATE in the schema; it may for that moment only.
CREATE PROCEDURE money_function(fn regprocedure, for_app boolean DEFAULT true)
LANGUAGE plpgsql AS $$
BEGIN
    GRANT CREATE ON SCHEMA public TO tollgate_money;
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = public, pg_temp', fn);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', fn);
    IF for_app THEN
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO tollgate_app', fn);
    END IF;
    EXECUTE format('ALTER FUNCTION %s OWNER TO tollgate_money', fn);
    REVOKE CREATE ON SCHEMA public FROM tollgate_money;
END
$$;

CREATE FUNCTION append_only_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'TG900';
END
$$;

CREATE TABLE guarded_table (tab regclass PRIMARY KEY);
COMMENT ON TABLE guarded_table IS 'The tables whose rows are never changed or deleted; a check looks at their guards.';

-- Partitions get the triggers for rows from their table, but not this one.
CREATE PROCEDURE append_only_truncate(tab regclass)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER append_only_all BEFORE TRUNCATE ON %s'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION append_only_refuse()', tab);
END
$$;

CREATE PROCEDURE append_only(tab regclass)
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO guarded_table VALUES (tab);
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM PUBLIC, tollgate_app, tollgate_money',
                   tab);
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %s'
                   ' FOR EACH ROW EXECUTE FUNCTION append_only_refuse()', tab);
    CALL append_only_truncate(tab);
END
$$;

CREATE TABLE change_epoch (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch bigint NOT NULL
);
COMMENT ON TABLE change_epoch IS 'One row: how often anything changed that nodes keep in memory. Polled by each node as the backstop of NOTIFY.';
INSERT INTO change_epoch (epoch) VALUES (1);
GRANT SELECT ON change_epoch TO tollgate_app;

-- The message is "EPOCH PAYLOAD", so that a listener sees whether it missed one.
CREATE FUNCTION note_change(payload text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    now_at bigint;
BEGIN
    UPDATE change_epoch SET epoch = epoch + 1 RETURNING epoch INTO now_at;
    PERFORM pg_notify('tollgate_change', now_at || ' ' || payload);
END
$$;
GRANT EXECUTE ON FUNCTION note_change(text) TO tollgate_app, tollgate_money;

CREATE TABLE installation (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    created_at timestamptz NOT NULL DEFAULT now(),
    secret_fingerprint bytea CHECK (length(secret_fingerprint) = 32),
    sandbox boolean NOT NULL DEFAULT false,
    time_zone text NOT NULL DEFAULT 'UTC',
    invoice_prefix text NOT NULL DEFAULT 'TG' CHECK (invoice_prefix ~ '^[A-Z0-9]{1,8}$'),
    seller_name text NOT NULL DEFAULT '',
    seller_address text NOT NULL DEFAULT '',
    seller_country text NOT NULL DEFAULT '',
    seller_tax_id text NOT NULL DEFAULT '',
    seller_email text NOT NULL DEFAULT '',
    seller_note text NOT NULL DEFAULT '',
    own_fee_bp integer NOT NULL DEFAULT 0 CHECK (own_fee_bp BETWEEN 0 AND 10000),
    own_base_urls boolean NOT NULL DEFAULT true,
    similarity_model text CHECK (length(similarity_model) BETWEEN 1 AND 200)
);
COMMENT ON TABLE installation IS 'One row: what this installation is, and the seller block of its invoices.';
COMMENT ON COLUMN installation.secret_fingerprint IS 'Fingerprint of SECRET_FILE, set by the first start; a node with another secret refuses to start.';
COMMENT ON COLUMN installation.sandbox IS 'Card payments are played, not made.';
COMMENT ON COLUMN installation.time_zone IS 'The time zone that new teams get.';
COMMENT ON COLUMN installation.seller_note IS 'Free lines at the foot of invoices: bank account, register number.';
COMMENT ON COLUMN installation.own_fee_bp IS 'What a call costs that a team''s own key at a provider served: hundredths of a percent of what the list price comes to.';
COMMENT ON COLUMN installation.own_base_urls IS 'Teams'' own keys may name a server of the team''s choice; false: they are for the providers'' usual addresses, and those that name another are not used.';
COMMENT ON COLUMN installation.similarity_model IS 'The embedding model, by name, that compares questions for kept answers (api_key.cache_similarity_bp); NULL: none are compared.';
INSERT INTO installation DEFAULT VALUES;
GRANT SELECT ON installation TO tollgate_app;
GRANT UPDATE (sandbox, time_zone, invoice_prefix, seller_name, seller_address, seller_country,
              seller_tax_id, seller_email, seller_note, own_fee_bp, own_base_urls, similarity_model) ON installation TO tollgate_app;

-- True when this is the installation's secret; the first caller's becomes it.
CREATE FUNCTION installation_claim_secret(fingerprint bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE installation SET secret_fingerprint = fingerprint WHERE secret_fingerprint IS NULL;
    RETURN (SELECT secret_fingerprint = fingerprint FROM installation);
END
$$;
GRANT EXECUTE ON FUNCTION installation_claim_secret(bytea) TO tollgate_app;

CREATE TABLE setting (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    value text NOT NULL CHECK (length(value) <= 65536),
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by bigint
);
COMMENT ON TABLE setting IS 'What operators set at run time; everything needed before the database is reached is configuration instead.';
COMMENT ON COLUMN setting.changed_by IS 'User id of the operator; NULL when made by the system.';
GRANT SELECT, INSERT, UPDATE, DELETE ON setting TO tollgate_app;
