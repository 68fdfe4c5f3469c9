-- 0005_billing: top-up orders, the payments that come in for them and what goes back of them, the monthly
-- invoices, and the credit notes that correct them.
--
-- Why: money enters by orders that we made and payments that somebody else reports, as often and in
-- whatever order they like; and leaves the story by invoices, which are cut once and never change.
-- An event and a payment id are unique for ever, so that nothing is credited twice; the credit
-- itself is 0004's post_topup.
--
-- Money goes back only against a payment (payment_return): never more than it was, and together with its
-- transfer and the order's state, in one function that locks the order first, as crediting does.
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
        CHECK (state IN ('created', 'pending', 'paid', 'part_refunded', 'refunded', 'charged_back',
                         'failed', 'canceled', 'expired', 'review')),
    note text NOT NULL DEFAULT '',
    created_by bigint REFERENCES person,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    confirm_at timestamptz,
    paid_at timestamptz,
    transfer_id bigint,
    PRIMARY KEY (team_id, id),
    CHECK ((state IN ('paid', 'part_refunded', 'refunded', 'charged_back')) = (transfer_id IS NOT NULL))
);
CREATE UNIQUE INDEX topup_order_id ON topup_order (id);
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
    kind text NOT NULL CHECK (kind IN ('paid', 'pending', 'failed', 'expired', 'refund_failed')),
    amount_nano bigint NOT NULL,
    currency text NOT NULL,
    note text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, event_id),
    FOREIGN KEY (team_id, order_id) REFERENCES topup_order (team_id, id)
);
COMMENT ON TABLE payment_event IS 'What providers told us, each event once.';
COMMENT ON COLUMN payment_event.kind IS 'refund_failed: the event is named by the refund, so that one that was told to have failed before it was told at all is not booked.';

CREATE TABLE payment_return (
    team_id bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    order_id bigint NOT NULL,
    payment_id bigint NOT NULL REFERENCES payment,
    kind text NOT NULL CHECK (kind IN ('refund', 'chargeback', 'reversal')),
    amount_nano bigint NOT NULL CHECK (amount_nano > 0),
    reference text NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 3 AND 300),
    reverses_id bigint,
    transfer_id bigint NOT NULL,
    actor_kind text NOT NULL,
    actor_id bigint,
    actor_name text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, order_id) REFERENCES topup_order (team_id, id),
    FOREIGN KEY (team_id, reverses_id) REFERENCES payment_return (team_id, id),
    FOREIGN KEY (team_id, transfer_id) REFERENCES transfer (team_id, id),
    CHECK ((kind = 'reversal') = (reverses_id IS NOT NULL))
);
CREATE UNIQUE INDEX payment_return_id ON payment_return (id);
CREATE UNIQUE INDEX payment_return_once ON payment_return (team_id, kind, reference);
CREATE UNIQUE INDEX payment_return_reversed ON payment_return (team_id, reverses_id);
CREATE INDEX payment_return_payment ON payment_return (payment_id);
CREATE INDEX payment_return_order ON payment_return (team_id, order_id);
COMMENT ON TABLE payment_return IS 'What went back of a payment: refunded by us, or charged back by the payer''s bank; and what came again when a chargeback was reversed or a refund failed.';
COMMENT ON COLUMN payment_return.reference IS 'The operator''s, the provider''s or the bank''s; booked once.';
COMMENT ON COLUMN payment_return.reverses_id IS 'Of a reversal: the chargeback, or the refund, that it takes back, whole.';

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
COMMENT ON TABLE invoice_line IS 'Movements by time, then usage by provider, model, key and, where it went by a team''s own key, the fee; amounts are signed by what they do to the balance.';

CREATE TABLE invoice_file (
    team_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    pdf bytea NOT NULL,
    pdf_digest bytea NOT NULL CHECK (length(pdf_digest) = 32),
    PRIMARY KEY (team_id, invoice_id),
    FOREIGN KEY (team_id, invoice_id) REFERENCES invoice (team_id, id)
);
COMMENT ON TABLE invoice_file IS 'The PDF as issued, and the BLAKE2b-256 of its bytes.';

CREATE TABLE credit_note_counter (
    year integer PRIMARY KEY,
    last integer NOT NULL CHECK (last BETWEEN 1 AND 999999)
);
COMMENT ON TABLE credit_note_counter IS 'As invoice_counter, for the series of the credit notes.';

CREATE TABLE credit_note (
    team_id bigint NOT NULL REFERENCES team,
    id bigint GENERATED ALWAYS AS IDENTITY,
    number text NOT NULL,
    year integer NOT NULL,
    serial integer NOT NULL,
    invoice_id bigint NOT NULL,
    amount_nano bigint NOT NULL CHECK (amount_nano > 0),
    reason text NOT NULL CHECK (length(reason) BETWEEN 3 AND 300),
    reference text NOT NULL CHECK (length(reference) BETWEEN 1 AND 100),
    issued_at timestamptz NOT NULL DEFAULT now(),
    issue_date date NOT NULL,
    transfer_id bigint NOT NULL,
    actor_kind text NOT NULL,
    actor_id bigint,
    actor_name text NOT NULL,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, invoice_id) REFERENCES invoice (team_id, id),
    FOREIGN KEY (team_id, transfer_id) REFERENCES transfer (team_id, id)
);
CREATE UNIQUE INDEX credit_note_number ON credit_note (number);
CREATE UNIQUE INDEX credit_note_serial ON credit_note (year, serial);
CREATE UNIQUE INDEX credit_note_reference ON credit_note (team_id, reference);
CREATE INDEX credit_note_invoice ON credit_note (team_id, invoice_id);
COMMENT ON TABLE credit_note IS 'Corrects an issued invoice: gives back part of the usage that it says. Its parties are those of the invoice.';
COMMENT ON COLUMN credit_note.reference IS 'The operator''s; the same one again makes no second note.';

CREATE TABLE credit_note_file (
    team_id bigint NOT NULL,
    credit_note_id bigint NOT NULL,
    pdf bytea NOT NULL,
    pdf_digest bytea NOT NULL CHECK (length(pdf_digest) = 32),
    PRIMARY KEY (team_id, credit_note_id),
    FOREIGN KEY (team_id, credit_note_id) REFERENCES credit_note (team_id, id)
);
COMMENT ON TABLE credit_note_file IS 'The PDF as issued, and the BLAKE2b-256 of its bytes.';

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
CALL tenant_table('payment_return');
CALL tenant_table('invoice');
CALL tenant_table('invoice_cut');
CALL tenant_table('invoice_line');
CALL tenant_table('invoice_file');
CALL tenant_table('credit_note');
CALL tenant_table('credit_note_file');
CALL append_only('payment_event');
CALL append_only('invoice');
CALL append_only('invoice_line');
CALL append_only('invoice_file');
CALL money_table('payment_return');
CALL append_only('payment_return');
CALL money_table('credit_note');
CALL append_only('credit_note');
CALL money_table('credit_note_counter');
CALL append_only('credit_note_file');

GRANT SELECT, INSERT, UPDATE ON topup_order, payment, invoice_cut, invoice_counter TO tollgate_app;
GRANT SELECT, INSERT ON payment_event, invoice, invoice_line, invoice_file TO tollgate_app;
GRANT SELECT, INSERT ON credit_note_file TO tollgate_app;
GRANT SELECT, UPDATE ON topup_order, payment TO tollgate_money;
GRANT SELECT ON invoice, installation TO tollgate_money;

-- What has gone back of a payment and not come again.
CREATE FUNCTION payment_returned(p_payment bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(CASE r.kind WHEN 'reversal' THEN -r.amount_nano ELSE r.amount_nano END), 0)::bigint
      FROM payment_return r WHERE r.payment_id = p_payment
$$;
CALL money_function('payment_returned(bigint)');

-- The state of an order that was paid, from what has gone back of its payments.
CREATE FUNCTION order_reckon(p_team bigint, p_order bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    paid bigint;
    refunded bigint;
    charged_back bigint;
BEGIN
    SELECT coalesce(sum(amount_nano), 0) INTO paid FROM payment
     WHERE team_id = p_team AND order_id = p_order AND state = 'credited';
    SELECT coalesce(sum(amount_nano) FILTER (WHERE kind = 'refund'), 0),
           coalesce(sum(amount_nano) FILTER (WHERE kind = 'chargeback'), 0)
      INTO refunded, charged_back FROM payment_return r
     WHERE r.team_id = p_team AND r.order_id = p_order
       AND NOT EXISTS (SELECT FROM payment_return x WHERE x.team_id = r.team_id AND x.reverses_id = r.id);
    UPDATE topup_order SET changed_at = now(),
           state = CASE WHEN charged_back > 0 THEN 'charged_back' WHEN refunded >= paid THEN 'refunded'
                        WHEN refunded > 0 THEN 'part_refunded' ELSE 'paid' END
     WHERE team_id = p_team AND id = p_order AND transfer_id IS NOT NULL;
END
$$;
CALL money_function('order_reckon(bigint, bigint)');

-- Locks a credited payment with its order, the order first.
CREATE FUNCTION payment_lock(p_payment bigint) RETURNS payment LANGUAGE plpgsql AS $$
DECLARE
    p payment;
BEGIN
    PERFORM FROM topup_order o JOIN payment x ON x.team_id = o.team_id AND x.order_id = o.id
      WHERE x.id = p_payment FOR UPDATE OF o;
    SELECT * INTO p FROM payment WHERE id = p_payment AND state = 'credited' FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such payment was credited' USING ERRCODE = 'TG020';
    END IF;
    RETURN p;
END
$$;
CALL money_function('payment_lock(bigint)', false);

-- Sends part of a payment back; the id of the payment_return. A refund takes from the wallet what is not
-- used, nor held by running calls: TG007 otherwise. A chargeback takes what the bank has taken, also below
-- zero, but only from a team that is frozen (TG008), so that it cannot run away meanwhile. TG021: more than
-- the payment was and has not gone back yet. The same reference again gives the same id.
CREATE FUNCTION post_return(p_payment bigint, p_kind text, p_ref text, p_amount bigint, p_reason text,
                            p_actor_kind text, p_actor_id bigint, p_actor_name text, OUT return_id bigint,
                            OUT is_new boolean) LANGUAGE plpgsql AS $$
DECLARE
    p payment;
    known payment_return;
    wallet bigint;
    paid_back bigint;
    transfer_id bigint;
BEGIN
    PERFORM ledger_guard();
    p := payment_lock(p_payment);
    wallet := books_lock(p.team_id, 'wallet');
    SELECT * INTO known FROM payment_return r
     WHERE r.team_id = p.team_id AND r.kind = p_kind AND r.reference = p_ref;
    IF FOUND THEN
        IF known.payment_id <> p.id OR known.amount_nano <> p_amount THEN
            RAISE EXCEPTION 'reference was used for another amount' USING ERRCODE = 'TG002';
        END IF;
        return_id := known.id;
        is_new := false;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM payment_return r WHERE r.payment_id = p.id AND r.reference = p_ref
                                              AND r.kind IN ('refund', 'chargeback')) THEN
        RAISE EXCEPTION 'reference was used for the other of refund and chargeback' USING ERRCODE = 'TG002';
    END IF;
    IF p_amount > p.amount_nano - payment_returned(p.id) THEN
        RAISE EXCEPTION 'more than is left of the payment' USING ERRCODE = 'TG021';
    END IF;
    IF p_kind = 'refund' THEN
        -- Who leases of it now is waited for, and whoever comes later finds less.
        PERFORM FROM purse q WHERE q.team_id = p.team_id AND q.kind = 'wallet' FOR UPDATE;
        IF p_amount > wallet_free(p.team_id) THEN
            RAISE EXCEPTION 'more than is left on the wallet' USING ERRCODE = 'TG007';
        END IF;
    END IF;
    IF p_kind = 'chargeback' AND NOT (SELECT t.frozen_at IS NOT NULL FROM team t WHERE t.id = p.team_id) THEN
        RAISE EXCEPTION 'the team is not frozen' USING ERRCODE = 'TG008';
    END IF;
    SELECT a.id INTO STRICT paid_back FROM account a WHERE a.team_id = p.team_id AND a.kind = 'refund';
    transfer_id := post_between(p.team_id, wallet, paid_back, p_amount,
                                CASE p_kind WHEN 'refund' THEN 'REFUND' ELSE 'CHARGEBACK' END, p_ref,
                                p_reason, p_actor_kind, p_actor_id, p_actor_name);
    INSERT INTO payment_return AS r (team_id, order_id, payment_id, kind, amount_nano, reference, reason,
                                     transfer_id, actor_kind, actor_id, actor_name)
    VALUES (p.team_id, p.order_id, p.id, p_kind, p_amount, p_ref, p_reason, transfer_id, p_actor_kind,
            p_actor_id, p_actor_name)
    RETURNING r.id INTO return_id;
    is_new := true;
    PERFORM order_reckon(p.team_id, p.order_id);
END
$$;
CALL money_function('post_return(bigint, text, text, bigint, text, text, bigint, text)');

-- What of the wallet is neither used nor set aside for running calls. Grants cover these first.
CREATE FUNCTION wallet_free(p_team bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT greatest(least(a.credits_nano - a.debits_nano, p.capacity - p.used - p.leased), 0)
      FROM account a JOIN purse p ON p.team_id = a.team_id AND p.kind = 'wallet'
     WHERE a.team_id = p_team AND a.kind = 'wallet'
$$;
CALL money_function('wallet_free(bigint)');

-- The bank has given back what it had charged back, or a refund did not arrive and is ours again: the whole
-- of it, once (TG022). p_kind is what it takes back, TG020 if that is another.
CREATE FUNCTION post_reversal(p_return bigint, p_kind text, p_ref text, p_reason text, p_actor_kind text,
                              p_actor_id bigint, p_actor_name text, OUT return_id bigint, OUT is_new boolean)
LANGUAGE plpgsql AS $$
DECLARE
    r payment_return;
    p payment;
    known payment_return;
    wallet bigint;
    paid_back bigint;
    transfer_id bigint;
BEGIN
    PERFORM ledger_guard();
    SELECT * INTO r FROM payment_return x WHERE x.id = p_return AND x.kind = p_kind;
    IF NOT FOUND OR p_kind NOT IN ('refund', 'chargeback') THEN
        RAISE EXCEPTION 'no such refund or chargeback' USING ERRCODE = 'TG020';
    END IF;
    p := payment_lock(r.payment_id);
    wallet := books_lock(r.team_id, 'wallet');
    SELECT * INTO known FROM payment_return x
     WHERE x.team_id = r.team_id AND (x.reverses_id = r.id OR x.kind = 'reversal' AND x.reference = p_ref);
    IF FOUND THEN
        IF known.reverses_id <> r.id THEN
            RAISE EXCEPTION 'reference was used for another amount' USING ERRCODE = 'TG002';
        ELSIF known.reference <> p_ref THEN
            RAISE EXCEPTION 'it is reversed already' USING ERRCODE = 'TG022';
        END IF;
        return_id := known.id;
        is_new := false;
        RETURN;
    END IF;
    SELECT a.id INTO STRICT paid_back FROM account a WHERE a.team_id = r.team_id AND a.kind = 'refund';
    transfer_id := post_between(r.team_id, paid_back, wallet, r.amount_nano,
                                upper(p_kind) || '_REVERSED', p_ref, p_reason, p_actor_kind, p_actor_id, p_actor_name);
    INSERT INTO payment_return AS x (team_id, order_id, payment_id, kind, amount_nano, reference, reason,
                                     reverses_id, transfer_id, actor_kind, actor_id, actor_name)
    VALUES (r.team_id, r.order_id, r.payment_id, 'reversal', r.amount_nano, p_ref, p_reason, r.id,
            transfer_id, p_actor_kind, p_actor_id, p_actor_name)
    RETURNING x.id INTO return_id;
    is_new := true;
    PERFORM order_reckon(r.team_id, r.order_id);
END
$$;
CALL money_function('post_reversal(bigint, text, text, text, text, bigint, text)');

-- Issues a credit note to an invoice: the next number of its own series, and one transfer out of the
-- revenue. TG023: no such invoice; TG021: more than was invoiced and not credited yet. The same reference
-- again gives the same note.
CREATE FUNCTION post_credit_note(p_team bigint, p_invoice bigint, p_ref text, p_amount bigint,
                                 p_reason text, p_actor_kind text, p_actor_id bigint, p_actor_name text,
                                 OUT note_id bigint, OUT is_new boolean) LANGUAGE plpgsql AS $$
DECLARE
    known credit_note;
    inv invoice;
    wallet bigint;
    revenue bigint;
    day date;
    note_year integer;
    note_serial integer;
    note_number text;
    transfer_id bigint;
BEGIN
    PERFORM ledger_guard();
    wallet := books_lock(p_team, 'wallet');
    SELECT * INTO known FROM credit_note c WHERE c.team_id = p_team AND c.reference = p_ref;
    IF FOUND THEN
        IF known.invoice_id <> p_invoice OR known.amount_nano <> p_amount THEN
            RAISE EXCEPTION 'reference was used for another amount' USING ERRCODE = 'TG002';
        END IF;
        note_id := known.id;
        is_new := false;
        RETURN;
    END IF;
    SELECT * INTO inv FROM invoice i WHERE i.team_id = p_team AND i.id = p_invoice;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such invoice' USING ERRCODE = 'TG023';
    END IF;
    IF p_amount > inv.usage_nano - (SELECT coalesce(sum(c.amount_nano), 0) FROM credit_note c
                                     WHERE c.team_id = p_team AND c.invoice_id = p_invoice) THEN
        RAISE EXCEPTION 'more than is left of the invoice' USING ERRCODE = 'TG021';
    END IF;
    SELECT (now() AT TIME ZONE i.time_zone)::date INTO day FROM installation i;
    note_year := extract(year FROM day);
    INSERT INTO credit_note_counter AS n (year, last) VALUES (note_year, 1)
    ON CONFLICT (year) DO UPDATE SET last = n.last + 1 RETURNING n.last INTO note_serial;
    SELECT i.invoice_prefix || '-CN-' || note_year || '-' || lpad(note_serial::text, 6, '0')
      INTO note_number FROM installation i;
    SELECT a.id INTO STRICT revenue FROM account a WHERE a.team_id = p_team AND a.kind = 'revenue';
    transfer_id := post_between(p_team, revenue, wallet, p_amount, 'CREDIT_NOTE', note_number, p_reason,
                                p_actor_kind, p_actor_id, p_actor_name);
    INSERT INTO credit_note AS c (team_id, number, year, serial, invoice_id, amount_nano, reason, reference,
                                  issue_date, transfer_id, actor_kind, actor_id, actor_name)
    VALUES (p_team, note_number, note_year, note_serial, p_invoice, p_amount, p_reason, p_ref, day,
            transfer_id, p_actor_kind, p_actor_id, p_actor_name)
    RETURNING c.id INTO note_id;
    is_new := true;
END
$$;
CALL money_function('post_credit_note(bigint, bigint, text, bigint, text, text, bigint, text)');

-- Whether time has done something to money: orders that expire or are confirmed, grants that expire. One
-- look for all teams, each few seconds, instead of a transaction for each kind.
CREATE FUNCTION money_due(OUT orders boolean, OUT grants boolean) LANGUAGE plpgsql AS $$
DECLARE
    scope CONSTANT text := coalesce(current_setting('app.scope', true), '');
BEGIN
    PERFORM set_config('app.scope', 'system', true);
    orders := EXISTS (SELECT FROM topup_order o
                       WHERE o.state IN ('created', 'pending') AND o.expires_at < now())
              OR EXISTS (SELECT FROM topup_order o WHERE o.state = 'pending' AND o.confirm_at <= now());
    grants := EXISTS (SELECT FROM live_grant g WHERE g.expires_at <= now());
    PERFORM set_config('app.scope', scope, true);
END
$$;
CALL money_function('money_due()');
