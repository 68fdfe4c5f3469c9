-- 0003_catalog: what is sold, from where, and for how much.
--
-- Why: the gateway routes from an immutable snapshot of these tables (server/catalog/snapshot.h),
-- loaded whole in one transaction. Everything here is small (hundreds of rows, not millions) and is
-- changed by operators only; what a node must forget is told by note_change('catalogue').
--
-- A model is a public name. A target is one way to serve it: a provider account and the name that
-- the upstream knows the model by. An offer is knowledge without credentials: "a provider of this
-- kind sells this model under that name"; adding an account turns its offers into targets.
-- Prices never change: a new version is a new row, in force from effective_from on, and of several
-- in force the newest (effective_from, then id) counts. A price is for one target, or for all
-- targets at one provider kind, or for the whole model. An operator's price goes before imported
-- ones, and of those that are left the most exact counts.

CREATE TABLE provider_account (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id bigint REFERENCES team (id),
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9._-]{0,39}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    base_url text NOT NULL DEFAULT '' CHECK (length(base_url) <= 2000),
    region text NOT NULL DEFAULT '' CHECK (length(region) <= 100),
    project text NOT NULL DEFAULT '' CHECK (length(project) <= 100),
    key_sealed bytea CHECK (length(key_sealed) <= 32768),
    key_last4 text NOT NULL DEFAULT '' CHECK (length(key_last4) <= 4),
    extra_headers jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(extra_headers) = 'object'),
    network text NOT NULL DEFAULT 'public' CHECK (network IN ('public', 'private')),
    data_policy text NOT NULL DEFAULT 'unknown'
        CHECK (data_policy IN ('unknown', 'no_training', 'no_retention')),
    own_only boolean NOT NULL DEFAULT false,
    enabled boolean NOT NULL DEFAULT true,
    priority integer NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 1000),
    weight integer NOT NULL DEFAULT 100 CHECK (weight BETWEEN 1 AND 1000),
    rpm bigint CHECK (rpm > 0),
    tpm bigint CHECK (tpm > 0),
    last_ok_at timestamptz,
    last_error_at timestamptz,
    last_error text NOT NULL DEFAULT '' CHECK (length(last_error) <= 300),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint,
    changed_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CHECK (team_id IS NULL OR network = 'public'),
    CHECK (team_id IS NOT NULL OR NOT own_only)
);
COMMENT ON TABLE provider_account IS 'One credential at one upstream. Never deleted, since calls name it.';
COMMENT ON COLUMN provider_account.team_id IS 'NULL: the installation''s; else that team''s own key.';
COMMENT ON COLUMN provider_account.kind IS 'A kind of server/providers/provider_table.c; a row of a kind that is not known there is not used.';
COMMENT ON COLUMN provider_account.base_url IS 'Empty: the kind''s own, or for kind demo the node''s own demo upstream.';
COMMENT ON COLUMN provider_account.region IS 'For kinds whose address or signature has one; else empty. So is project.';
COMMENT ON COLUMN provider_account.key_sealed IS 'Sealed under the installation''s secret, bound to this id; NULL: none is needed.';
COMMENT ON COLUMN provider_account.extra_headers IS 'Names and values sent with every request; shown to operators, so not the place for a secret.';
COMMENT ON COLUMN provider_account.network IS 'private allows loopback and private addresses; never for a team''s own.';
COMMENT ON COLUMN provider_account.data_policy IS 'What an operator says that the provider does with what it is sent; requests may ask for one.';
COMMENT ON COLUMN provider_account.own_only IS 'Of a team''s own: the models that it serves never fall back to the installation''s accounts while it is enabled.';
COMMENT ON COLUMN provider_account.priority IS 'Lower is tried first, behind the target''s own priority.';
COMMENT ON COLUMN provider_account.weight IS 'Multiplied with the target''s weight.';
CREATE UNIQUE INDEX provider_account_name ON provider_account (team_id, lower(name))
    NULLS NOT DISTINCT WHERE deleted_at IS NULL;
CALL tenant_table('provider_account');
GRANT SELECT, INSERT ON provider_account TO tollgate_app;
GRANT UPDATE (name, base_url, region, project, key_sealed, key_last4, extra_headers, network, data_policy,
              own_only, enabled, priority, weight, rpm, tpm, last_ok_at, last_error_at, last_error, changed_at, deleted_at)
    ON provider_account TO tollgate_app;

CREATE TABLE model (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$'),
    kind text NOT NULL CHECK (kind IN ('chat', 'embedding', 'completion', 'image', 'speech',
                                           'transcription', 'moderation', 'rerank', 'ocr', 'video')),
    vendor text NOT NULL CHECK (length(vendor) BETWEEN 1 AND 60),
    family text NOT NULL CHECK (family ~ '^[a-z][a-z0-9-]{0,39}$'),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 1000),
    context_tokens bigint CHECK (context_tokens BETWEEN 1 AND 1000000000),
    max_output_tokens bigint CHECK (max_output_tokens BETWEEN 1 AND 1000000000),
    media_tokens bigint NOT NULL DEFAULT 4096 CHECK (media_tokens BETWEEN 0 AND 10000000),
    capabilities text[],
    demo boolean NOT NULL DEFAULT false,
    enabled boolean NOT NULL DEFAULT false,
    strategy text NOT NULL DEFAULT 'priority'
        CHECK (strategy IN ('priority', 'weighted', 'cheapest', 'fastest')),
    triggers text[] NOT NULL DEFAULT
        '{connect,timeout,rate_limited,server_error,bad_reply,credential,context_length}'
        CHECK (triggers <@ '{connect,timeout,rate_limited,server_error,bad_reply,credential,
                             context_length,content_policy}'::text[]),
    max_attempts integer NOT NULL DEFAULT 4 CHECK (max_attempts BETWEEN 1 AND 16),
    retries integer NOT NULL DEFAULT 0 CHECK (retries BETWEEN 0 AND 5),
    drop_unsupported boolean NOT NULL DEFAULT false,
    connect_timeout_ms integer CHECK (connect_timeout_ms BETWEEN 10 AND 600000),
    first_byte_timeout_ms integer CHECK (first_byte_timeout_ms BETWEEN 10 AND 3600000),
    idle_timeout_ms integer CHECK (idle_timeout_ms BETWEEN 10 AND 3600000),
    total_timeout_ms integer CHECK (total_timeout_ms BETWEEN 10 AND 86400000),
    pinned_target_id bigint,
    route_off_reason text CHECK (length(route_off_reason) BETWEEN 1 AND 300),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint,
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE model IS 'A public model name and the policy of its route. Never deleted, since calls name it.';
COMMENT ON COLUMN model.vendor IS 'Who made the model, as people write it: OpenAI.';
COMMENT ON COLUMN model.family IS 'The endpoint family that serves it: openai-chat, openai-embeddings.';
COMMENT ON COLUMN model.media_tokens IS 'What one inline image or sound counts at most, for the hold.';
COMMENT ON COLUMN model.capabilities IS 'Words of server/catalog/ability.def; NULL: not known, nothing is refused for it.';
COMMENT ON COLUMN model.demo IS 'Answered by the demo upstream: labelled as such, and hidden where that is off.';
COMMENT ON COLUMN model.strategy IS 'priority: ascending, weights inside one; weighted: weights alone; cheapest: by the operator''s cost, fastest: by the time to the first byte, then as priority.';
COMMENT ON COLUMN model.triggers IS 'Which outcomes of a try let the next target have its turn (server/routing/fallback.h).';
COMMENT ON COLUMN model.retries IS 'Further tries of the same target before the next.';
COMMENT ON COLUMN model.drop_unsupported IS 'What a target''s format cannot express is left out of the request and named; false: that target is passed over, and a request that none can express is refused.';
COMMENT ON COLUMN model.connect_timeout_ms IS 'NULL, as in the other three: the server''s setting.';
COMMENT ON COLUMN model.pinned_target_id IS 'Incident switch: only this target is used.';
COMMENT ON COLUMN model.route_off_reason IS 'Incident switch: the model answers 503 with this reason.';
GRANT SELECT, INSERT ON model TO tollgate_app;
GRANT UPDATE (vendor, family, description, context_tokens, max_output_tokens, media_tokens,
              capabilities, enabled, strategy, triggers, max_attempts, retries, drop_unsupported,
              connect_timeout_ms, first_byte_timeout_ms, idle_timeout_ms, total_timeout_ms,
              pinned_target_id, route_off_reason, changed_at) ON model TO tollgate_app;

CREATE TABLE model_alias (
    alias text PRIMARY KEY CHECK (alias ~ '^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$'),
    model_id bigint NOT NULL REFERENCES model (id),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE model_alias IS 'Further names of a model; a model''s own name always wins over an alias.';
CREATE INDEX model_alias_model ON model_alias (model_id);
GRANT SELECT, INSERT, DELETE ON model_alias TO tollgate_app;

CREATE TABLE model_offer (
    model_id bigint NOT NULL REFERENCES model (id),
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9._-]{0,39}$'),
    upstream_model text NOT NULL CHECK (length(upstream_model) BETWEEN 1 AND 200),
    PRIMARY KEY (model_id, kind)
);
COMMENT ON TABLE model_offer IS 'Providers of this kind are known to serve the model under that name.';
GRANT SELECT, INSERT ON model_offer TO tollgate_app;
GRANT UPDATE (upstream_model) ON model_offer TO tollgate_app;

CREATE TABLE target (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_id bigint NOT NULL REFERENCES model (id),
    account_id bigint NOT NULL REFERENCES provider_account (id),
    upstream_model text NOT NULL CHECK (length(upstream_model) BETWEEN 1 AND 200),
    output_limit_field text
        CHECK (output_limit_field IN ('max_tokens', 'max_completion_tokens')),
    priority integer NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 1000),
    weight integer NOT NULL DEFAULT 100 CHECK (weight BETWEEN 0 AND 1000),
    enabled boolean NOT NULL DEFAULT true,
    lacks text[] NOT NULL DEFAULT '{}',
    context_tokens bigint CHECK (context_tokens > 0),
    max_output_tokens bigint CHECK (max_output_tokens > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
COMMENT ON TABLE target IS 'One way to serve a model. Never deleted, since attempts name it.';
COMMENT ON COLUMN target.output_limit_field IS 'NULL: the provider kind''s own.';
COMMENT ON COLUMN target.lacks IS 'Words of server/catalog/ability.def: what it cannot do though the model can.';
COMMENT ON COLUMN target.context_tokens IS 'Where it takes less than the model; NULL: as the model. So max_output_tokens.';
COMMENT ON COLUMN target.weight IS '0: only when no other target of its priority is left.';
CREATE UNIQUE INDEX target_once ON target (model_id, account_id, upstream_model)
    WHERE deleted_at IS NULL;
CREATE INDEX target_account ON target (account_id);
GRANT SELECT, INSERT ON target TO tollgate_app;
GRANT UPDATE (upstream_model, output_limit_field, priority, weight, enabled, lacks,
              context_tokens, max_output_tokens, deleted_at)
    ON target TO tollgate_app;

ALTER TABLE target ADD UNIQUE (model_id, id);
ALTER TABLE model ADD FOREIGN KEY (id, pinned_target_id) REFERENCES target (model_id, id);

-- Which calls of a model are served as another: the first rule, by position, whose conditions all hold.
-- The rules of the other model are not asked then.
CREATE TABLE route_rule (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_id bigint NOT NULL REFERENCES model (id),
    position integer NOT NULL CHECK (position > 0),
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$'),
    serves_model_id bigint NOT NULL REFERENCES model (id),
    enabled boolean NOT NULL DEFAULT true,
    team_ids bigint[] NOT NULL DEFAULT '{}',
    project_ids bigint[] NOT NULL DEFAULT '{}',
    key_ids bigint[] NOT NULL DEFAULT '{}',
    tags text[] NOT NULL DEFAULT '{}',
    asks text[] NOT NULL DEFAULT '{}',
    asks_not text[] NOT NULL DEFAULT '{}',
    min_input_tokens bigint CHECK (min_input_tokens > 0),
    max_input_tokens bigint CHECK (max_input_tokens >= coalesce(min_input_tokens, 1)),
    share_percent integer CHECK (share_percent BETWEEN 1 AND 99),
    share_tag text,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    CHECK (model_id <> serves_model_id),
    CHECK (share_tag IS NULL OR share_percent IS NOT NULL),
    UNIQUE (model_id, position) DEFERRABLE
);
COMMENT ON TABLE route_rule IS 'Conditions under which another model serves. Deleted when taken back; the audit log has them all.';
COMMENT ON COLUMN route_rule.name IS 'What the log and the client are told.';
COMMENT ON COLUMN route_rule.team_ids IS 'One of these, as in the other lists of ids; empty: any.';
COMMENT ON COLUMN route_rule.tags IS '"name=value", of the key or of the request: each name that is listed has one of its values.';
COMMENT ON COLUMN route_rule.asks IS 'Words of server/catalog/ability.def: the request asks for all of them; for none of asks_not.';
COMMENT ON COLUMN route_rule.min_input_tokens IS 'Of the text, estimated, as is max_input_tokens; NULL: no bound.';
COMMENT ON COLUMN route_rule.share_percent IS 'Of the calls that meet the rest; NULL: all of them.';
COMMENT ON COLUMN route_rule.share_tag IS 'Calls with the same value of this tag, or without it of the same key, stay on one side; NULL: each call for itself, at random.';
CREATE UNIQUE INDEX route_rule_name ON route_rule (model_id, lower(name));
GRANT SELECT, INSERT, DELETE ON route_rule TO tollgate_app;
GRANT UPDATE (position, name, serves_model_id, enabled, team_ids, project_ids, key_ids, tags, asks, asks_not,
              min_input_tokens, max_input_tokens, share_percent, share_tag, changed_at) ON route_rule TO tollgate_app;

-- What a team may have served by its own account: what the installation routes to that kind of
-- provider, as it is asked there. A team does not see the installation's accounts, hence the function.
CREATE FUNCTION own_offer(of_kind text)
RETURNS TABLE (model_id bigint, model text, upstream_model text, output_limit_field text, lacks text[],
               context_tokens bigint, max_output_tokens bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT ON (m.name, t.upstream_model)
           m.id, m.name, t.upstream_model, t.output_limit_field, t.lacks, t.context_tokens,
           t.max_output_tokens
      FROM target t
      JOIN model m ON m.id = t.model_id
      JOIN provider_account a ON a.id = t.account_id
     WHERE a.kind = of_kind AND a.team_id IS NULL AND a.deleted_at IS NULL
       AND t.deleted_at IS NULL AND t.enabled AND m.enabled
     ORDER BY m.name, t.upstream_model, t.id
$$;
REVOKE ALL ON FUNCTION own_offer(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION own_offer(text) TO tollgate_app;

CREATE TABLE own_account_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id bigint NOT NULL REFERENCES team,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX own_account_change_team ON own_account_change (team_id, at);
COMMENT ON TABLE own_account_change IS 'When a team changed or tested an account of its own, for the limit on that. Older than a day they go with the team''s next one.';
CALL tenant_table('own_account_change');
GRANT SELECT, INSERT, DELETE ON own_account_change TO tollgate_app;

-- Counts a change in and says after how many seconds it may be made (0: now): each has every node load
-- its catalogue anew. The lock is held until commit, so that a hundred at once pass no better than one
-- by one, and so that a team's accounts can be counted before one is added.
CREATE FUNCTION own_account_admit(p_team bigint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    oldest timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('own_account ' || p_team, 0));
    DELETE FROM own_account_change c
     WHERE c.team_id = p_team AND c.at < clock_timestamp() - interval '1 day';
    SELECT c.at INTO oldest FROM own_account_change c
     WHERE c.team_id = p_team AND c.at > clock_timestamp() - interval '10 minutes'
     ORDER BY c.at DESC OFFSET 59 LIMIT 1;
    IF oldest IS NOT NULL THEN
        RETURN greatest(1, ceil(extract(epoch FROM oldest + interval '10 minutes' - clock_timestamp())))::integer;
    END IF;
    INSERT INTO own_account_change (team_id) VALUES (p_team);
    RETURN 0;
END
$$;
COMMENT ON FUNCTION own_account_admit(bigint) IS 'Sixty changes and tests of a team''s own accounts in ten minutes.';
GRANT EXECUTE ON FUNCTION own_account_admit(bigint) TO tollgate_app;

CREATE TABLE price (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_id bigint NOT NULL REFERENCES model (id),
    kind text CHECK (kind ~ '^[a-z][a-z0-9._-]{0,39}$'),
    target_id bigint,
    effective_from timestamptz NOT NULL DEFAULT now(),
    source text NOT NULL CHECK (source IN ('operator', 'import', 'demo')),
    override boolean NOT NULL DEFAULT false,
    note text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint,
    FOREIGN KEY (model_id, target_id) REFERENCES target (model_id, id),
    CHECK (kind IS NULL OR target_id IS NULL),
    CHECK (effective_from >= created_at)
);
COMMENT ON TABLE price IS 'One version of a price; immutable, in force from effective_from until a newer one is.';
COMMENT ON COLUMN price.kind IS 'For all targets at providers of this kind; NULL with target_id NULL: the whole model.';
COMMENT ON COLUMN price.effective_from IS 'Now or later: the past is never priced anew. A scheduled version is taken back by a newer one for the same moment.';
COMMENT ON COLUMN price.override IS 'An operator confirmed figures above the usual ceiling.';
CREATE INDEX price_model ON price (model_id, effective_from DESC, id DESC);
CALL append_only('price');
GRANT SELECT, INSERT ON price TO tollgate_app;

CREATE TABLE price_unit (
    price_id bigint NOT NULL REFERENCES price (id),
    service_tier text NOT NULL DEFAULT 'standard'
        CHECK (service_tier IN ('standard', 'flex', 'priority')),
    unit text NOT NULL CHECK (unit ~ '^[a-z][a-z0-9_]{0,39}$'),
    above_input_tokens bigint NOT NULL DEFAULT 0
        CHECK (above_input_tokens BETWEEN 0 AND 1000000000),
    charge_per_million_nano bigint NOT NULL CHECK (charge_per_million_nano >= 0),
    cost_per_million_nano bigint NOT NULL CHECK (cost_per_million_nano >= 0),
    image_kind text NOT NULL DEFAULT ''
        CHECK (length(image_kind) <= 23
               AND image_kind ~ '^([a-z][a-z_]*(/[0-9]+x[0-9]+)?|[0-9]+x[0-9]+)?$'),
    PRIMARY KEY (price_id, service_tier, unit, above_input_tokens, image_kind),
    CONSTRAINT price_unit_image_kind CHECK (
        image_kind = ''
        OR (service_tier = 'standard' AND above_input_tokens = 0
            AND (unit = 'image' OR (unit = 'second' AND image_kind ~ '^[0-9]')))),
    CONSTRAINT price_unit_absurd CHECK (
        greatest(charge_per_million_nano, cost_per_million_nano)
        <= CASE WHEN unit IN ('request', 'image', 'second', 'page', 'search')
                THEN 1000000000000000000 ELSE 1000000000000000 END)
);
COMMENT ON TABLE price_unit IS 'The figures of a price version, nano-dollars per million of the unit (server/model/usage.def).';
COMMENT ON COLUMN price_unit.service_tier IS 'A tier without figures is not sold: a request that names it is refused (server/model/service.h).';
COMMENT ON COLUMN price_unit.above_input_tokens IS 'The figure holds for calls whose input is longer than this; 0: all.';
COMMENT ON COLUMN price_unit.image_kind IS 'The figure holds for images of this quality and size: quality/WxH, or one of the two, or for seconds of a video of this size; empty: all that no other figure names.';
COMMENT ON COLUMN price_unit.charge_per_million_nano IS 'What the customer pays.';
COMMENT ON COLUMN price_unit.cost_per_million_nano IS 'What the operator pays.';
COMMENT ON CONSTRAINT price_unit_absurd ON price_unit IS 'At most 1 dollar a token and 1,000 dollars a thing, even with an override.';
CALL append_only('price_unit');
GRANT SELECT, INSERT ON price_unit TO tollgate_app;

-- The figures belong to the transaction that made their version: nothing is added to it later.
CREATE FUNCTION price_unit_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v price;
BEGIN
    SELECT * INTO STRICT v FROM price WHERE id = NEW.price_id;
    IF v.created_at <> now() THEN
        RAISE EXCEPTION 'a price version is never added to' USING ERRCODE = 'TG910';
    END IF;
    IF NOT v.override AND greatest(NEW.charge_per_million_nano, NEW.cost_per_million_nano)
       > (CASE WHEN NEW.unit IN ('request', 'image', 'second', 'page', 'search')
               THEN 10000000000000000 ELSE 10000000000000 END) THEN
        RAISE EXCEPTION 'the price of % is above the ceiling', NEW.unit USING ERRCODE = 'TG911';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER price_unit_check BEFORE INSERT ON price_unit
    FOR EACH ROW EXECUTE FUNCTION price_unit_check();

CREATE VIEW price_in_force AS
    SELECT DISTINCT ON (model_id, kind, target_id)
           id, model_id, kind, target_id, effective_from, source
      FROM price
     WHERE effective_from <= now()
     ORDER BY model_id, kind, target_id, effective_from DESC, id DESC;
COMMENT ON VIEW price_in_force IS 'The version that counts now, for each model, provider kind and target that has one of its own.';
GRANT SELECT ON price_in_force TO tollgate_app;
