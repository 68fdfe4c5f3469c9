-- 0013_guardrail: what texts of requests and answers are looked through for, and what becomes of a finding.
--
-- Why: what a team must not send to a provider, or get from one, is told once, and not in each of its
-- programs. Nodes read the rules of a key with the key (server/guard/), so a rule that is changed tells
-- them as a changed key does. What was found stands nowhere; calls say which rules found something.
--
-- Lock order: the team's row (of the installation's rules: the installation's), then the rule.

CREATE TABLE guardrail (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id bigint REFERENCES team,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9 ._-]{1,40}$' AND name <> 'any'),
    finds text[] NOT NULL DEFAULT '{}' CHECK (finds <@ '{email,card,iban,ssn,ip,secret}'),
    words text[] NOT NULL DEFAULT '{}' CHECK (cardinality(words) <= 100),
    patterns text[] NOT NULL DEFAULT '{}' CHECK (cardinality(patterns) <= 10),
    on_request boolean NOT NULL,
    on_answer boolean NOT NULL,
    action text NOT NULL CHECK (action IN ('log', 'redact', 'block')),
    project_id bigint,
    key_id bigint,
    disabled boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (team_id, project_id) REFERENCES project,
    FOREIGN KEY (team_id, key_id) REFERENCES api_key,
    CHECK (on_request OR on_answer),
    CHECK (cardinality(finds) + cardinality(words) + cardinality(patterns) > 0),
    CHECK (project_id IS NULL OR key_id IS NULL),
    CHECK (team_id IS NOT NULL OR project_id IS NULL AND key_id IS NULL)
);
CREATE UNIQUE INDEX guardrail_name ON guardrail (coalesce(team_id, 0), lower(name));
COMMENT ON TABLE guardrail IS 'Rules of a team, and of the installation. Deleted when taken back; the audit log has them all.';
COMMENT ON COLUMN guardrail.team_id IS 'NULL: of the installation, it holds for every team, each sees it and none can change it.';
COMMENT ON COLUMN guardrail.finds IS 'Kinds of findings (server/guard/detect.h).';
COMMENT ON COLUMN guardrail.words IS 'Words and phrases, whole and in any letter case.';
COMMENT ON COLUMN guardrail.patterns IS 'Regular expressions (PCRE2), tried before they were saved.';
COMMENT ON COLUMN guardrail.project_id IS 'Only calls of its keys; NULL: of any. Likewise key_id: only calls of that key.';
CALL tenant_table('guardrail');
CREATE POLICY everybody ON guardrail FOR SELECT TO tollgate_app USING (team_id IS NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON guardrail TO tollgate_app;
