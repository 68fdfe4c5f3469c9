-- 0010_budget: what a team, a project or the keys of one member may spend in a day, a week, a month or
-- for good.
--
-- Why: a key's budget (0002) does not hold what ten keys do together. These are purses like it (0004):
-- a call draws on all that hold for its key, all or none. Here stands only what was chosen; what is
-- left is counted in the purse, which limits/ opens with the next call of each key.
--
-- Lock order: the budget's row, then the purse.

CREATE TABLE budget (
    team_id bigint NOT NULL REFERENCES team,
    id bigint GENERATED ALWAYS AS IDENTITY,
    scope text NOT NULL CHECK (scope IN ('team', 'project', 'user')),
    scope_id bigint NOT NULL,
    amount_nano bigint NOT NULL CHECK (amount_nano > 0),
    budget_window text NOT NULL CHECK (budget_window IN ('day', 'week', 'month', 'lifetime')),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (team_id, id),
    UNIQUE (team_id, scope, scope_id),
    CHECK (scope <> 'team' OR scope_id = team_id)
);
COMMENT ON TABLE budget IS 'Budgets of what is more than one key. Deleted when taken back; the audit log has them all.';
COMMENT ON COLUMN budget.scope IS 'user: the keys that this member owns, together.';
COMMENT ON COLUMN budget.scope_id IS 'Of the project or the person; of a team''s budget the team itself.';
COMMENT ON COLUMN budget.budget_window IS 'Windows of the team''s time zone; weeks begin on Monday.';
CALL tenant_table('budget');
GRANT SELECT, INSERT, UPDATE, DELETE ON budget TO tollgate_app;

-- A budget that was away for a while, and is set again, counts what was charged meanwhile. What was under
-- way without it at that moment it leaves out.
CREATE FUNCTION budget_recount(p_team bigint, p_scope text, p_scope_id bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM purse q WHERE q.team_id = p_team AND q.kind = 'budget' AND q.scope = p_scope
                           AND q.scope_id = p_scope_id FOR UPDATE;
    UPDATE purse q
       SET used = budget_spent(p_team, p_scope, p_scope_id,
                               CASE WHEN q.turns = 'never' THEN '-infinity' ELSE q.window_start END)
     WHERE q.team_id = p_team AND q.kind = 'budget' AND q.scope = p_scope AND q.scope_id = p_scope_id
       AND (q.turns = 'never' OR q.window_start > '-infinity');
END
$$;
CALL money_function('budget_recount(bigint, text, bigint)');
