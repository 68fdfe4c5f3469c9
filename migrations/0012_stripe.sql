-- 0012_stripe: what is known of an order's payment page at Stripe, and when to ask there.
--
-- Why: the page is made by a request to Stripe whose outcome may stay unknown, so the attempt stands here
-- before it is made and names the request (its idempotency key): asked again, Stripe gives the same page.
-- And what Stripe tells by itself may not arrive, so each page is asked after until its order is settled.
--
-- Lock order: the order's row, then this one.

CREATE TABLE stripe_checkout (
    team_id bigint NOT NULL,
    order_id bigint NOT NULL,
    attempt integer NOT NULL DEFAULT 1 CHECK (attempt > 0),
    session_id text NOT NULL DEFAULT '' CHECK (length(session_id) <= 180),
    url text NOT NULL DEFAULT '' CHECK (length(url) <= 4000),
    fault text NOT NULL DEFAULT '' CHECK (length(fault) <= 400),
    asked integer NOT NULL DEFAULT 0,
    ask_at timestamptz,
    PRIMARY KEY (team_id, order_id),
    FOREIGN KEY (team_id, order_id) REFERENCES topup_order (team_id, id)
);
CREATE INDEX stripe_checkout_ask ON stripe_checkout (ask_at) WHERE ask_at IS NOT NULL;
COMMENT ON TABLE stripe_checkout IS 'The payment page at Stripe of each order that is paid there.';
COMMENT ON COLUMN stripe_checkout.attempt IS 'Part of the idempotency key; grows when Stripe has refused, never when its answer is unknown.';
COMMENT ON COLUMN stripe_checkout.session_id IS 'Stripe''s Checkout Session; empty: none is known yet.';
COMMENT ON COLUMN stripe_checkout.fault IS 'Why the last attempt gave no page, for whoever wants to pay; empty: it did.';
COMMENT ON COLUMN stripe_checkout.asked IS 'How often Stripe was asked since something was last new; the pause grows with it.';
COMMENT ON COLUMN stripe_checkout.ask_at IS 'When Stripe is asked what has become of it; NULL: not any more.';
CALL tenant_table('stripe_checkout');
GRANT SELECT, INSERT, UPDATE ON stripe_checkout TO tollgate_app;
