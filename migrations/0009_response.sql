-- 0009_response: answers that are kept for their clients (OpenAI's Responses API with `store`).
--
-- Why: a client of that API may name an answer and go on from it, or look at it again, later and from
-- elsewhere. Where a provider of another format serves the call, or another account than before,
-- nobody but this gateway can remember it. What was said is the team's own: nothing is kept unless the
-- team turns it on, and then for as long as it says.
--
-- A row carries the whole conversation before its answer, so that the next call reads one row and not
-- a chain of them, and a row that was deleted or is over breaks nothing that came after it.

ALTER TABLE team ADD COLUMN response_days integer NOT NULL DEFAULT 0 CHECK (response_days BETWEEN 0 AND 30);
COMMENT ON COLUMN team.response_days IS 'How long responses are kept for the clients of the team; 0: they are not.';

CREATE TABLE stored_response (
    team_id bigint NOT NULL REFERENCES team,
    id text NOT NULL CHECK (length(id) BETWEEN 1 AND 200),
    key_id bigint NOT NULL,
    call_id uuid NOT NULL,
    model text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    response bytea NOT NULL,
    input bytea NOT NULL,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, key_id) REFERENCES api_key (team_id, id)
);
CREATE INDEX stored_response_expires ON stored_response (expires_at);
COMMENT ON TABLE stored_response IS 'Answers of POST /v1/responses, until they are over or deleted by a client.';
COMMENT ON COLUMN stored_response.id IS 'As the client got it: the provider''s own id, or one of ours.';
COMMENT ON COLUMN stored_response.key_id IS 'The key that it was made with. Every key of the team may read it.';
COMMENT ON COLUMN stored_response.call_id IS 'The call that made it; the call itself may have left the log.';
COMMENT ON COLUMN stored_response.expires_at IS 'From then on nobody gets it, whether or not the row is still there.';
COMMENT ON COLUMN stored_response.response IS 'The response object, the bytes that the client got.';
COMMENT ON COLUMN stored_response.input IS 'A JSON array: the items of the whole conversation before the answer.';

CALL tenant_table('stored_response');
GRANT SELECT, INSERT, UPDATE, DELETE ON stored_response TO tollgate_app;

-- A team that keeps responses for a shorter time, or no longer, means those that it has, too.
CREATE FUNCTION response_days_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE stored_response SET expires_at = created_at + NEW.response_days * interval '24 hours'
     WHERE team_id = NEW.id AND expires_at > created_at + NEW.response_days * interval '24 hours';
    RETURN NULL;
END
$$;
CREATE TRIGGER response_days_changed AFTER UPDATE OF response_days ON team
    FOR EACH ROW WHEN (NEW.response_days < OLD.response_days) EXECUTE FUNCTION response_days_changed();
