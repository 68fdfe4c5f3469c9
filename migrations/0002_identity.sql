-- 0002_identity: people, teams, and everything by which somebody is let in.
--
-- Why: money and calls belong to a team, and a team is acted for by people with roles and by keys.
-- Secrets (session, key, invite and reset tokens, recovery codes) are stored as keyed digests only;
-- passwords as argon2id strings. A virtual key keeps its id through rotation, so that its log, limits and budget
-- go on; only its digest changes, and the one before may stay valid until overlap_until.
--
-- Who sees what: rows with a team_id as 0001 says; people are seen by themselves, by the members of
-- a team they share, by operators and by the system; under the scope 'user' a person also sees the
-- teams they belong to.

CREATE TABLE person (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    password_hash text,
    password_changed_at timestamptz NOT NULL DEFAULT now(),
    is_operator boolean NOT NULL DEFAULT false,
    disabled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX person_email ON person (email);
COMMENT ON TABLE person IS 'Somebody who can sign in. Never deleted, only disabled: logs and invoices name them.';
COMMENT ON COLUMN person.email IS 'Lower-cased; the name to sign in with.';
COMMENT ON COLUMN person.password_hash IS 'NULL: none was ever set; the identity provider signs in.';
COMMENT ON COLUMN person.is_operator IS 'Runs the installation: sees every team, providers, prices.';

CREATE TABLE team (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    time_zone text NOT NULL,
    frozen_at timestamptz,
    frozen_reason text NOT NULL DEFAULT '',
    demo boolean NOT NULL DEFAULT false,
    legal_name text NOT NULL DEFAULT '' CHECK (length(legal_name) <= 200),
    address text NOT NULL DEFAULT '' CHECK (length(address) <= 600),
    country text NOT NULL DEFAULT '' CHECK (country ~ '^([A-Z]{2})?$'),
    tax_id text NOT NULL DEFAULT '' CHECK (length(tax_id) <= 60),
    billing_email text NOT NULL DEFAULT '' CHECK (length(billing_email) <= 254),
    cache_cleared_at timestamptz NOT NULL DEFAULT now(),
    shadow_opt_out boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX team_demo ON team (demo) WHERE demo;
COMMENT ON TABLE team IS 'The customer: owns a wallet, keys, calls and invoices.';
COMMENT ON COLUMN team.time_zone IS 'Days and months of usage and invoices are cut in it.';
COMMENT ON COLUMN team.frozen_at IS 'Since when an operator has stopped all calls; NULL: not frozen.';
COMMENT ON COLUMN team.demo IS 'The team made at the first start; at most one.';
COMMENT ON COLUMN team.cache_cleared_at IS 'Answers that nodes keep from before are not given any more.';
COMMENT ON COLUMN team.shadow_opt_out IS 'The team refuses that its calls are asked of a second model for comparison (0015_shadow).';
COMMENT ON COLUMN team.legal_name IS 'Buyer block of invoices, with address, country, tax_id, billing_email.';

CREATE TABLE member (
    team_id bigint NOT NULL REFERENCES team,
    user_id bigint NOT NULL REFERENCES person,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'developer', 'viewer')),
    joined_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX member_user ON member (user_id);
COMMENT ON TABLE member IS 'Who belongs to which team, as what. Every team keeps at least one owner.';

CREATE TABLE project (
    team_id bigint NOT NULL REFERENCES team,
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    archived_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (team_id, id)
);
CREATE UNIQUE INDEX project_name ON project (team_id, lower(name)) WHERE archived_at IS NULL;
COMMENT ON TABLE project IS 'A label inside a team that keys and spend group by: app, environment, customer.';

CREATE TABLE api_key (
    team_id bigint NOT NULL REFERENCES team,
    id bigint GENERATED ALWAYS AS IDENTITY,
    project_id bigint,
    owner_user_id bigint REFERENCES person,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    prefix text NOT NULL,
    last4 text NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    previous_digest bytea CHECK (length(previous_digest) = 32),
    overlap_until timestamptz,
    models text[] NOT NULL DEFAULT '{}',
    addresses text[] NOT NULL DEFAULT '{}',
    expires_at timestamptz,
    rpm bigint CHECK (rpm > 0),
    tpm bigint CHECK (tpm > 0),
    concurrency bigint CHECK (concurrency > 0),
    budget_nano bigint CHECK (budget_nano > 0),
    budget_window text CHECK (budget_window IN ('day', 'week', 'month', 'lifetime')),
    tags jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(tags) = 'object'),
    cache_seconds integer NOT NULL DEFAULT 0 CHECK (cache_seconds BETWEEN 0 AND 604800),
    cache_own boolean NOT NULL DEFAULT false,
    cache_similarity_bp integer CHECK (cache_similarity_bp BETWEEN 5000 AND 10000),
    disabled_at timestamptz,
    deleted_at timestamptz,
    rotated_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES project (team_id, id),
    CHECK ((budget_nano IS NULL) = (budget_window IS NULL)),
    CHECK ((previous_digest IS NULL) = (overlap_until IS NULL))
);
CREATE UNIQUE INDEX api_key_digest ON api_key (digest);
CREATE UNIQUE INDEX api_key_previous_digest ON api_key (previous_digest);
COMMENT ON TABLE api_key IS 'Virtual keys (tg-...). Deleted ones stay as rows, for the names in logs and invoices.';
COMMENT ON COLUMN api_key.prefix IS 'First characters of the secret, with last4 all that can be shown again.';
COMMENT ON COLUMN api_key.digest IS 'Keyed BLAKE2b-256 of the whole secret.';
COMMENT ON COLUMN api_key.previous_digest IS 'Of the secret before the last rotation; accepted until overlap_until.';
COMMENT ON COLUMN api_key.models IS 'Public model names that the key may use; empty: all.';
COMMENT ON COLUMN api_key.addresses IS 'CIDR blocks that it may be used from; empty: any.';
COMMENT ON COLUMN api_key.rpm IS 'Requests per minute; NULL: no limit. Likewise tpm (tokens) and concurrency.';
COMMENT ON COLUMN api_key.cache_seconds IS 'How old a kept answer may be that a call of the key gets again; 0: answers are not kept. cache_own: only answers to its own calls, else those of the team''s keys.';
COMMENT ON COLUMN api_key.cache_similarity_bp IS 'How near a kept answer''s question has to be, in hundredths of a percent of the cosine, to be given for another one; NULL: only to the same question.';
COMMENT ON COLUMN api_key.tags IS 'Names and values that every call of the key carries.';

CREATE TABLE management_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id bigint REFERENCES team,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    role text NOT NULL CHECK (role IN ('admin', 'billing', 'developer', 'viewer', 'operator')),
    prefix text NOT NULL,
    last4 text NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    created_by bigint REFERENCES person,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    CHECK ((team_id IS NULL) = (role = 'operator'))
);
CREATE UNIQUE INDEX management_key_digest ON management_key (digest);
CREATE INDEX management_key_team ON management_key (team_id);
COMMENT ON TABLE management_key IS 'Keys of the management API (tgm-...): of one team with a role, or of the whole installation (team_id NULL, role operator).';

CREATE TABLE session (
    digest bytea PRIMARY KEY CHECK (length(digest) = 32),
    id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    user_id bigint NOT NULL REFERENCES person,
    team_id bigint REFERENCES team,
    address text NOT NULL DEFAULT '',
    user_agent text NOT NULL DEFAULT '',
    by_provider boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_person ON session (user_id);
CREATE INDEX session_expires ON session (expires_at);
COMMENT ON TABLE session IS 'Who is signed in. team_id is the team that the dashboard shows.';
COMMENT ON COLUMN session.id IS 'Names the session on the page that lists and ends them; the digest never leaves the database.';
COMMENT ON COLUMN session.by_provider IS 'The identity provider said who it is; signing out signs out there as well.';
COMMENT ON COLUMN session.expires_at IS 'The absolute end; the idle end is counted from seen_at.';

CREATE TABLE invite (
    team_id bigint NOT NULL REFERENCES team,
    id bigint GENERATED ALWAYS AS IDENTITY,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'billing', 'developer', 'viewer')),
    email text,
    created_by bigint REFERENCES person,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    used_by bigint REFERENCES person,
    revoked_at timestamptz,
    PRIMARY KEY (team_id, id)
);
CREATE UNIQUE INDEX invite_digest ON invite (digest);
COMMENT ON TABLE invite IS 'Links by which somebody joins a team, once.';
COMMENT ON COLUMN invite.email IS 'When set, only the person with this e-mail may use it.';

CREATE TABLE reset_token (
    digest bytea PRIMARY KEY CHECK (length(digest) = 32),
    user_id bigint NOT NULL REFERENCES person,
    created_by bigint REFERENCES person,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX reset_token_user ON reset_token (user_id);
COMMENT ON TABLE reset_token IS 'Password reset links; one per person at most, gone when used or when the password changes.';

CREATE TABLE second_factor (
    user_id bigint PRIMARY KEY REFERENCES person,
    sealed_secret bytea NOT NULL,
    last_step bigint NOT NULL DEFAULT 0,
    made_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz
);
COMMENT ON TABLE second_factor IS 'What signing in asks for beside the password: codes that an app makes of this secret and the time.';
COMMENT ON COLUMN second_factor.sealed_secret IS 'Sealed under the installation''s secret; opens for its person only.';
COMMENT ON COLUMN second_factor.last_step IS 'The step of 30 s whose code was taken last: its code and older ones are not taken again.';
COMMENT ON COLUMN second_factor.confirmed_at IS 'Since when it is asked for; NULL: its person has not shown yet that the app has it.';

CREATE TABLE recovery_code (
    user_id bigint NOT NULL REFERENCES second_factor ON DELETE CASCADE,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (user_id, digest)
);
COMMENT ON TABLE recovery_code IS 'Codes that stand for the app''s, once each, for whoever has lost it; gone when used.';

CREATE TABLE federated_identity (
    issuer text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 2000),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    user_id bigint NOT NULL REFERENCES person,
    email text,
    made_operator boolean NOT NULL DEFAULT false,
    linked_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);
CREATE UNIQUE INDEX federated_identity_user ON federated_identity (user_id, issuer);
COMMENT ON TABLE federated_identity IS 'Whom the identity provider means by a subject. It is named by issuer and subject alone: e-mails change hands.';
COMMENT ON COLUMN federated_identity.email IS 'As the provider last told it; to be shown.';
COMMENT ON COLUMN federated_identity.made_operator IS 'By a group at the provider: leaving it ends that. Who was made an operator here stays one.';

CREATE TABLE login_attempt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    account text NOT NULL,
    address text NOT NULL,
    good boolean NOT NULL DEFAULT false
);
CREATE INDEX login_attempt_account ON login_attempt (account, at);
CREATE INDEX login_attempt_address ON login_attempt (address, at);
CREATE INDEX login_attempt_at ON login_attempt (at);
COMMENT ON TABLE login_attempt IS 'Every try to sign in, sign up or use a reset link, counted against the limits before it is looked at.';
COMMENT ON COLUMN login_attempt.account IS 'The e-mail that was typed, lower-cased, known or not; empty where none is (counted by address only).';

-- Counts this try in and says after how many seconds it may be made (0: now). The locks are taken
-- in one order and held until commit, so that a hundred tries at once pass the limits no better
-- than one by one. An address that has signed in to the account within 30 days is counted by
-- itself, so that strangers cannot lock the owner out.
CREATE FUNCTION login_admit(p_account text, p_address text, OUT attempt_id bigint,
                            OUT retry_after_s integer)
LANGUAGE plpgsql AS $$
DECLARE
    known boolean;
    account_oldest timestamptz;
    address_oldest timestamptz;
    free_at timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('login_address ' || p_address, 0));
    IF p_account <> '' THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('login_account ' || p_account, 0));
    END IF;
    SELECT t.at INTO address_oldest FROM login_attempt t
     WHERE t.address = p_address AND t.at > clock_timestamp() - interval '1 minute'
     ORDER BY t.at DESC OFFSET 19 LIMIT 1;
    IF p_account <> '' THEN
        known := EXISTS (SELECT FROM login_attempt t
                          WHERE t.account = p_account AND t.address = p_address AND t.good
                            AND t.at > clock_timestamp() - interval '30 days');
        SELECT t.at INTO account_oldest FROM login_attempt t
         WHERE t.account = p_account AND NOT t.good
           AND t.at > clock_timestamp() - interval '15 minutes'
           AND (NOT known OR t.address = p_address)
         ORDER BY t.at DESC OFFSET 4 LIMIT 1;
    END IF;
    free_at := greatest(address_oldest + interval '1 minute',
                        account_oldest + interval '15 minutes');
    retry_after_s := CASE WHEN free_at IS NULL THEN 0 ELSE
        greatest(1, ceil(extract(epoch FROM free_at - clock_timestamp())))::integer END;
    IF retry_after_s = 0 THEN
        INSERT INTO login_attempt (account, address) VALUES (p_account, p_address)
        RETURNING id INTO attempt_id;
    END IF;
END
$$;
COMMENT ON FUNCTION login_admit(text, text) IS 'Five failures per account and 15 minutes, 20 tries per address and minute.';
GRANT EXECUTE ON FUNCTION login_admit(text, text) TO tollgate_app;

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id bigint,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'operator', 'key', 'system')),
    actor_id bigint,
    actor_name text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    before jsonb,
    after jsonb,
    address text NOT NULL DEFAULT ''
);
CREATE INDEX audit_team ON audit (team_id, id);
COMMENT ON TABLE audit IS 'Every change by anyone. team_id NULL: a change to the installation, seen by operators only.';
COMMENT ON COLUMN audit.actor_kind IS 'user and operator: actor_id is a person; key: a management key; system: NULL.';
COMMENT ON COLUMN audit.action IS 'noun.verb, such as key.mint.';
COMMENT ON COLUMN audit.object IS 'What was changed: kind, colon, id, such as key:12.';

CALL tenant_table('team', 'id');
CALL tenant_table('member');
CALL tenant_table('project');
CALL tenant_table('api_key');
CALL tenant_table('management_key');
CALL tenant_table('invite');
CALL tenant_table('audit');
CALL append_only('audit');

CREATE POLICY own ON member FOR SELECT TO tollgate_app
    USING (app_scope() = 'user' AND user_id = app_user());
CREATE POLICY own ON team FOR SELECT TO tollgate_app
    USING (app_scope() = 'user'
           AND EXISTS (SELECT FROM member WHERE member.team_id = team.id
                                            AND member.user_id = app_user()));

ALTER TABLE person ENABLE ROW LEVEL SECURITY;
ALTER TABLE person FORCE ROW LEVEL SECURITY;
CREATE POLICY known ON person FOR SELECT TO tollgate_app
    USING (app_scope() IN ('operator', 'system') OR id = app_user()
           OR EXISTS (SELECT FROM member WHERE member.user_id = person.id
                                           AND member.team_id = app_team()));
CREATE POLICY own ON person TO tollgate_app
    USING (app_scope() IN ('operator', 'system') OR id = app_user())
    WITH CHECK (app_scope() IN ('operator', 'system') OR id = app_user());
DO $$
BEGIN
    EXECUTE format('CREATE POLICY owner ON person TO tollgate_money, %I'
                   ' USING (true) WITH CHECK (true)', current_user);
END
$$;

GRANT SELECT, INSERT, UPDATE ON person, team, project, api_key, management_key, invite
    TO tollgate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON member, session, reset_token, login_attempt, second_factor,
    federated_identity
    TO tollgate_app;
GRANT SELECT, INSERT, DELETE ON recovery_code TO tollgate_app;
GRANT SELECT, INSERT ON audit TO tollgate_app;
GRANT SELECT ON team, person, project, api_key TO tollgate_money;
