// stripe.mjs: Stripe as this product sees it, on loopback: the parts of its API that are asked, a payment
// page, and events signed by Stripe's own library. It holds what its documents say of a request: the key,
// the form's encoding, idempotency keys, and the bounds of a Checkout Session; what is wrong is a 400 there,
// and kept in `.wrong`, so that a test sees it.
import http from 'node:http';
import Stripe from 'stripe';
import { stopAtEnd } from './server.mjs';

const library = new Stripe('sk_test_unused');
const now = () => Math.floor(Date.now() / 1000);
const KNOWN = new Set(['mode', 'client_reference_id', 'metadata', 'payment_intent_data', 'line_items', 'adaptive_pricing', 'success_url', 'cancel_url', 'expires_at']);

// "line_items[0][price_data][currency]=usd" as a tree.
function unfold(form) {
  const tree = {};
  for (const pair of form.split('&')) {
    const [name, value] = pair.split('=').map((s) => decodeURIComponent(s.replace(/\+/g, ' ')));
    const path = [name.match(/^[^[]+/)[0], ...[...name.matchAll(/\[([^\]]*)\]/g)].map((m) => m[1])];
    let at = tree;
    for (const part of path.slice(0, -1)) at = at[part] ??= {};
    at[path.at(-1)] = value;
  }
  return tree;
}

export class FakeStripe {
  key = 'sk_test_tollgate0123456789';
  secret = 'whsec_tollgate0123456789';
  sessions = new Map();
  refunds = [];
  disputes = [];
  kept = new Map(); // idempotency key: {form, status, body}
  seen = [];
  wrong = [];
  script; // what it answers instead: (request) => {status, body}, or 'cut' the connection, or 'silence'

  async start() {
    this.serial = 0;
    this.server = http.createServer((req, res) => {
      const parts = [];
      req.on('data', (d) => parts.push(d));
      req.on('end', () => this.answer(req, res, Buffer.concat(parts).toString()));
    });
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    stopAtEnd(this);
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(done));
  }

  // The settings of a server that is paid by it.
  get env() {
    return { STRIPE_SECRET_KEY: this.key, STRIPE_WEBHOOK_SECRET: this.secret, STRIPE_API_URL: this.url, STRIPE_CHECKOUT_URL: `${this.url}/c` };
  }

  id(prefix) {
    return `${prefix}_fake${String(++this.serial).padStart(6, '0')}`;
  }

  answer(req, res, body) {
    const url = new URL(req.url, this.url);
    const seen = { method: req.method, path: url.pathname, query: url.searchParams, headers: req.headers, body };
    const send = ({ status, body: value, type = 'application/json' }) => {
      res.writeHead(status, { 'content-type': type });
      res.end(typeof value === 'string' ? value : JSON.stringify(value));
    };
    if (url.pathname.startsWith('/c/')) return send(this.page(url.pathname.slice(3)));
    if (url.pathname === '/favicon.ico') return send({ status: 404, body: '', type: 'text/plain' });
    this.seen.push(seen);
    const scripted = this.script?.(seen);
    if (scripted === 'silence') return undefined;
    if (scripted === 'cut') return req.socket.destroy();
    return send(scripted ?? this.api(seen));
  }

  refuse(message, status = 400, type = 'invalid_request_error') {
    this.wrong.push(message);
    return { status, body: { error: { message, type } } };
  }

  api(seen) {
    if (seen.headers.authorization !== `Bearer ${this.key}`) return this.refuse(`Invalid API Key provided: ${seen.headers.authorization}`, 401);
    if (!/^\d{4}-\d{2}-\d{2}(\.\w+)?$/.test(seen.headers['stripe-version'] ?? '')) return this.refuse('no version');
    if (seen.method === 'POST' && seen.path === '/v1/checkout/sessions') return this.idempotent(seen);
    const session = seen.path.match(/^\/v1\/checkout\/sessions\/(\w+)$/)?.[1];
    if (seen.method === 'GET' && session) return this.retrieve(session, seen.query.getAll('expand[]'));
    const closing = seen.path.match(/^\/v1\/checkout\/sessions\/(\w+)\/expire$/)?.[1];
    if (seen.method === 'POST' && closing) return this.close(closing, seen.body);
    const list = { '/v1/refunds': this.refunds, '/v1/disputes': this.disputes }[seen.path];
    if (seen.method === 'GET' && list)
      return { status: 200, body: { object: 'list', url: seen.path, has_more: false, data: list.filter((o) => o.payment_intent === seen.query.get('payment_intent')) } };
    return this.refuse(`Unrecognized request URL (${seen.method}: ${seen.path})`, 404);
  }

  // The first answer is kept for the key; the same key with another form is an error.
  idempotent(seen) {
    const key = seen.headers['idempotency-key'];
    if (!key || key.length > 255) return this.refuse('no idempotency key');
    if (seen.headers['content-type'] !== 'application/x-www-form-urlencoded') return this.refuse(`content type ${seen.headers['content-type']}`);
    const before = this.kept.get(key);
    if (before && before.form !== seen.body) return this.refuse('Keys for idempotent requests can only be used with the same parameters.', 400, 'idempotency_error');
    if (before) return before;
    const answer = this.create(seen.body);
    if (answer.status < 400) this.kept.set(key, { form: seen.body, ...answer });
    return answer;
  }

  create(form) {
    const o = unfold(form);
    const price = o.line_items?.[0]?.price_data;
    const unknown = Object.keys(o).find((k) => !KNOWN.has(k));
    if (unknown) return this.refuse(`Received unknown parameter: ${unknown}`);
    if (o.mode !== 'payment' || price?.currency !== 'usd' || o.line_items[0].quantity !== '1' || !price.product_data?.name) return this.refuse('line_items');
    if (!/^[1-9]\d{1,7}$/.test(price.unit_amount)) return this.refuse(`Invalid integer: ${price.unit_amount}`);
    if (!(o.expires_at >= now() + 1800 && o.expires_at <= now() + 86400)) return this.refuse('The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.');
    for (const url of [o.success_url, o.cancel_url]) if (!URL.canParse(url)) return this.refuse(`Not a valid URL: ${url}`);
    const id = this.id('cs_test');
    const session = {
      id, object: 'checkout.session', mode: 'payment', status: 'open', payment_status: 'unpaid', url: `${this.url}/c/${id}`,
      amount_total: Number(price.unit_amount), currency: 'usd', client_reference_id: o.client_reference_id, metadata: o.metadata ?? {},
      payment_intent: null, expires_at: Number(o.expires_at), success_url: o.success_url, cancel_url: o.cancel_url, livemode: false,
    };
    this.sessions.set(id, session);
    return { status: 200, body: session };
  }

  retrieve(id, expand) {
    const session = this.sessions.get(id);
    if (!session) return this.refuse(`No such checkout.session: ${id}`, 404);
    const intent = expand.includes('payment_intent') && session.payment_intent
      ? { id: session.payment_intent, object: 'payment_intent', status: session.intent_status, last_payment_error: session.intent_error ?? null }
      : session.payment_intent;
    return { status: 200, body: { ...session, payment_intent: intent } };
  }

  // Only what is open can be expired; the payer may have been faster, which is nobody's mistake.
  close(id, form) {
    const session = this.sessions.get(id);
    if (!session) return this.refuse(`No such checkout.session: ${id}`, 404);
    if (form) return this.refuse(`Received unknown parameter: ${form}`);
    if (session.status !== 'open') return { status: 400, body: { error: { message: `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`, type: 'invalid_request_error' } } };
    return { status: 200, body: this.expire(session) };
  }

  // The page: its link pays at once, without telling us; its other one goes back.
  page(path) {
    const [id, pay] = path.split('/');
    const s = this.sessions.get(id);
    if (!s) return { status: 404, body: 'no such page', type: 'text/plain' };
    if (pay === 'pay') {
      if (s.status === 'open') this.pay(s);
      return { status: 200, type: 'text/html', body: `<!doctype html><title>Thanks</title><p>Paid.</p><a id="back" href="${s.success_url}">Back</a>` };
    }
    return { status: 200, type: 'text/html', body: `<!doctype html><title>Pay</title><h1>Pay $${(s.amount_total / 100).toFixed(2)}</h1><a id="pay" href="/c/${id}/pay">Pay</a> <a id="back" href="${s.cancel_url}">Back</a>` };
  }

  // The session of an order of ours, by its reference.
  of(reference) {
    return [...this.sessions.values()].filter((s) => s.metadata.tollgate_order === reference).at(-1);
  }

  // --- what happens to a payment; each gives the object that an event carries ---

  pay(session, { late = false, amount, currency } = {}) {
    Object.assign(session, { status: 'complete', payment_status: late ? 'unpaid' : 'paid', payment_intent: this.id('pi'), intent_status: late ? 'processing' : 'succeeded' });
    if (amount !== undefined) session.amount_total = amount;
    if (currency) session.currency = currency;
    return session;
  }

  arrive(session) {
    return Object.assign(session, { payment_status: 'paid', intent_status: 'succeeded' });
  }

  bounce(session) {
    return Object.assign(session, { intent_status: 'requires_payment_method', intent_error: { message: 'The bank account has been closed.' } });
  }

  expire(session) {
    return Object.assign(session, { status: 'expired' });
  }

  refund(session, cents, status = 'succeeded') {
    const refund = { id: this.id('re'), object: 'refund', amount: cents, currency: session.currency, charge: this.id('ch'), payment_intent: session.payment_intent, reason: 'requested_by_customer', status, metadata: {} };
    this.refunds.push(refund);
    return refund;
  }

  dispute(session, cents, status = 'needs_response') {
    const dispute = { id: this.id('dp'), object: 'dispute', amount: cents, currency: session.currency, charge: this.id('ch'), payment_intent: session.payment_intent, reason: 'fraudulent', status, evidence: {}, metadata: {} };
    this.disputes.push(dispute);
    return dispute;
  }

  charge(session) {
    return { id: this.id('ch'), object: 'charge', amount: session.amount_total, currency: session.currency, payment_intent: session.payment_intent, refunded: true };
  }

  event(type, object) {
    return JSON.stringify({ id: this.id('evt'), object: 'event', api_version: '2025-03-31.basil', created: now(), type, livemode: false, pending_webhooks: 1, request: { id: null, idempotency_key: null }, data: { object } });
  }
}

export const startStripe = () => new FakeStripe().start();

// The header that Stripe's own library makes of a body.
export const sign = (payload, secret, timestamp = now()) => library.webhooks.generateTestHeaderString({ payload, secret, timestamp });

// Sends an event as Stripe does; headers replace the signature.
export async function deliver(server, payload, secret, headers = {}) {
  const res = await fetch(`${server.url}/webhooks/stripe`, {
    method: 'POST', body: payload,
    headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)', 'stripe-signature': sign(payload, secret), ...headers },
  });
  return { status: res.status, text: await res.text() };
}
