-- 0005_billing: top-up orders, the payments that come in for them, and the monthly invoices.
--
-- Why: money enters by orders that we made and payments that somebody else reports, as often and in
-- whatever order they like; and leaves the story by invoices, which are cut once and never change.
-- An event and a payment id are unique for ever, so that nothing is credited twice; the credit
-- itself is 0004's post_topup.
--
-- Invoices are continuous: each begins where the one before ended (invoice_cut), also when the team
-- has changed its time zone or a month without movement lies between.

CREATE TABLE topup_order (
    team_id bigint NOT NULL REFERENCES team,
    id bigint GENERATED ALWAYS AS IDENTITY,
    reference text NOT NULL,
    provider text NOT NULL,
    amount_nano bigint NOT NULL CHECK (amount_nano BETWEEN 1000000000 AND 1000000000000000),
    currency text NOT NULL DEFAULT 'USD' CHECK (currency = 'USD'),
    state text NOT NULL DEFAULT 'created'
        CHECK (state IN ('created', 'pending', 'paid', 'failed', 'canceled', 'expired', 'review')),
    note text NOT NULL DEFAULT '',
    created_by bigint REFERENCES person,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    confirm_at timestamptz,
    paid_at timestamptz,
    transfer_id bigint,
    PRIMARY KEY (team_id, id),
    CHECK ((state = 'paid') = (transfer_id IS NOT NULL))
);
CREATE UNIQUE INDEX topup_order_reference ON topup_order (reference);
CREATE INDEX topup_order_open ON topup_order (expires_at) WHERE state IN ('created', 'pending');
CREATE INDEX topup_order_confirm ON topup_order (confirm_at) WHERE confirm_at IS NOT NULL;
COMMENT ON TABLE topup_order IS 'A wish to top up, with the amount that we expect; payments are held against it.';
COMMENT ON COLUMN topup_order.reference IS 'What payments name it by; stands on bank transfers.';
COMMENT ON COLUMN topup_order.confirm_at IS 'Sandbox only: when the late confirmation is played.';

CREATE TABLE payment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    team_id bigint NOT NULL,
    order_id bigint NOT NULL,
    provider text NOT NULL,
    payment_id text NOT NULL CHECK (length(payment_id) BETWEEN 1 AND 180),
    amount_nano bigint NOT NULL,
    currency text NOT NULL,
    state text NOT NULL CHECK (state IN ('credited', 'review', 'dismissed')),
    note text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    transfer_id bigint,
    FOREIGN KEY (team_id, order_id) REFERENCES topup_order (team_id, id),
    CHECK ((state = 'credited') = (transfer_id IS NOT NULL))
);
CREATE UNIQUE INDEX payment_once ON payment (provider, payment_id);
CREATE INDEX payment_order ON payment (team_id, order_id);
CREATE INDEX payment_review ON payment (id) WHERE state = 'review';
COMMENT ON TABLE payment IS 'Money that a provider says has come. A payment id is credited once, for ever.';

CREATE TABLE payment_event (
    provider text NOT NULL,
    event_id text NOT NULL CHECK (length(event_id) BETWEEN 1 AND 200),
    team_id bigint NOT NULL,
    order_id bigint NOT NULL,
    payment_id text NOT NULL DEFAULT '',
    kind text NOT NULL CHECK (kind IN ('paid', 'pending', 'failed')),
    amount_nano bigint NOT NULL,
    currency text NOT NULL,
    note text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, event_id),
    FOREIGN KEY (team_id, order_id) REFERENCES topup_order (team_id, id)
);
COMMENT ON TABLE payment_event IS 'What providers told us, each event once.';

CREATE TABLE invoice_counter (
    year integer PRIMARY KEY,
    last integer NOT NULL CHECK (last BETWEEN 1 AND 999999)
);
COMMENT ON TABLE invoice_counter IS 'The last number of each year. Its row is locked by the transaction that issues, so that a number that is not used is given back.';

CREATE TABLE invoice_cut (
    team_id bigint PRIMARY KEY REFERENCES team,
    next_month date NOT NULL,
    from_at timestamptz NOT NULL
);
COMMENT ON TABLE invoice_cut IS 'How far each team is invoiced: next_month is the next month to cut, and it begins at from_at.';

CREATE TABLE invoice (
    team_id bigint NOT NULL REFERENCES team,
    id bigint GENERATED ALWAYS AS IDENTITY,
    number text NOT NULL,
    year integer NOT NULL,
    serial integer NOT NULL,
    month date NOT NULL,
    time_zone text NOT NULL,
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now(),
    issue_date date NOT NULL,
    seller_name text NOT NULL,
    seller_address text NOT NULL,
    seller_country text NOT NULL,
    seller_tax_id text NOT NULL,
    seller_email text NOT NULL,
    seller_note text NOT NULL,
    buyer_name text NOT NULL,
    buyer_address text NOT NULL,
    buyer_country text NOT NULL,
    buyer_tax_id text NOT NULL,
    buyer_email text NOT NULL,
    opening_nano bigint NOT NULL,
    topups_nano bigint NOT NULL,
    grants_nano bigint NOT NULL,
    adjustments_nano bigint NOT NULL,
    usage_nano bigint NOT NULL,
    closing_nano bigint NOT NULL,
    calls bigint NOT NULL,
    PRIMARY KEY (team_id, id),
    CHECK (opening_nano + topups_nano + grants_nano + adjustments_nano - usage_nano = closing_nano),
    CHECK (from_at < until_at)
);
CREATE UNIQUE INDEX invoice_number ON invoice (number);
CREATE UNIQUE INDEX invoice_serial ON invoice (year, serial);
CREATE UNIQUE INDEX invoice_month ON invoice (team_id, month);
COMMENT ON TABLE invoice IS 'One per team and month with movement; fixed when issued.';
COMMENT ON COLUMN invoice.year IS 'Of the issue date in the installation''s time zone: the series that serial counts in.';

CREATE TABLE invoice_line (
    team_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    ordinal integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('topup', 'grant', 'refund', 'credit_note', 'adjustment', 'usage')),
    text text NOT NULL,
    date date,
    at timestamptz,
    provider text NOT NULL,
    model text NOT NULL,
    key_name text NOT NULL,
    calls bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    amount_nano bigint NOT NULL,
    PRIMARY KEY (team_id, invoice_id, ordinal),
    FOREIGN KEY (team_id, invoice_id) REFERENCES invoice (team_id, id)
);
COMMENT ON TABLE invoice_line IS 'Movements by time, then usage by provider, model and key; amounts are signed by what they do to the balance.';

CREATE TABLE invoice_file (
    team_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    pdf bytea NOT NULL,
    pdf_digest bytea NOT NULL CHECK (length(pdf_digest) = 32),
    PRIMARY KEY (team_id, invoice_id),
    FOREIGN KEY (team_id, invoice_id) REFERENCES invoice (team_id, id)
);
COMMENT ON TABLE invoice_file IS 'The PDF as issued, and the BLAKE2b-256 of its bytes.';

-- Returns when every movement of the team with a posted_at before this moment can be seen: postings
-- take their time with the team's accounts locked, so whoever has an earlier one has committed now.
CREATE FUNCTION invoice_barrier(p_team bigint) RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM account WHERE team_id = p_team ORDER BY id FOR UPDATE;
    RETURN clock_timestamp();
END
$$;
CALL money_function('invoice_barrier(bigint)');

CALL tenant_table('topup_order');
CALL tenant_table('payment');
CALL tenant_table('payment_event');
CALL tenant_table('invoice');
CALL tenant_table('invoice_cut');
CALL tenant_table('invoice_line');
CALL tenant_table('invoice_file');
CALL append_only('payment_event');
CALL append_only('invoice');
CALL append_only('invoice_line');
CALL append_only('invoice_file');

GRANT SELECT, INSERT, UPDATE ON topup_order, payment, invoice_cut, invoice_counter TO tollgate_app;
GRANT SELECT, INSERT ON payment_event, invoice, invoice_line, invoice_file TO tollgate_app;
